"""Two runs on the same clips: who is right where, as a table and as a chart."""

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from segser_core.figures import finish, text_on
from segser_core.metrics import indices

if TYPE_CHECKING:
    import pandas as pd

# From both right to both wrong: dark to light blue, then the two that tell the models apart; Okabe and Ito's.
COLOURS = {"both": "#0072B2", "only_first": "#E69F00", "only_second": "#CC79A7", "none": "#8C8C8C"}
PATTERNS = {"both": "", "only_first": "/", "only_second": "\\", "none": "x"}
WRONG = {"both": None, "only_first": "other", "only_second": "this", "none": "both"}  # as `selection.Filter` has it
ROW_PX, FRAME_PX = 38, 110


def outcomes(table: "pd.DataFrame", labels: tuple[str, ...]) -> "pd.DataFrame":
    """How many clips of each class both runs, one of them or none of them have right.

    Args:
        table: of `clips.clip_table` with another run; clips that the other run lacks are left out.
        labels: the classes, in order.

    Returns:
        A row a class, indexed by it, with the counts `both`, `only_first`, `only_second` and `none`.
    """
    import pandas as pd

    paired = table[table.other_correct.notna()]
    first, second = paired.correct.to_numpy(bool), paired.other_correct.to_numpy(bool)
    place = indices(paired.label, labels)
    which = {"both": first & second, "only_first": first & ~second, "only_second": ~first & second}
    which["none"] = ~first & ~second
    counts = {name: np.bincount(place[rows], minlength=len(labels)) for name, rows in which.items()}
    return pd.DataFrame(counts, index=pd.Index(labels, name="true class"))


def outcomes_figure(counts: "pd.DataFrame", first: str, second: str) -> go.Figure:
    """Each class as one bar of all its clips, parted by who is right; `customdata` = [class, outcome].

    Args:
        counts: of `outcomes`.
        first, second: what the runs are called.
    """
    names = {"both": "both right", "only_first": f"only {first}", "only_second": f"only {second}", "none": "both wrong"}
    shares = counts.div(counts.sum(axis=1).clip(lower=1), axis=0)
    figure = go.Figure([_part(counts, shares, outcome, name) for outcome, name in names.items()])
    figure.update_layout(
        barmode="stack",
        bargap=0.25,
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        uniformtext={"minsize": 11, "mode": "hide"},
    )
    figure.update_xaxes(title="share of the class's clips", range=[0, 1], tickformat=".0%", fixedrange=True)
    figure.update_yaxes(autorange="reversed", ticksuffix=" ", fixedrange=True)
    return finish(figure, height=ROW_PX * len(counts) + FRAME_PX)


def _part(counts: "pd.DataFrame", shares: "pd.DataFrame", outcome: str, name: str) -> go.Bar:
    colour = COLOURS[outcome]
    return go.Bar(
        x=shares[outcome],
        y=counts.index,
        orientation="h",
        name=name,
        marker={"color": colour, "pattern": {"shape": PATTERNS[outcome], "size": 6, "solidity": 0.15}},
        text=[str(n) if n else "" for n in counts[outcome]],
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        textfont_color=text_on(colour),
        customdata=[[label, outcome] for label in counts.index],
        hovertemplate=f"%{{y}}, {name}: %{{text}} clips (%{{x:.0%}})<extra></extra>",
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
    )
