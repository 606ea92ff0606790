"""What the page of mistakes says of clips."""

import pandas as pd

from pages.shared.text.common import plain
from segser_core.audio.levels import Level


def heard(label: str, confidence: float, true: str) -> str:
    """What a model hears, how surely, and whether that is the true class."""
    return f"{label} {confidence:.2f} {'✓' if label == true else '✗'}"


def count(found: int, of: int, seeds: int, opening: bool) -> str:
    """How many clips a filter lets through, and what the page opens with."""
    what = "clips" if seeds == 1 else f"rows, one for each clip and each of {seeds} seeds"
    return f"**{found}** of {of} {what}" + (": the wrong ones, the most confident first" if opening else "")


def of_clip(row: pd.Series) -> str:
    """Who says what in a clip, how long it is, and what its segments say of its class, as known."""
    names = {"speaker": "speaker {}", "session": "session {}", "gender": "{}", "style": "{}"}
    parts = [said.format(plain(str(row[name]))) for name, said in names.items() if _known(row, name)]
    if _known(row, "duration_s"):
        parts.append(f"{row.duration_s:.1f} s")
    if _known(row, "true_share"):
        parts.append(f"{row.true_share:.0%} of {row.segments:.0f} segments name the true class")
    line = " · ".join(parts)
    return f"“{plain(row.text)}”  \n{line}" if _known(row, "text") else line


def level(found: Level, start_s: float, end_s: float) -> str:
    """How loud the most confident segment is."""
    db = f"{found.rms_db:.0f}".replace("-", "−")
    return (
        f":small[The most confident segment, {start_s:.2f}–{end_s:.2f} s, has a level of {db} dB, where "
        f"0 is full scale, and is {found.silent_share:.0%} silent, that is 25 dB below the clip's loudest 20 ms.]"
    )


def _known(row: pd.Series, name: str) -> bool:
    return name in row and pd.notna(row[name]) and str(row[name]) != ""
