"""The points of a run's map, its utterances or segments of one fold, and the figure that shows them."""

from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import plotly.graph_objects as go

from segser_core.errors import RunError
from segser_core.figures import FONT_PX, INK, SYMBOLS
from segser_core.labels import LABELS, colour_of
from segser_core.run_files import Embeddings
from segser_core.runs import Run
from segser_core.scores import test_rows

if TYPE_CHECKING:
    import pandas as pd

What = Literal["utterance", "segment"]
Colour = Literal["label", "predicted", "correct", "speaker", "duration"]
COLOURS: tuple[Colour, ...] = get_args(Colour)
AXES = {"pca": "component {} (no unit)", "umap": "UMAP {} (no unit)"}
MOST_POINTS = 20_000
SAID = ("utterance_id", "segment", "start_s", "end_s", "predicted", "confidence")  # of a segment
NOT_KNOWN = "not known"
RIGHT_WRONG = {"right": ("#2A8CAB", "circle"), "wrong": ("#B8403A", "x")}  # no emotion has these
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8C8C8C", "#7A5C48")  # Okabe and Ito
MOST_SPEAKERS = 16  # a longer legend fills a small screen
OTHERS = "other speakers"
MAP_PX, LEGEND_ROW_PX, TOOLBAR_PX = 400, 22, 30
FEW = 60  # up to this many chosen points are ringed widely


@dataclass(frozen=True, eq=False)
class Points:
    """The points of a map, in order.

    Attributes:
        table: a row a point: utterance_id, label, predicted, confidence, correct, and as known speaker,
            duration_s (the utterance's); of a segment also segment, start_s, end_s, and what is predicted
            for the segment itself.
        vectors: (N, D) as the run has them.
        total: how many there are; N is less where only a sample is shown.
        sha256: of the vectors.
    """

    table: "pd.DataFrame"
    vectors: np.ndarray
    total: int
    sha256: str


def first_seed(run: Run) -> int:
    """The seed whose vectors a run keeps: the first that run.json lists."""
    listed = [seed for seed in run.meta.get("seeds") or () if seed in run.seeds]
    return listed[0] if listed else run.seeds[0]


def knows(run: Run, colour: Colour) -> bool:
    """Whether a run's points can be coloured so."""
    column = {"speaker": "speaker", "duration": "duration_s"}.get(colour)
    return column is None or (column in run.predictions and bool(run.predictions[column].notna().any()))


def folds_of(run: Run) -> tuple[int, ...]:
    """The folds that have test utterances; each has a space of its own.

    Raises:
        RunError: as in `scores.test_rows`.
    """
    return tuple(sorted(int(fold) for fold in _tested(run).fold.unique()))


def points_of(run: Run, what: What, fold: int) -> Points | None:
    """The test utterances of a fold, or their segments, under the run's first seed.

    Where there are more than `MOST_POINTS`, whole utterances are left out, by a hash of their names: of two
    runs on one corpus the same ones are shown.

    Returns:
        None where the run has no embeddings.npz.

    Raises:
        RunError: the file is damaged, or holds no vector of these utterances.
    """
    vectors = run.embeddings()
    if vectors is None:
        return None
    rows = _tested(run)
    rows = rows[rows.fold == fold]
    table = _utterances(vectors, rows, fold) if what == "utterance" else _segments(vectors, rows, fold, run)
    if table.empty:
        raise RunError(f"embeddings.npz of {run.name} holds no {what} of the {len(rows)} test clips of fold {fold}")
    total = len(table)
    table = table[_shown(table.utterance_id.to_numpy())].reset_index(drop=True)
    table["correct"] = np.where(table.predicted == table.label, "right", "wrong")
    chosen = getattr(vectors, what)[table.pop("place")]
    return Points(table, chosen, total, sha256(chosen.tobytes()).hexdigest())


def _tested(run: Run) -> "pd.DataFrame":
    rows = test_rows(run.predictions)
    return rows[rows.seed == first_seed(run)]


def _kept(rows: "pd.DataFrame") -> "pd.DataFrame":
    known = ("utterance_id", "label", "predicted", "confidence", "speaker", "duration_s")
    return rows[[column for column in known if column in rows]]


def _utterances(vectors: Embeddings, rows: "pd.DataFrame", fold: int) -> "pd.DataFrame":
    import pandas as pd

    (places,) = np.nonzero(vectors.utterance_fold == fold)
    found = pd.DataFrame({"utterance_id": vectors.utterance_id[places].astype(object), "place": places})
    return found.drop_duplicates("utterance_id").merge(_kept(rows), on="utterance_id")


