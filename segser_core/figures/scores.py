"""Draw the scores of runs, from the tables of `recall_by_group` and `calibration`.

A class has its emotion's colour; two runs are told apart by filling, the first solid and the second
hatched or hollow. Bars carry `customdata` = [place of the row in its table].
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from segser_core.figures.style import (
    AXES_PX,
    AXIS_PX,
    FONT_PX,
    INK,
    LEGEND_LINE_PX,
    NUMBERS_PX,
    TITLE_LINE_PX,
    UNCHANGED,
    apply_style,
    label_width_px,
    wrap_label,
)
from segser_core.formatting import percent, signed_points
from segser_core.labels import emotion_colour
from segser_core.statistics.calibration import SEGMENT_GROUPS, Calibration

if TYPE_CHECKING:
    import pandas as pd


BAR_PX, CLASS_GAP_PX, RELIABILITY_PX = 24, 16, 330
GAP = 0.22
HATCH = {"shape": "/", "size": 7, "solidity": 0.3, "fillmode": "replace"}
LINES = ({"color": "#2A8CAB", "dash": "solid"}, {"color": INK, "dash": "dash"})
RUN_SYMBOLS = ("circle", "diamond-open")
LEGEND = {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "xanchor": "left"}


def recall_figure(table: "pd.DataFrame") -> go.Figure:
    """Draw recall of each class as bars with their intervals, runs side by side.

    Args:
        table: of `score_tables.recall_table`, of one or two runs.
    """
    runs, labels = list(table.run.unique()), list(table.label.unique())
    figure = go.Figure()
    for place, name in enumerate(runs):
        rows = table[table.run == name]
        figure.add_trace(_recall_bars(rows, place, name))
        figure.add_trace(_recall_values(rows, place))
        figure.add_trace(_legend_entry(name, place))
    figure.update_layout(barmode="group", scattermode="group", bargap=GAP, scattergap=GAP)
    figure.update_layout(legend=LEGEND | {"itemclick": False, "itemdoubleclick": False, "traceorder": "normal"})
    figure.update_xaxes(title="recall (%)", range=[0, 1.14], tickvals=np.linspace(0, 1, 6), ticktext=_tens())
    figure.update_xaxes(fixedrange=True, zeroline=False)
    clips = table.drop_duplicates("label").set_index("label").clips
    left_px = _class_axis(figure, labels, [f"<b>{c}</b><br>{clips[c]} clips" for c in labels])
    height = _class_height(labels, len(runs))
    return apply_style(figure, height, left_px=left_px, top_px=LEGEND_LINE_PX, bottom_px=AXIS_PX)


def _recall_bars(rows: "pd.DataFrame", place: int, name: str) -> go.Bar:
    colours = [emotion_colour(label) for label in rows.label]
    return go.Bar(
        x=rows.recall,
        y=rows.label,
        orientation="h",
        name=name,
        offsetgroup=str(place),
        marker={"color": colours, "line": {"color": colours, "width": 1.5}, "pattern": HATCH if place else {}},
        error_x=_reach(rows.recall, rows.low, rows.high),
        customdata=[[i] for i in rows.index],
        hovertext=[_recall_hover(name, row) for row in rows.to_dict("records")],
        hovertemplate="%{hovertext}<extra></extra>",
        showlegend=False,
        selected=UNCHANGED,
        unselected=UNCHANGED,
    )


def _recall_hover(name: str, row: Mapping[str, Any]) -> str:
    sure = f"95 %: {percent(row['low'])} to {percent(row['high'])}" if row["low"] == row["low"] else "no interval"
    return f"<b>{row['label']}</b>, {name}<br>{percent(row['recall'])} % of {row['clips']} clips found<br>{sure}"


def _recall_values(rows: "pd.DataFrame", place: int) -> go.Scatter:
    """Write the number beside each bar, right of its interval."""
    return go.Scatter(
        x=rows.high.fillna(rows.recall).fillna(0) + 0.012,
        y=rows.label,
        mode="text",
        orientation="h",
        offsetgroup=str(place),
        text=[percent(v) if v == v else "no clip" for v in rows.recall],
        textposition="middle right",
        textfont_size=FONT_PX,
        hoverinfo="skip",
        showlegend=False,
        cliponaxis=False,
    )


def _legend_entry(name: str, place: int) -> go.Bar:
    """Add a grey bar that is not drawn: in the legend, colours would mean a class."""
    return go.Bar(
        x=[None],
        y=[None],
        name=name,
        offsetgroup=str(place),
        marker={"color": INK, "line": {"color": INK, "width": 1.5}, "pattern": HATCH if place else {}},
    )


def difference_figure(table: "pd.DataFrame", first: str, second: str) -> go.Figure:
    """Draw the paired difference of each class's recall, with its interval around it and zero marked.

    Args:
        table: of `score_tables.difference_table`.
        first, second: what the runs are called; right of zero the first one finds more.
    """
    labels = list(table.label)
    value, low, high = (100 * table[name] for name in ("difference", "low", "high"))
    marks = go.Scatter(
        x=value,
        y=table.label,
        mode="markers",
        marker={"color": [emotion_colour(c) for c in labels], "size": 12, "line": {"color": INK, "width": 1.5}},
        error_x=_reach(value, low, high),
        customdata=[[i] for i in table.index],
        hovertext=[_difference_hover(row) for row in table.to_dict("records")],
        hovertemplate="%{hovertext}<extra></extra>",
        showlegend=False,
        selected=UNCHANGED,
        unselected=UNCHANGED,
    )
    figure = go.Figure(marks)
    widest = 1.08 * float(np.nanmax(np.abs([value, low, high]), initial=5))
    figure.add_vline(0, line={"color": INK, "width": 1.5, "dash": "dot"})
    figure.update_xaxes(title=f"{first} minus {second}<br>(points)", range=[-widest, widest], tickformat="+")
    figure.update_xaxes(fixedrange=True, zeroline=False, nticks=6)
    left_px = _class_axis(figure, labels, [f"<b>{wrap_label(c)}</b>" for c in labels])
    return apply_style(figure, _class_height(labels, 2), left_px=left_px, bottom_px=AXIS_PX + TITLE_LINE_PX)


def _difference_hover(row: Mapping[str, Any]) -> str:
    if row["difference"] != row["difference"]:
        return f"<b>{row['label']}</b><br>no clip"
    sure = (
        f"95 %: {signed_points(row['low'])} to {signed_points(row['high'])}"
        if row["low"] == row["low"]
        else "no interval"
    )
    return f"<b>{row['label']}</b><br>{signed_points(row['difference'])} points<br>{sure}"


def reliability_figure(found: Mapping[str, Calibration]) -> go.Figure:
    """Draw accuracy against confidence of each run, a point a bin; the dotted line is perfect calibration.

    Args:
        found: of one or two runs, by name.
    """
    figure = go.Figure()
    figure.add_shape(type="line", x0=0, y0=0, x1=1, y1=1, line={"color": INK, "width": 1.5, "dash": "dot"})
    for (name, of), line, symbol in zip(found.items(), LINES, RUN_SYMBOLS, strict=False):
        bins = [b for b in of.bins if b.count]
        sizes = np.sqrt([b.count for b in bins]) if bins else np.zeros(0)
        points = go.Scatter(
            x=[b.mean_confidence for b in bins],
            y=[b.accuracy for b in bins],
            mode="lines+markers",
            name=name,
            line=line | {"width": 2},
            marker={"symbol": symbol, "size": 7 + 15 * sizes / max(sizes.max(initial=0), 1), "opacity": 1},
            hovertext=[f"confidence {b.low:.1f} to {b.high:.1f}: {b.count} clips" for b in bins],
            hovertemplate="%{hovertext}<br>mean confidence %{x:.2f}<br>accuracy %{y:.2f}<extra></extra>",
            cliponaxis=False,
        )
        figure.add_trace(points)
    figure.update_layout(legend=LEGEND | {"itemsizing": "constant"}, hovermode="closest")
    figure.update_xaxes(title="confidence", range=[0, 1.02], fixedrange=True, zeroline=False)
    figure.update_yaxes(title="accuracy", range=[0, 1.04], fixedrange=True, zeroline=False)
    return apply_style(figure, RELIABILITY_PX, left_px=NUMBERS_PX, top_px=LEGEND_LINE_PX, bottom_px=AXIS_PX)


def segment_count_figure(found: Mapping[str, Calibration]) -> go.Figure:
    """Draw how confidence (dotted) and accuracy (solid) grow with the number of segments, of each run.

    Args:
        found: of one or two runs, by name.
    """
    figure = go.Figure()
    groups = list(dict.fromkeys(segment_group_names(of) for of in found.values()))
    names = list(dict.fromkeys(name for group in groups for name in group))
    for (name, of), line, symbol in zip(found.items(), LINES, RUN_SYMBOLS, strict=False):
        for what, dash in (("accuracy", line["dash"]), ("mean_confidence", "dot")):
            points = go.Scatter(
                x=list(segment_group_names(of)),
                y=[getattr(g, what) for g in of.by_segments],
                mode="lines+markers",
                name=f"{name}, {'confidence' if what != 'accuracy' else what}",
                line={"color": line["color"], "width": 2, "dash": dash},
                marker={"symbol": symbol if what == "accuracy" else "line-ew-open", "size": 11},
                hovertext=[f"{g.count} clips, calibration error {100 * g.ece:.1f}" for g in of.by_segments],
                hovertemplate="%{x} segments: %{y:.2f}<br>%{hovertext}<extra>%{fullData.name}</extra>",
                cliponaxis=False,
            )
            figure.add_trace(points)
    figure.update_layout(legend=LEGEND, hovermode="closest")
    figure.update_xaxes(title="segments of a clip", type="category", categoryarray=names, fixedrange=True)
    figure.update_yaxes(title="share", range=[0, 1.04], fixedrange=True, zeroline=False)
    return apply_style(figure, RELIABILITY_PX, left_px=NUMBERS_PX, top_px=LEGEND_LINE_PX, bottom_px=AXIS_PX)


def segment_group_names(of: Calibration) -> tuple[str, ...]:
    """Name the groups of `by_segments` for people; the last possible one has no end."""
    return tuple(
        f"{g.n_low}+"
        if g.n_low == SEGMENT_GROUPS[-1]
        else f"{g.n_low}"
        if g.n_low == g.n_high
        else f"{g.n_low}–{g.n_high}"
        for g in of.by_segments
    )


def _class_axis(figure: go.Figure, labels: list[str], texts: list[str]) -> int:
    """Lay out a row a class; returns the width of their names in pixels."""
    figure.update_yaxes(
        type="category",
        categoryorder="array",
        categoryarray=labels,
        range=[len(labels) - 0.5, -0.5],
        tickmode="array",
        tickvals=labels,
        ticktext=[f"{text} " for text in texts],
        showgrid=False,
        zeroline=False,
        fixedrange=True,
    )
    return label_width_px(texts)


def _class_height(labels: list[str], runs: int) -> int:
    return len(labels) * (max(runs * BAR_PX, 38) + CLASS_GAP_PX) + AXES_PX


def _reach(value: "pd.Series", low: "pd.Series", high: "pd.Series") -> dict[str, Any]:
    """Convert an interval to plotly's error bars: distances from the value to either side."""
    return {
        "type": "data",
        "symmetric": False,
        "array": (high - value).fillna(0).clip(lower=0),
        "arrayminus": (value - low).fillna(0).clip(lower=0),
        "color": INK,
        "thickness": 1.8,
        "width": 5,
    }


def _tens() -> list[str]:
    return [f"{20 * i}" for i in range(6)]
