"""Downloads of predictions as CSV, JSON, Parquet, Praat TextGrid and ELAN: of one recording, or of all at once."""

import re
from collections.abc import Callable, Sequence
from pathlib import PurePath

import streamlit as st

from segser_core.prediction.exports import EXPORTS, to_zip
from segser_core.prediction.prediction import Prediction

FORMAT_TITLES = {"csv": "CSV", "json": "JSON", "parquet": "Parquet", "textgrid": "TextGrid", "elan": "ELAN"}
MIME_TYPES = {
    "csv": "text/csv",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
    "textgrid": "text/plain",
    "elan": "text/xml",
}
ZIPPED_FORMATS = ("textgrid", "elan")  # formats of one recording a file; several files go into a ZIP archive


def offer_downloads(shown: Prediction, predictions: Sequence[Prediction] = ()) -> None:
    """Show buttons to download predictions; a file is made when its button is pressed.

    Args:
        shown: of the recording that is shown.
        predictions: of all recordings; there are buttons for all where there are several.
    """
    several = len(predictions) > 1
    with st.container(horizontal=True, vertical_alignment="center"):
        if several:
            st.markdown("This recording", width="content")
        for name, title in FORMAT_TITLES.items():
            file = file_stem(shown) + EXPORTS[name].ending
            _button(title, _content(name, [shown]), file=file, mime=MIME_TYPES[name], key=f"get-{name}")
    if several:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"All {len(predictions)} recordings", width="content")
            for name in FORMAT_TITLES:
                _offer_all(name, predictions)


def _offer_all(name: str, predictions: Sequence[Prediction]) -> None:
    title, key = FORMAT_TITLES[name], f"get-all-{name}"
    if name in ZIPPED_FORMATS:
        file = f"segser-{name}.zip"
        _button(
            f"{title} (ZIP)", lambda: zip_predictions(name, predictions), file=file, mime="application/zip", key=key
        )
    else:
        file = f"segser{EXPORTS[name].ending}"
        _button(title, _content(name, predictions), file=file, mime=MIME_TYPES[name], key=key)


def _button(label: str, content: Callable[[], str | bytes], *, file: str, mime: str, key: str) -> None:
    st.download_button(label, content, file, mime, icon=":material/download:", on_click="ignore", key=key)


def _content(name: str, predictions: Sequence[Prediction]) -> Callable[[], str | bytes]:
    return lambda: EXPORTS[name].content(predictions)


def zip_predictions(name: str, predictions: Sequence[Prediction]) -> bytes:
    """Pack predictions as a ZIP archive with a file a recording, in the format of that name."""
    return to_zip(((file_stem(p), p) for p in predictions), EXPORTS[name].ending)


def file_stem(prediction: Prediction) -> str:
    """Reduce a recording's name to letters, digits, dots and hyphens, without its ending."""
    return re.sub(r"[^\w.-]+", "_", PurePath(prediction.file).stem)[:80] or "recording"
