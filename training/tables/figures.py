"""Figures 2, 3 and 4 of the paper, from the rows of `rows.py`; no value of the paper's own is in them."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from segser_core.figures.scores import LEGEND, recall_figure
from segser_core.figures.style import apply_style
from segser_core.network.segments import FRAME_S
from training.tables.comparable import ComparableRuns, Row
from training.tables.rows import class_rows

HEIGHT_PX = 340
# symbol and dash tell the systems apart, too, and its colour is one of Okabe and Ito's (2008)
LOOKS = (("#0072B2", "circle", "solid"), ("#D55E00", "diamond", "dash"), ("#009E73", "square", "dot"))


def sweep_figure(rows: Sequence[Row], swept: str) -> go.Figure:
    """Draw development UAR against segment size or α, a line a system, with 95 % intervals.

    Args:
        rows: of `rows.sweep_rows`, of one system at least.
        swept: `segment-size` or `alpha`.
    """
    figure, values = go.Figure(), sorted({row["value"] for row in rows})
    systems = list(dict.fromkeys(row["system"] for row in rows))
    gap = 0.012 * (values[-1] - values[0])  # so that intervals of several systems do not hide one another
    for i, system in enumerate(systems):
        of = pd.DataFrame([row for row in rows if row["system"] == system]).sort_values("value")
        figure.add_trace(_line(of, gap * (i - (len(systems) - 1) / 2), swept, LOOKS[i % len(LOOKS)]))
    ticks = [f"{v:g}<br>{v * FRAME_S:.1f} s" if swept == "segment-size" else f"{v:g}" for v in values]
    axis = "segment (frames of 20 ms, and seconds)" if swept == "segment-size" else "α of Eq. 4"
    figure.update_xaxes(title=axis, tickvals=values, ticktext=ticks, zeroline=False, fixedrange=True)
    figure.update_yaxes(title="development UAR (%)", zeroline=False, fixedrange=True)
    figure.update_layout(legend=LEGEND, showlegend=True)
    return apply_style(figure, HEIGHT_PX)


def _line(of: pd.DataFrame, shift: float, swept: str, look: tuple[str, str, str]) -> go.Scatter:
    """Draw one system's line from its rows in order of their values."""
    (colour, symbol, dash), unit = look, " frames" if swept == "segment-size" else ""
    uar, low, high = (100 * of[name] for name in ("uar", "low", "high"))
    points = zip(of["value"], uar, low, high, strict=True)
    return go.Scatter(
        x=of["value"] + shift,
        y=uar,
        name=of["system"].iloc[0],
        mode="lines+markers",
        line={"color": colour, "dash": dash, "width": 2},
        marker={"symbol": symbol, "size": 9},
        error_y={"type": "data", "symmetric": False, "array": high - uar, "arrayminus": uar - low, "width": 4},
        hovertext=[f"{v:g}{unit}: {a:.1f} ({b:.1f} to {c:.1f})" for v, a, b, c in points],
        hovertemplate="%{hovertext}<extra>%{fullData.name}</extra>",
        cliponaxis=False,
    )


def class_figure(group: ComparableRuns) -> go.Figure:
    """Draw recall by class, with intervals, of the baseline and the best other system of a group that has a run."""
    table = pd.DataFrame([row for row in class_rows(group) if row["system"] in group.shown_by_class])
    return recall_figure(table.rename(columns={"system": "run"}))
