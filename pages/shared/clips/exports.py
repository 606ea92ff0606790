"""The selected clips to take along: a CSV with notes and tags, or a TextGrid or ELAN file for each."""

from collections.abc import Iterator

import pandas as pd
import streamlit as st

from pages.shared.clips.clip_list import keys_of
from pages.shared.runs.run_picker import Choice
from pages.shared.text import common
from segser_core.errors import SegserError
from segser_core.prediction import exports
from segser_core.prediction.prediction import Prediction
from segser_core.runs import replay
from segser_core.runs.notes import Note, with_notes

MOST_FILES = 500
FORMATS = {".TextGrid": "TextGrid (Praat)", ".eaf": "ELAN"}
MADE = "made-zip"


def offer_exports(found: pd.DataFrame, choice: Choice, notes: dict[str, Note]) -> None:
    """What can be downloaded of a selection."""
    with st.popover("Export", icon=":material/download:", width="stretch"):
        st.download_button(
            f"CSV of all {len(found)} rows",
            lambda: exports.rows_csv(with_notes(found, notes)),
            "clips.csv",
            "text/csv",
            icon=":material/table:",
            on_click="ignore",
            help="With every column of the run, notes and tags",
        )
        if choice.run.segments is None:
            st.caption(common.plain(f"{choice.run.name} has no segments, so there is no TextGrid or ELAN file."))
            return
        _offer_files(found, choice)


def _offer_files(found: pd.DataFrame, choice: Choice) -> None:
    """One file a clip, in a ZIP that is made when asked for."""
    ending = st.segmented_control(
        "A file for each clip", list(FORMATS), default=".TextGrid", format_func=FORMATS.get, required=True
    )
    keys = keys_of(found)[:MOST_FILES]
    if len(found) > MOST_FILES:
        st.caption(f"The first {MOST_FILES} in this order; narrow the filter for the others.")
    wanted = (ending, str(choice.run.path), choice.rule, tuple(keys))
    if st.button(f"Make {len(keys)} files", icon=":material/folder_zip:"):
        st.session_state[MADE] = (wanted, _made(choice, keys, ending))
    made_of, content = st.session_state.get(MADE, (None, None))
    if made_of == wanted and content is not None:
        label, file = f"Download ZIP: {FORMATS[ending]}", f"clips{ending}.zip"
        st.download_button(label, content, file, "application/zip", icon=":material/download:")


def _made(choice: Choice, keys: list[tuple[str, int]], ending: str) -> bytes | None:
    bar = st.progress(0.0)
    try:
        return exports.to_zip(_with_progress(choice, keys, bar), ending)
    except SegserError as error:
        st.error(common.plain(str(error)))
        return None
    finally:
        bar.empty()


def _with_progress(choice: Choice, keys: list[tuple[str, int]], bar) -> Iterator[tuple[str, Prediction]]:
    several = len(choice.run.seeds) > 1
    for done, (name, seed, said) in enumerate(replay.predictions_of(choice.run, keys, choice.rule)):
        bar.progress(done / len(keys), text=f"{done} of {len(keys)} files")
        yield (f"{name}-seed{seed}" if several else name), said
