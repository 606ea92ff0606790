"""The toolbar of every chart: as what and under which name the camera saves a picture."""

from typing import Any

import streamlit as st

FORMATS = {"png": "PNG", "svg": "SVG"}


def choose_picture() -> None:
    """As what the camera over each chart saves it; once on a page."""
    st.session_state.setdefault("picture", "png")
    st.segmented_control(
        "The camera over a chart saves it as",
        list(FORMATS),
        key="picture",
        format_func=FORMATS.__getitem__,
        required=True,
        persist_state="session",
    )


def toolbar(name: str) -> dict[str, Any]:
    """Settings of every chart's toolbar: no logo, and what the camera saves under which name (without its ending)."""
    picture = st.session_state.get("picture", "png")
    camera = {"format": picture, "filename": name, "scale": 2 if picture == "png" else 1}
    return {"displaylogo": False, "toImageButtonOptions": camera}
