"""How loud and how silent the surest segments of the shown clips are, where their recordings are at hand."""

import pandas as pd
import streamlit as st

from pages.shared.clips.clip_list import keys_of
from pages.shared.runs.sound import sound_file
from pages.shared.text import common
from segser_core.audio.levels import Level, level_of
from segser_core.audio.loading import load_audio
from segser_core.errors import AudioError
from segser_core.runs.run import Run

MOST = 200
LEVELS = "clip-levels"


def levels_of(shown: pd.DataFrame, run: Run) -> pd.DataFrame:
    """The shown clips with what was measured of them in this session: `level_db` and `silent_share`."""
    known = _known(run)
    found = [known.get(key) for key in keys_of(shown)]
    if not any(found):
        return shown
    return shown.assign(
        level_db=[level.rms_db if level else None for level in found],
        silent_share=[level.silent_share if level else None for level in found],
    )


def offer_levels(shown: pd.DataFrame, run: Run) -> list:
    """A button to measure them; the rows to measure once it was pressed. None where the recordings are not at hand."""
    if "surest_from_s" not in shown or "path" not in shown:
        return []
    known = _known(run)
    waiting = [row for row, key in zip(shown.itertuples(), keys_of(shown), strict=True) if key not in known][:MOST]
    if not waiting or not isinstance(waiting[0].path, str) or sound_file(run, waiting[0].path) is None:
        return []
    pressed = st.button(
        f"Measure the loudness of {len(waiting)} clips",
        icon=":material/graphic_eq:",
        type="tertiary",
        help="Adds level and silence of each clip's most confident segment to the table",
    )
    return waiting if pressed else []


def measure(waiting: list, run: Run) -> None:
    """Measure these rows, with progress, and show the page anew."""
    if not waiting:
        return
    known, bar = _known(run), st.progress(0.0)
    for done, row in enumerate(waiting):
        bar.progress(done / len(waiting), text=f"{done} of {len(waiting)} clips")
        known[row.utterance_id, row.seed] = _measured(run, row)
    st.session_state["unheard"] = [r.utterance_id for r in waiting if known[r.utterance_id, r.seed] is None]
    st.rerun()


def say_unheard() -> None:
    """Which clips could not be measured, once."""
    if unheard := st.session_state.pop("unheard", None):
        st.caption(common.plain(f"{len(unheard)} clips have no recording that can be read, {unheard[0]} among them."))


def _measured(run: Run, row) -> Level | None:
    file = sound_file(run, row.path) if isinstance(row.path, str) else None
    if file is None:
        return None
    try:
        return level_of(load_audio(file), row.surest_from_s, row.surest_to_s)
    except AudioError:
        return None


def _known(run: Run) -> dict[tuple[str, int], Level | None]:
    """What was measured of a run in this session; None for a clip that cannot be heard."""
    return st.session_state.setdefault(LEVELS, {}).setdefault(str(run.path), {})
