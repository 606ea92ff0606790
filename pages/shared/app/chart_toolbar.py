"""The toolbar of every chart: the format and the name of the picture that its camera saves."""

from typing import Any

import streamlit as st

IMAGE_FORMATS = {"png": "PNG", "svg": "SVG"}


def choose_image_format() -> None:
    """Show the control for the format that the camera over each chart saves; once on a page."""
    st.session_state.setdefault("picture", "png")
    st.segmented_control(
        "The camera over a chart saves it as",
        list(IMAGE_FORMATS),
        key="picture",
        format_func=IMAGE_FORMATS.__getitem__,
        required=True,
        persist_state="session",
    )


def toolbar_config(file_name: str) -> dict[str, Any]:
    """Build plotly's configuration of a toolbar: no logo, and what the camera saves.

    Args:
        file_name: of the saved picture, without its ending.
    """
    image_format = st.session_state.get("picture", "png")
    camera = {"format": image_format, "filename": file_name, "scale": 2 if image_format == "png" else 1}
    return {"displaylogo": False, "toImageButtonOptions": camera}
