"""Draw who of two runs is right, by class."""

from typing import TYPE_CHECKING

import plotly.graph_objects as go

from segser_core.figures.style import (
    AXIS_PX,
    LEGEND_LINE_PX,
    UNCHANGED,
    apply_style,
    contrasting_text_colour,
    label_width_px,
)

if TYPE_CHECKING:
    import pandas as pd
from segser_core.statistics.outcomes import OUTCOMES

OUTCOME_COLOURS = ("#2A8CAB", "#BFE3EE", "#56467F", "#B8403A")  # no emotion has these; neighbours differ in lightness
PATTERNS = ("", "/", "\\", "x")
PATTERN = {"fillmode": "overlay", "fgopacity": 0.25, "size": 8, "solidity": 0.12}
ROW_PX, FRAME_PX = 38, 110


def outcomes_figure(found: "pd.DataFrame", first: str, second: str) -> go.Figure:
    """Draw each class as one bar of all its clips, split by who is right; `customdata` = [row of the table].

    Args:
        found: of `outcomes`.
        first, second: what the runs are called.
    """
    names = ("both right", f"only {first} right", f"only {second} right", "both wrong")
    parts = zip(OUTCOMES, names, OUTCOME_COLOURS, PATTERNS, strict=True)
    figure = go.Figure([_part(found[found.outcome == o], name, colour, shape) for o, name, colour, shape in parts])
    figure.update_layout(
        barmode="stack",
        bargap=0.25,
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        uniformtext={"minsize": 11, "mode": "hide"},
    )
    figure.update_xaxes(title="share of the class's clips", range=[0, 1.03], tickformat=".0%", fixedrange=True)
    figure.update_yaxes(autorange="reversed", ticksuffix=" ", fixedrange=True)
    left_px, height = label_width_px(found.label.unique()), ROW_PX * found.label.nunique() + FRAME_PX
    return apply_style(figure, height, left_px=left_px, top_px=LEGEND_LINE_PX, bottom_px=AXIS_PX)


def _part(rows: "pd.DataFrame", name: str, colour: str, shape: str) -> go.Bar:
    return go.Bar(
        x=rows.share,
        y=rows.label,
        orientation="h",
        name=name,
        marker={"color": colour, "pattern": PATTERN | {"shape": shape, "fgcolor": contrasting_text_colour(colour)}},
        text=[str(n) if n else "" for n in rows.clips],
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        textfont_color=contrasting_text_colour(colour),
        customdata=[[row] for row in rows.index],
        hovertemplate=f"%{{y}}, {name}: %{{text}} clips (%{{x:.0%}})<extra></extra>",
        selected=UNCHANGED,
        unselected=UNCHANGED,
    )
