"""Downloads of the selected clips: a CSV with notes and tags, or a TextGrid or ELAN file for each."""

from collections.abc import Iterator

import pandas as pd
import streamlit as st

from pages.shared.clips.clip_list import ClipKey, clip_keys
from pages.shared.runs.run_choice import RunChoice
from pages.shared.text.common import escape_markdown
from segser_core.errors import SegserError
from segser_core.prediction import exports
from segser_core.prediction.prediction import Prediction
from segser_core.runs import replay
from segser_core.runs.notes import Note, add_notes

MAX_EXPORTED = 500
EXPORT_FORMATS = {".TextGrid": "TextGrid (Praat)", ".eaf": "ELAN"}
ZIP_KEY = "made-zip"


def offer_clip_exports(selected: pd.DataFrame, choice: RunChoice, notes: dict[str, Note]) -> None:
    """Show the downloads of the selected clips."""
    with st.popover("Export", icon=":material/download:", width="stretch"):
        st.download_button(
            f"CSV of all {len(selected)} rows",
            lambda: exports.clips_to_csv(add_notes(selected, notes)),
            "clips.csv",
            "text/csv",
            icon=":material/table:",
            on_click="ignore",
            help="With every column of the run, notes and tags",
        )
        if choice.run.segments is None:
            lacking = f"{choice.run.name} has no segments, so there is no TextGrid or ELAN file."
            st.caption(escape_markdown(lacking))
            return
        _offer_zip(selected, choice)


def _offer_zip(selected: pd.DataFrame, choice: RunChoice) -> None:
    """Offer one file a clip, in a ZIP that is made when asked for."""
    ending = st.segmented_control(
        "A file for each clip",
        list(EXPORT_FORMATS),
        default=".TextGrid",
        format_func=EXPORT_FORMATS.__getitem__,
        required=True,
    )
    assert ending is not None  # since one is required
    keys = clip_keys(selected)[:MAX_EXPORTED]
    if len(selected) > MAX_EXPORTED:
        st.caption(f"The first {MAX_EXPORTED} in this order; narrow the filter for the others.")
    wanted = (ending, str(choice.run.path), choice.rule, tuple(keys))
    if st.button(f"Make {len(keys)} files", icon=":material/folder_zip:"):
        st.session_state[ZIP_KEY] = (wanted, _make_zip(choice, keys, ending))
    made_of, content = st.session_state.get(ZIP_KEY, (None, None))
    if made_of == wanted and content is not None:
        label, file = f"Download ZIP: {EXPORT_FORMATS[ending]}", f"clips{ending}.zip"
        st.download_button(label, content, file, "application/zip", icon=":material/download:")


def _make_zip(choice: RunChoice, keys: list[ClipKey], ending: str) -> bytes | None:
    bar = st.progress(0.0)
    try:
        return exports.to_zip(_replay_with_progress(choice, keys, bar), ending)
    except SegserError as error:
        st.error(escape_markdown(str(error)))
        return None
    finally:
        bar.empty()


def _replay_with_progress(choice: RunChoice, keys: list[ClipKey], bar) -> Iterator[tuple[str, Prediction]]:
    several = len(choice.run.seeds) > 1
    for done, (name, seed, prediction) in enumerate(replay.replay_predictions(choice.run, keys, choice.rule)):
        bar.progress(done / len(keys), text=f"{done} of {len(keys)} files")
        yield (f"{name}-seed{seed}" if several else name), prediction
