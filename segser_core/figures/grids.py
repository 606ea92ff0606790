"""Draw shares of clips as grids of cells that can be clicked: confusions, and recall by class and group.

Shades are of one colour that leaves the page's text legible on a light and on a dark page alike. Cells carry
`customdata` = [place of the row in its table].
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from segser_core.figures.style import (
    AXES_PX,
    AXIS_PX,
    FONT_PX,
    INK,
    TITLE_PX,
    UNCHANGED,
    apply_style,
    label_width_px,
    wrap_label,
)
from segser_core.formatting import percent, signed_points

if TYPE_CHECKING:
    import pandas as pd


CELL_PX = 44
SHADE_RGB, AGAINST_RGB = (42, 140, 171), (186, 110, 24)
MOST_OPAQUE = 0.75  # text in the page's own colour has a contrast of 4.5 or more on this, light and dark
WIDE_DIFFERENCE = 0.3  # a difference of this or more has the fullest shade


def confusion_figure(table: "pd.DataFrame", labels: Sequence[str]) -> go.Figure:
    """Draw confusions, a row a true class; correct cells are framed.

    Args:
        table: of `score_tables.confusion_table`.
        labels: the classes, in order.
    """
    texts = [f"{_whole(s)}<br>{n}" if n else "" for s, n in zip(table.share, table.clips, strict=True)]
    hovers = [
        f"{a} taken for <b>{b}</b>: {n} clips<br>{percent(s)} % of the {a} ones"
        for a, b, n, s in zip(table.label, table.predicted, table.clips, table.share, strict=True)
    ]
    shades = [_shade(s) for s in table.share]
    figure = go.Figure(_cells(table.predicted, table.label, shades, (texts, hovers)))
    figure.data[0].marker.line.width = [2.5 * (a == b) for a, b in zip(table.label, table.predicted, strict=True)]
    return _as_grid(figure, list(labels), list(labels), ("predicted", "true class"))


def recall_grid_figure(table: "pd.DataFrame", labels: Sequence[str], other: "pd.DataFrame | None" = None) -> go.Figure:
    """Draw recall of each class in each group, with the number of clips below each; or a difference.

    Args:
        table: of `breakdown.breakdown`.
        labels: the classes, in order.
        other: the same of another run, whose recall is taken away from the first one's.
    """
    groups = list(dict.fromkeys(table.group))
    values = table.recall.to_numpy(float)
    if other is not None:
        theirs = other.set_index(["group", "label"]).recall
        values = values - theirs.reindex(zip(table.group, table.label, strict=True)).to_numpy(float)
    shown = [_whole(v) if other is None else _whole_points(v) for v in values]
    texts = [f"{v}<br>{n}" if n else "–" for v, n in zip(shown, table.clips, strict=True)]
    hovers = [_breakdown_hover(row, v, other is None) for row, v in zip(table.to_dict("records"), values, strict=True)]
    shades = [_shade(v if other is None else v / WIDE_DIFFERENCE) for v in values]
    figure = go.Figure(_cells(table.label, table.group, shades, (texts, hovers)))
    return _as_grid(figure, list(labels), groups, ("true class", ""))


def _breakdown_hover(row: Mapping[str, Any], value: float, of_one: bool) -> str:
    if not row["clips"]:
        return f"<b>{row['label']}</b>, {row['group']}<br>no clip"
    if not of_one:
        return f"<b>{row['label']}</b>, {row['group']}<br>{signed_points(value)} points, {row['clips']} clips"
    sure = f"95 %: {percent(row['low'])} to {percent(row['high'])}"
    return f"<b>{row['label']}</b>, {row['group']}<br>{percent(value)} % of {row['clips']} clips<br>{sure}"


def _cells(x: "pd.Series", y: "pd.Series", shades: list[str], said: tuple[list[str], list[str]]) -> go.Bar:
    """Draw cells as bars from one column's edge to the next: unlike those of a heat map, they report clicks."""
    columns = {name: i for i, name in enumerate(dict.fromkeys(x))}
    return go.Bar(
        base=[columns[name] - 0.48 for name in x],
        x=[0.96] * len(x),
        y=list(y),
        width=0.94,
        orientation="h",
        marker={"color": shades, "line": {"color": INK, "width": 0.5}},
        text=said[0],
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        textfont_size=FONT_PX,
        constraintext="none",
        customdata=[[i] for i in range(len(x))],
        hovertext=said[1],
        hovertemplate="%{hovertext}<extra></extra>",
        showlegend=False,
        selected=UNCHANGED,
        unselected=UNCHANGED,
    )


def _as_grid(figure: go.Figure, columns: list[str], rows: list[str], titles: tuple[str, str]) -> go.Figure:
    texts = [wrap_label(row) for row in rows]
    figure.update_xaxes(
        title=titles[0],
        side="top",
        tickvals=list(range(len(columns))),
        ticktext=columns,
        range=[-0.52, len(columns) - 0.48],
        autotickangles=[0, -90],
        showgrid=False,
        zeroline=False,
        fixedrange=True,
    )
    figure.update_yaxes(
        title=titles[1] or None,
        type="category",
        categoryorder="array",
        categoryarray=rows[::-1],
        tickmode="array",
        tickvals=rows,
        ticktext=[f"{text} " for text in texts],
        showgrid=False,
        zeroline=False,
        fixedrange=True,
    )
    figure.update_layout(bargap=0, barmode="overlay")
    left_px = label_width_px(texts) + (TITLE_PX if titles[1] else 0)
    return apply_style(figure, CELL_PX * len(rows) + AXES_PX, left_px=left_px, top_px=AXIS_PX)


def _shade(share: float) -> str:
    """Shade a cell: the fuller the larger the share, and another colour below zero; none where it is NaN."""
    if share != share:
        return "rgba(0, 0, 0, 0)"
    red, green, blue = SHADE_RGB if share >= 0 else AGAINST_RGB
    return f"rgba({red}, {green}, {blue}, {MOST_OPAQUE * min(abs(share), 1):.3f})"


def _whole(share: float) -> str:
    return f"{100 * share:.0f}" if share == share else "–"


def _whole_points(share: float) -> str:
    return f"{100 * share:+.0f}".replace("-", "−") if share == share else "–"