def _segments(vectors: Embeddings, rows: "pd.DataFrame", fold: int, run: Run) -> "pd.DataFrame":
    import pandas as pd

    (places,) = np.nonzero(segment_folds(vectors) == fold)
    key = ["utterance_id", "segment"]
    ids = vectors.segment_utterance_id[places].astype(object)
    found = pd.DataFrame({"utterance_id": ids, "segment": vectors.segment_index[places], "place": places})
    whole = _kept(rows).drop(columns=["predicted", "confidence"])
    found = found.drop_duplicates(key).merge(whole, on="utterance_id")
    found = found.merge(_said_of_segments(run, fold), on=key, how="left")
    return found.assign(predicted=found.predicted.astype(object).where(found.predicted.notna(), NOT_KNOWN))


def _said_of_segments(run: Run, fold: int) -> "pd.DataFrame":
    """Bounds and most probable class of each segment of the first seed; no row where the run has no segments."""
    import pandas as pd

    if run.segments is None:
        kinds = {"utterance_id": object, "segment": int, "predicted": object}
        return pd.DataFrame({c: pd.Series(dtype=kinds.get(c, float)) for c in SAID})
    rows = run.segments[run.segments.seed == first_seed(run)]
    rows = rows[rows.fold == fold] if "fold" in rows else rows
    p = rows[[f"p_{c}" for c in run.labels]].to_numpy(float)
    said = rows.assign(predicted=np.array(run.labels, dtype=object)[p.argmax(axis=1)], confidence=p.max(axis=1))
    return said[list(SAID)].drop_duplicates(["utterance_id", "segment"])


def segment_folds(vectors: Embeddings) -> np.ndarray:
    """The fold of each segment, (R,); -1 where its utterance has no vector.

    The file names folds for utterances alone. An utterance that is in several folds has as many stretches of
    segments, in the order of its rows.
    """
    import pandas as pd

    ids, index = vectors.segment_utterance_id, vectors.segment_index
    starts = np.ones(len(ids), dtype=bool)
    starts[1:] = (ids[1:] != ids[:-1]) | (index[1:] <= index[:-1])
    stretches = pd.DataFrame({"utterance_id": ids[starts].astype(object)})
    rows = pd.DataFrame({"utterance_id": vectors.utterance_id.astype(object), "fold": vectors.utterance_fold})
    on = ["utterance_id"]
    if rows.utterance_id.duplicated().any():
        on.append("nth")
        rows["nth"], stretches["nth"] = (t.groupby("utterance_id").cumcount() for t in (rows, stretches))
    fold = stretches.merge(rows, on=on, how="left").fold.fillna(-1).to_numpy(dtype=int)
    return fold[np.cumsum(starts) - 1]


def _shown(ids: np.ndarray) -> np.ndarray:
    """Which rows to show, (N,) of bool: all of an utterance or none, at most `MOST_POINTS`."""
    import pandas as pd

    if len(ids) <= MOST_POINTS:
        return np.ones(len(ids), dtype=bool)
    place, names = pd.factorize(ids)
    order = np.argsort(pd.util.hash_array(np.asarray(names, dtype=object)), kind="stable")
    fits = np.zeros(len(names), dtype=bool)
    fits[order] = np.cumsum(np.bincount(place)[order]) <= MOST_POINTS
    return fits[place]


