"""Text of the page Mistakes: clips, their labels and levels."""

from pathlib import PurePath

import pandas as pd

from pages.shared.text.common import escape_markdown, format_span
from segser_core.audio.excerpt import CLIP_END, CLIP_START
from segser_core.audio.levels import SpanLevel


def verdict_text(label: str, confidence: float, true: str) -> str:
    """Format a predicted label with its confidence, and whether it is the true class."""
    return f"{label} {confidence:.2f} {'✓' if label == true else '✗'}"


def clip_count(selected: int, of: int, seeds: int, is_default: bool) -> str:
    """Say how many clips a filter selects.

    Args:
        selected: rows that the filter selects.
        of: all rows.
        seeds: how many seeds the run has.
        is_default: whether filter and order are those that the page opens with.
    """
    rows = "clips" if seeds == 1 else f"rows, one for each clip and each of {seeds} seeds"
    return f"**{selected}** of {of} {rows}" + (": the wrong ones, the most confident first" if is_default else "")


def clip_description(row: pd.Series) -> str:
    """Say who speaks in a clip, how long it is, and how many segments name its class, as far as is known."""
    templates = {"speaker": "speaker {}", "session": "session {}", "gender": "{}", "style": "{}"}
    parts = [t.format(escape_markdown(str(row[name]))) for name, t in templates.items() if _is_known(row, name)]
    if _is_known(row, "duration_s"):
        parts.append(f"{row.duration_s:.1f} s")
    if _is_known(row, CLIP_START) and _is_known(row, CLIP_END):
        parts.append(f"{format_span(row[CLIP_START], row[CLIP_END])} of {escape_markdown(PurePath(row.path).name)}")
    if _is_known(row, "true_share"):
        parts.append(f"{row.true_share:.0%} of {row.segments:.0f} segments name the true class")
    line = " · ".join(parts)
    return f"“{escape_markdown(row.text)}”  \n{line}" if _is_known(row, "text") else line


def level_text(level: SpanLevel, start_s: float, end_s: float) -> str:
    """Say how loud the most confident segment is, and how much of it is silent."""
    db = f"{level.rms_db:.0f}".replace("-", "−")
    return (
        f":small[The most confident segment, {start_s:.2f}–{end_s:.2f} s, has a level of {db} dB, where "
        f"0 is full scale, and is {level.silent_share:.0%} silent, that is 25 dB below the clip's loudest 20 ms.]"
    )


def _is_known(row: pd.Series, name: str) -> bool:
    return name in row and pd.notna(row[name]) and str(row[name]) != ""
