"""Two runs on the same clips: who is right where, as a table and as a chart."""

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from segser_core.drawing import AXIS_PX, LEGEND_LINE_PX, UNCHANGED, finish, names_px, text_on
from segser_core.metrics import indices
from segser_core.runs.clip_filter import Filter

if TYPE_CHECKING:
    import pandas as pd

OUTCOMES = ("both right", "only first right", "only second right", "both wrong")
COLOURS = ("#2A8CAB", "#BFE3EE", "#56467F", "#B8403A")  # no emotion has these; neighbours differ in lightness
PATTERNS = ("", "/", "\\", "x")
PATTERN = {"fillmode": "overlay", "fgopacity": 0.25, "size": 8, "solidity": 0.12}
WRONG = ("neither", "other", "this", "both")  # as `selection.Filter` has it
ROW_PX, FRAME_PX = 38, 110


def outcomes(table: "pd.DataFrame", labels: tuple[str, ...]) -> "pd.DataFrame":
    """How many clips of each class both runs, one of them or none of them have right.

    Args:
        table: of `clips.clip_table` with another run; clips that the other run lacks are left out.
        labels: the classes, in order.

    Returns:
        A row a class and outcome: `label`, `outcome`, `clips`, and `share` of the class's clips, 0 to 1.
    """
    import pandas as pd

    paired = table[table.other_correct.notna()]
    which = 2 * (~paired.correct.to_numpy(bool)) + ~paired.other_correct.to_numpy(bool)  # the place in OUTCOMES
    cells = indices(paired.label, labels) * len(OUTCOMES) + which
    counts = np.bincount(cells, minlength=len(labels) * len(OUTCOMES)).reshape(len(labels), len(OUTCOMES))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = {"label": np.repeat(labels, len(OUTCOMES)), "outcome": np.tile(OUTCOMES, len(labels))}
    return pd.DataFrame({**names, "clips": counts.ravel(), "share": shares.ravel()})


def filter_of(label: str, outcome: str) -> Filter:
    """The clips behind a row of `outcomes`."""
    return Filter(label=label, wrong=WRONG[OUTCOMES.index(outcome)])


def outcomes_figure(found: "pd.DataFrame", first: str, second: str) -> go.Figure:
    """Each class as one bar of all its clips, parted by who is right; `customdata` = [row of the table].

    Args:
        found: of `outcomes`.
        first, second: what the runs are called.
    """
    names = ("both right", f"only {first} right", f"only {second} right", "both wrong")
    parts = zip(OUTCOMES, names, COLOURS, PATTERNS, strict=True)
    figure = go.Figure([_part(found[found.outcome == o], name, colour, shape) for o, name, colour, shape in parts])
    figure.update_layout(
        barmode="stack",
        bargap=0.25,
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        uniformtext={"minsize": 11, "mode": "hide"},
    )
    figure.update_xaxes(title="share of the class's clips", range=[0, 1.03], tickformat=".0%", fixedrange=True)
    figure.update_yaxes(autorange="reversed", ticksuffix=" ", fixedrange=True)
    left_px, height = names_px(found.label.unique()), ROW_PX * found.label.nunique() + FRAME_PX
    return finish(figure, height, left_px=left_px, top_px=LEGEND_LINE_PX, bottom_px=AXIS_PX)


def _part(rows: "pd.DataFrame", name: str, colour: str, shape: str) -> go.Bar:
    return go.Bar(
        x=rows.share,
        y=rows.label,
        orientation="h",
        name=name,
        marker={"color": colour, "pattern": PATTERN | {"shape": shape, "fgcolor": text_on(colour)}},
        text=[str(n) if n else "" for n in rows.clips],
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        textfont_color=text_on(colour),
        customdata=[[row] for row in rows.index],
        hovertemplate=f"%{{y}}, {name}: %{{text}} clips (%{{x:.0%}})<extra></extra>",
        selected=UNCHANGED,
        unselected=UNCHANGED,
    )
