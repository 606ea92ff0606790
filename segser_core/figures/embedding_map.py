"""Draw a map of embeddings: points on a plane, coloured by label, corpus, speaker or duration."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from segser_core.figures.style import FONT_PX, INK, SYMBOLS, TEMPLATE
from segser_core.labels import LABELS, emotion_colour
from segser_core.runs.map_points import MOST_SAMPLED, NOT_KNOWN, ColourBy

if TYPE_CHECKING:
    import pandas as pd


AXES = {"pca": "component {} (no unit)", "umap": "UMAP {} (no unit)"}
RIGHT_WRONG = {"right": ("#2A8CAB", "circle"), "wrong": ("#B8403A", "x")}  # no emotion has these
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8C8C8C", "#7A5C48")  # Okabe and Ito
MOST_SPEAKERS = 16  # a longer legend fills a small screen
OTHERS = "other speakers"
MAP_PX, LEGEND_ROW_PX, MAP_TOOLBAR_PX = 400, 22, 30
FEW_POINTS = 60  # up to this many chosen points are ringed widely


def map_figure(
    table: "pd.DataFrame",
    positions: np.ndarray,
    by: ColourBy,
    method: str,
    chosen: Collection[str] = (),
    sample: np.ndarray | None = None,
) -> go.Figure:
    """Draw points on a plane; their customdata begins with utterance_id, segment (-1: the utterance), start_s, end_s.

    Args:
        table: of `maps.Points`.
        positions: (N, 2).
        by: what colour and symbol stand for; `duration` has a colour scale, and larger points for longer clips.
        method: `pca` or `umap`, for the names of the axes.
        chosen: utterances whose points are ringed; where there are several, the others are faint.
        sample: (N,) of bool, the points that are drawn beside the chosen ones; all where it is None.
    """
    ringed = table.utterance_id.isin(list(chosen)).to_numpy()
    several = table.utterance_id[ringed].nunique() > 1
    rings = _rings(table, positions, ringed)
    kept = np.ones(len(table), dtype=bool) if sample is None else sample
    faint = np.where(ringed | (not several), 0.85, 0.3)[kept]
    table, positions = table[kept], positions[kept]
    traces = _by_duration(table, positions, faint) if by == "duration" else _by_group(table, positions, by, faint)
    kind = "scatter" if len(table) <= MOST_SAMPLED else "scattergl"
    legend_px = 90 if by == "duration" else 40 + LEGEND_ROW_PX * -(-len(traces) // 3)
    return go.Figure([trace | {"type": kind} for trace in (*traces, rings)], _layout(method, legend_px))


def _by_group(table: "pd.DataFrame", positions: np.ndarray, by: ColourBy, faint: np.ndarray) -> list[dict[str, Any]]:
    values = _grouped(table, by)
    looks = _looks([str(v) for v in dict.fromkeys(values.tolist())], by)
    size = _size(len(table))
    traces = []
    for name, (colour, symbol) in looks.items():
        (rows,) = np.nonzero(values == name)
        marker = {"color": colour, "symbol": symbol, "size": size, "opacity": _opacity(faint[rows])}
        traces.append(_scatter(table.iloc[rows], positions[rows], name=name, marker=marker))
    return traces


def _by_duration(table: "pd.DataFrame", positions: np.ndarray, faint: np.ndarray) -> list[dict[str, Any]]:
    seconds = np.nan_to_num(table.duration_s.to_numpy(float))
    longest = max(float(seconds.max()), 1e-9)
    marker = {
        "color": seconds,
        "colorscale": "Cividis",
        "size": _size(len(table)) * (0.6 + seconds / longest),
        "opacity": _opacity(faint),
        "colorbar": {
            "title": {"text": "duration of the clip (s)", "side": "bottom", "font_size": FONT_PX},
            "orientation": "h",
            "y": -0.1,
            "yanchor": "top",
            "thickness": 12,
            "tickfont_size": FONT_PX,
        },
    }
    return [_scatter(table, positions, name="duration", marker=marker, showlegend=False)]


def _opacity(faint: np.ndarray) -> np.ndarray | float:
    """Choose the points' opacity; one number where it is the same for all."""
    return float(faint[0]) if (faint == faint[0]).all() else faint


