"""Predictions to take along: CSV, JSON, Parquet, Praat TextGrid and ELAN; of one recording, or of all at once."""

import re
from collections.abc import Callable, Sequence
from pathlib import PurePath

import streamlit as st

from segser_core.prediction.exports import EXPORTS, to_zip
from segser_core.prediction.prediction import Prediction

NAMES = {"csv": "CSV", "json": "JSON", "parquet": "Parquet", "textgrid": "TextGrid", "elan": "ELAN"}
MIMES = {
    "csv": "text/csv",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
    "textgrid": "text/plain",
    "elan": "text/xml",
}
ONE_EACH = ("textgrid", "elan")  # formats of one recording a file; of several they go into a ZIP archive


def offer(prediction: Prediction, all_of_them: Sequence[Prediction] = ()) -> None:
    """Buttons for the recording that is shown and, where there are several, for all; a file is made when asked for."""
    several = len(all_of_them) > 1
    with st.container(horizontal=True, vertical_alignment="center"):
        if several:
            st.markdown("This recording", width="content")
        for name in NAMES:
            ending = EXPORTS[name].ending
            _button(NAMES[name], _content(name, [prediction]), stem(prediction) + ending, MIMES[name], f"get-{name}")
    if several:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"All {len(all_of_them)} recordings", width="content")
            for name in NAMES:
                _offer_all(name, all_of_them)


def _offer_all(name: str, predictions: Sequence[Prediction]) -> None:
    if name in ONE_EACH:
        label, file = f"{NAMES[name]} (ZIP)", f"segser-{name}.zip"
        _button(label, lambda: zipped(name, predictions), file, "application/zip", f"get-all-{name}")
    else:
        file = f"segser{EXPORTS[name].ending}"
        _button(NAMES[name], _content(name, predictions), file, MIMES[name], f"get-all-{name}")


def _button(label: str, content: Callable[[], str | bytes], file: str, mime: str, key: str) -> None:
    st.download_button(label, content, file, mime, icon=":material/download:", on_click="ignore", key=key)


def _content(name: str, predictions: Sequence[Prediction]) -> Callable[[], str | bytes]:
    return lambda: EXPORTS[name].content(predictions)


def zipped(name: str, predictions: Sequence[Prediction]) -> bytes:
    """A ZIP archive with a file a recording."""
    return to_zip(((stem(p), p) for p in predictions), EXPORTS[name].ending)


def stem(prediction: Prediction) -> str:
    """A recording's name without ending, of letters, digits, dots and hyphens alone."""
    return re.sub(r"[^\w.-]+", "_", PurePath(prediction.file).stem)[:80] or "recording"
