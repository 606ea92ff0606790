"""Style shared by all figures: ground, text, colours, symbols, and the room that names take."""

import re
from collections.abc import Iterable
from textwrap import wrap

import numpy as np
import plotly.graph_objects as go

FONT_PX = 13
TOOLBAR_PX = 28
AXES_PX = 96  # both axes of a chart whose rows are counted
AXIS_PX, NUMBERS_PX, LEGEND_LINE_PX = 54, 63, 30  # a titled axis below or above, one of numbers at the left, a line
LETTER_PX, BOLD_PX, NAMES_APART_PX, TITLE_PX, TITLE_LINE_PX = 7.0, 8.3, 9, 33, 17
INK = "#767676"  # stands out by 4:1 or more from white and from the dark page alike
PAPER, TEXT, CLEAR = "#FFFFFF", "#1C2429", "rgba(0,0,0,0)"
FAMILY = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', 'DejaVu Sans', sans-serif"
_AXIS = {
    "automargin": True,
    "gridcolor": "rgba(118,118,118,0.25)",
    "zerolinecolor": INK,
    "linecolor": INK,
    "title": {"font": {"size": FONT_PX}, "standoff": 12},
}
# A picture that is saved has dark text on white, whatever the page's theme. A page that shows the figure lets its own
# ground and its own colour of text through.
TEMPLATE = go.layout.Template(
    layout={
        "paper_bgcolor": PAPER,
        "plot_bgcolor": CLEAR,
        "font": {"family": FAMILY, "size": FONT_PX, "color": TEXT},
        "hoverlabel": {"bgcolor": PAPER, "bordercolor": INK, "font": {"size": FONT_PX, "color": TEXT}},
        "legend": {"bgcolor": CLEAR},
        "modebar": {"bgcolor": CLEAR, "color": INK, "activecolor": INK},
        "xaxis": _AXIS,
        "yaxis": _AXIS | {"ticklabelstandoff": 4},
    }
)
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "triangle-down", "star", "cross") + ("hexagon",) * 4
NO_SPEECH_COLOUR = "#C9CCD1"  # grey: no emotion has it
UNCHANGED = {"marker": {"opacity": 1}}  # a click leaves the other bars as they are
LINE_CHARACTERS = 18  # of a name beside a row, so that the row keeps its room on a narrow screen


def apply_style(
    figure: go.Figure,
    height: int,
    toolbar_px: int = TOOLBAR_PX,
    left_px: int = 0,
    top_px: int = 0,
    bottom_px: int = 0,
) -> go.Figure:
    """Apply the shared style: template, height in pixels, room for the toolbar.

    Args:
        figure: to be finished.
        height, toolbar_px: in pixels.
        left_px, top_px, bottom_px: what axes and legend take, where it is known. Plotly gives them what they need in
            any case, but finds it by drawing everything a second time.
    """
    figure.update_layout(
        height=height + toolbar_px,
        margin={"l": left_px, "r": 8, "t": max(toolbar_px, top_px), "b": bottom_px},
        template=TEMPLATE,
    )
    return figure


def label_width_px(names: Iterable[str]) -> int:
    """Estimate the width of names beside an axis, in pixels, in most fonts; they may hold <b> and <br>."""
    lines = [line for name in names for line in name.split("<br>")]
    widths = [len(re.sub("<[^>]*>", "", line)) * (BOLD_PX if "<b>" in line else LETTER_PX) for line in lines]
    return round(max(widths, default=0)) + NAMES_APART_PX


def wrap_label(name: str) -> str:
    """Wrap a long name beside a row in lines."""
    return " <br>".join(wrap(name, LINE_CHARACTERS))


def contrasting_text_colour(colour: str) -> str:
    """Choose black or white, whichever is easier to read on a colour (#RRGGBB); relative luminance as in WCAG 2."""
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return "#000000" if linear @ (0.2126, 0.7152, 0.0722) > 0.179 else "#FFFFFF"