def _grouped(table: "pd.DataFrame", by: ColourBy) -> np.ndarray:
    """Group each point by text; of many speakers those with few points are one group."""
    values = table[by].astype(object).where(table[by].notna(), NOT_KNOWN).astype(str)
    if by == "speaker" and values.nunique() > MOST_SPEAKERS:
        named = values.value_counts().index[: MOST_SPEAKERS - 1]
        values = values.where(values.isin(named), OTHERS)
    return values.to_numpy(dtype=object)


def _looks(names: list[str], by: ColourBy) -> dict[str, tuple[str, str]]:
    """Choose colour and symbol of each group, in the order of the legend."""
    if by == "correct":
        return {name: look for name, look in RIGHT_WRONG.items() if name in names}
    if by in ("speaker", "corpus"):
        shapes = len(set(SYMBOLS[:8]))
        known = sorted(set(names) - {OTHERS, NOT_KNOWN})
        looks = {n: (PALETTE[(i + i // shapes) % len(PALETTE)], SYMBOLS[i % shapes]) for i, n in enumerate(known)}
        return looks | {n: (INK, "circle-open") for n in (OTHERS, NOT_KNOWN) if n in names}
    known = [c for c in LABELS if c in names] + sorted(set(names) - set(LABELS))
    return {c: (emotion_colour(c), SYMBOLS[LABELS.index(c)] if c in LABELS else "circle-open") for c in known}


def _scatter(table: "pd.DataFrame", positions: np.ndarray, **look: object) -> dict[str, Any]:
    """Draw points that are identified on hover, and stay as they are drawn when others are selected."""
    lines = ["<b>%{customdata[4]}</b>", "%{customdata[0]}"]
    if "segment" in table:
        lines.append("segment %{customdata[1]}, %{customdata[2]:.2f}–%{customdata[3]:.2f} s")
    return {
        "x": positions[:, 0].astype(np.float32),
        "y": positions[:, 1].astype(np.float32),
        "mode": "markers",
        "customdata": _who(table),
        "hovertemplate": "<br>".join(lines) + "<extra></extra>",
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 0.5}},
        **look,
    }


def _who(table: "pd.DataFrame") -> np.ndarray:
    """List utterance_id, segment, start_s, end_s and the labels, (N, 5) objects; None: not known."""
    found = np.full((len(table), 5), None, dtype=object)
    found[:, 0] = table.utterance_id.astype(str)
    found[:, 1] = table.segment if "segment" in table else -1
    for place, column in enumerate(("start_s", "end_s"), start=2):
        if column in table:
            bound = table[column].to_numpy(float)
            found[:, place] = np.where(np.isnan(bound), None, bound)
    found[:, 4] = table.label.astype(str) + " → " + table.predicted.astype(str)
    return found


def _rings(table: "pd.DataFrame", positions: np.ndarray, ringed: np.ndarray) -> dict[str, Any]:
    few = ringed.sum() <= FEW_POINTS
    marker = {
        "symbol": "circle-open",
        "size": _size(len(table)) + (10 if few else 4),
        "color": INK,
        "line": {"width": 3 if few else 1, "color": INK},
    }
    return _scatter(table[ringed], positions[ringed], name="chosen", marker=marker, showlegend=False)


def _size(points: int) -> int:
    """Choose the diameter of a point in pixels, smaller where there are many."""
    return 9 if points <= 1_000 else 7 if points <= 5_000 else 5


def _layout(method: str, legend_px: int) -> dict[str, Any]:
    bare = {"showgrid": False, "zeroline": False, "showticklabels": False, "showline": True, "ticks": ""}
    bare |= {"constrain": "domain"}
    titles = [{"text": AXES[method].format(n), "standoff": 10} for n in (1, 2)]
    return {
        "xaxis": bare | {"title": titles[0]},
        "yaxis": bare | {"title": titles[1], "scaleanchor": "x", "scaleratio": 1},
        "height": MAP_PX + MAP_TOOLBAR_PX + legend_px,
        "margin": {"l": 8, "r": 8, "t": MAP_TOOLBAR_PX, "b": legend_px},
        "template": TEMPLATE,
        "hovermode": "closest",
        "dragmode": "pan",
        "uirevision": method,
        "legend": {"orientation": "h", "y": -0.1, "yanchor": "top", "x": 0, "itemsizing": "constant"},
    }
