"""Level and silence of the most confident segments of the listed clips, where their recordings are at hand."""

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from pages.shared.clips.clip_list import ClipKey, clip_keys
from pages.shared.runs.sound import clip_corpus, clip_source, find_clip_file
from pages.shared.text.common import escape_markdown
from segser_core.audio.levels import SpanLevel, measure_level
from segser_core.audio.loading import load_audio
from segser_core.errors import AudioError
from segser_core.runs.run import Run

MAX_MEASURED = 200  # clips at a click
LEVELS_KEY, UNREADABLE_KEY = "clip-levels", "unheard"


def add_levels(clips: pd.DataFrame, run: Run) -> pd.DataFrame:
    """Add the levels that were measured in this session as `level_db` and `silent_share`."""
    measured = _measured_levels(run)
    levels = [measured.get(key) for key in clip_keys(clips)]
    if not any(levels):
        return clips
    return clips.assign(
        level_db=[level.rms_db if level else None for level in levels],
        silent_share=[level.silent_share if level else None for level in levels],
    )


def offer_measurement(clips: pd.DataFrame, run: Run) -> list[Any]:
    """Show a button that measures levels, where the recordings are at hand.

    Returns:
        The rows to measure, once it was pressed.
    """
    if "surest_from_s" not in clips or "path" not in clips:
        return []
    measured = _measured_levels(run)
    rows = zip(clips.itertuples(), clip_keys(clips), strict=True)
    waiting: list[Any] = [row for row, key in rows if key not in measured][:MAX_MEASURED]
    if not waiting or _clip_file(run, waiting[0]) is None:
        return []
    pressed = st.button(
        f"Measure the loudness of {len(waiting)} clips",
        icon=":material/graphic_eq:",
        type="tertiary",
        help="Adds level and silence of each clip's most confident segment to the table",
    )
    return waiting if pressed else []


def measure_levels(waiting: list[Any], run: Run) -> None:
    """Measure these rows, behind a progress bar, and draw the page anew."""
    if not waiting:
        return
    measured, bar = _measured_levels(run), st.progress(0.0)
    for done, row in enumerate(waiting):
        bar.progress(done / len(waiting), text=f"{done} of {len(waiting)} clips")
        measured[row.utterance_id, row.seed] = _measure_row(run, row)
    st.session_state[UNREADABLE_KEY] = [r.utterance_id for r in waiting if measured[r.utterance_id, r.seed] is None]
    st.rerun()


def report_unreadable_clips() -> None:
    """Say once how many clips could not be measured."""
    if unreadable := st.session_state.pop(UNREADABLE_KEY, None):
        count = f"{len(unreadable)} clips have no recording that can be read, {unreadable[0]} among them."
        st.caption(escape_markdown(count))


def _clip_file(run: Run, row: Any) -> Path | None:
    return find_clip_file(run, row.path, clip_corpus(row)) if isinstance(row.path, str) else None


def _measure_row(run: Run, row: Any) -> SpanLevel | None:
    file = _clip_file(run, row)
    if file is None:
        return None
    try:
        return measure_level(load_audio(clip_source(row, file)), row.surest_from_s, row.surest_to_s)
    except AudioError:
        return None


def _measured_levels(run: Run) -> dict[ClipKey, SpanLevel | None]:
    """Return a run's levels that were measured in this session; None for a clip that cannot be read."""
    return st.session_state.setdefault(LEVELS_KEY, {}).setdefault(str(run.path), {})