def map_figure(
    table: "pd.DataFrame", positions: np.ndarray, by: Colour, method: str, chosen: Collection[str] = ()
) -> go.Figure:
    """Points on a plane; their customdata begins with utterance_id, segment (-1: the utterance), start_s and end_s.

    Args:
        table: of `Points`.
        positions: (N, 2).
        by: what colour and symbol stand for; `duration` has a colour scale, and larger points for longer clips.
        method: `pca` or `umap`, for the names of the axes.
        chosen: utterances whose points are ringed; where there are several, the others are faint.
    """
    ringed = table.utterance_id.isin(list(chosen)).to_numpy()
    several = table.utterance_id[ringed].nunique() > 1
    faint = np.where(ringed | (not several), 0.85, 0.3)
    traces = _by_duration(table, positions, faint) if by == "duration" else _by_group(table, positions, by, faint)
    figure = go.Figure([*traces, _rings(table, positions, ringed)])
    legend_px = 90 if by == "duration" else 40 + LEGEND_ROW_PX * -(-len(traces) // 3)
    return _finish(figure, method, legend_px)


def _by_group(table: "pd.DataFrame", positions: np.ndarray, by: Colour, faint: np.ndarray) -> list[go.Scattergl]:
    values = _grouped(table, by)
    looks = _looks([str(v) for v in dict.fromkeys(values.tolist())], by)
    size = _size(len(table))
    traces = []
    for name, (colour, symbol) in looks.items():
        (rows,) = np.nonzero(values == name)
        marker = {"color": colour, "symbol": symbol, "size": size, "opacity": faint[rows]}
        traces.append(_scatter(table.iloc[rows], positions[rows], name=name, marker=marker))
    return traces


def _by_duration(table: "pd.DataFrame", positions: np.ndarray, faint: np.ndarray) -> list[go.Scattergl]:
    seconds = np.nan_to_num(table.duration_s.to_numpy(float))
    longest = max(float(seconds.max()), 1e-9)
    marker = {
        "color": seconds,
        "colorscale": "Cividis",
        "size": _size(len(table)) * (0.6 + seconds / longest),
        "opacity": faint,
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


def _grouped(table: "pd.DataFrame", by: Colour) -> np.ndarray:
    """The group of each point as text; of many speakers those with few points are one group."""
    values = table[by].astype(object).where(table[by].notna(), NOT_KNOWN).astype(str)
    if by == "speaker" and values.nunique() > MOST_SPEAKERS:
        named = values.value_counts().index[: MOST_SPEAKERS - 1]
        values = values.where(values.isin(named), OTHERS)
    return values.to_numpy(dtype=object)


def _looks(names: list[str], by: Colour) -> dict[str, tuple[str, str]]:
    """Colour and symbol of each group, in the order of the legend."""
    if by == "correct":
        return {name: look for name, look in RIGHT_WRONG.items() if name in names}
    if by == "speaker":
        shapes = len(set(SYMBOLS[:8]))
        known = sorted(set(names) - {OTHERS, NOT_KNOWN})
        looks = {n: (PALETTE[(i + i // shapes) % len(PALETTE)], SYMBOLS[i % shapes]) for i, n in enumerate(known)}
        return looks | {n: (INK, "circle-open") for n in (OTHERS, NOT_KNOWN) if n in names}
    known = [c for c in LABELS if c in names] + sorted(set(names) - set(LABELS))
    return {c: (colour_of(c), SYMBOLS[LABELS.index(c)] if c in LABELS else "circle-open") for c in known}


def _scatter(table: "pd.DataFrame", positions: np.ndarray, **look: object) -> go.Scattergl:
    """Points that tell who they are, and stay as they are drawn when others are selected."""
    lines = ["<b>%{customdata[4]}</b>", "%{customdata[0]}"]
    if "segment" in table:
        lines.append("segment %{customdata[1]}, %{customdata[2]:.2f}–%{customdata[3]:.2f} s")
    return go.Scattergl(
        x=positions[:, 0].astype(np.float32),
        y=positions[:, 1].astype(np.float32),
        mode="markers",
        customdata=_who(table),
        hovertemplate="<br>".join(lines) + "<extra></extra>",
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 0.5}},
        **look,
    )


def _who(table: "pd.DataFrame") -> np.ndarray:
    """utterance_id, segment, start_s, end_s and what is heard for which emotion, (N, 5) objects; None: not known."""
    found = np.full((len(table), 5), None, dtype=object)
    found[:, 0] = table.utterance_id.astype(str)
    found[:, 1] = table.segment if "segment" in table else -1
    for place, column in enumerate(("start_s", "end_s"), start=2):
        if column in table:
            bound = table[column].to_numpy(float)
            found[:, place] = np.where(np.isnan(bound), None, bound)
    found[:, 4] = table.label.astype(str) + " → " + table.predicted.astype(str)
    return found


def _rings(table: "pd.DataFrame", positions: np.ndarray, ringed: np.ndarray) -> go.Scattergl:
    few = ringed.sum() <= FEW
    marker = {
        "symbol": "circle-open",
        "size": _size(len(table)) + (10 if few else 4),
        "color": INK,
        "line": {"width": 3 if few else 1, "color": INK},
    }
    return _scatter(table[ringed], positions[ringed], name="chosen", marker=marker, showlegend=False)


def _size(points: int) -> int:
    """The diameter of a point in pixels, smaller where there are many."""
    return 9 if points <= 1_000 else 7 if points <= 5_000 else 5


def _finish(figure: go.Figure, method: str, legend_px: int) -> go.Figure:
    bare = {"showgrid": False, "zeroline": False, "showticklabels": False, "showline": True, "linecolor": INK}
    for number, axis in enumerate((figure.update_xaxes, figure.update_yaxes), start=1):
        axis(title=AXES[method].format(number), title_font_size=FONT_PX, title_standoff=10, ticks="", **bare)
    figure.update_yaxes(scaleanchor="x", scaleratio=1, constrain="domain", automargin=True)
    figure.update_xaxes(constrain="domain", automargin=True)
    figure.update_layout(
        height=MAP_PX + TOOLBAR_PX + legend_px,
        margin={"l": 8, "r": 8, "t": TOOLBAR_PX, "b": legend_px},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font_size=FONT_PX,
        hoverlabel_font_size=FONT_PX,
        hovermode="closest",
        dragmode="pan",
        uirevision=method,
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": INK, "activecolor": INK},
        legend={
            "orientation": "h",
            "y": -0.1,
            "yanchor": "top",
            "x": 0,
            "itemsizing": "constant",
            "font_size": FONT_PX,
        },
    )
    return figure
