"""A prediction to take along, as JSON, CSV or Praat TextGrid."""

import re
from pathlib import PurePath

import streamlit as st
from segser_core.exports import to_csv, to_json, to_textgrid

from segser_core.prediction import Prediction


def offer(prediction: Prediction) -> None:
    """Three buttons; each file is made when its button is pressed."""
    stem = re.sub(r"[^\w.-]+", "_", PurePath(prediction.file).stem)[:80] or "recording"
    formats = {
        "CSV": ("csv", "text/csv", lambda: to_csv([prediction])),
        "JSON": ("json", "application/json", lambda: to_json([prediction])),
        "TextGrid": ("TextGrid", "text/plain", lambda: to_textgrid(prediction)),
    }
    with st.container(horizontal=True, vertical_alignment="center"):
        for name, (ending, mime, content) in formats.items():
            st.download_button(
                name,
                content,
                f"{stem}.{ending}",
                mime,
                icon=":material/download:",
                on_click="ignore",
                key=f"get-{ending}",
            )
