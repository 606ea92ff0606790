"""Collect the points of a run's map: utterances or segments of one fold, with vectors and labels."""

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from segser_core.errors import RunError
from segser_core.runs.reading import Embeddings
from segser_core.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd


PointKind = Literal["utterance", "segment"]
ColourBy = Literal["label", "predicted", "correct", "corpus", "speaker", "duration"]
COLOUR_CHOICES: tuple[ColourBy, ...] = get_args(ColourBy)
MOST_POINTS = 20_000
MOST_SAMPLED = 500  # as SVG, at once; for more WebGL takes over, which takes long to start
SAID = ("utterance_id", "segment", "start_s", "end_s", "predicted", "confidence")  # of a segment
NOT_KNOWN = "not known"


@dataclass(frozen=True, eq=False)
class MapPoints:
    """Points of a map, in order.

    Attributes:
        table: a row a point: utterance_id, label, predicted, confidence, correct, and as known corpus,
            speaker, duration_s (the utterance's); of a segment also segment, start_s, end_s, and what is predicted
            for the segment itself.
        vectors: (N, D) as the run has them.
        total: how many there are; N is less where there are more than `MOST_POINTS`.
        sample: (N,) of bool, those to draw at first: whole utterances of at most `MOST_SAMPLED` points.
        sha256: of the vectors.
    """

    table: "pd.DataFrame"
    vectors: np.ndarray
    total: int
    sample: np.ndarray
    sha256: str


def first_seed(run: Run) -> int:
    """Return the seed whose vectors a run keeps: the first that run.json lists."""
    listed = [seed for seed in run.meta.get("seeds") or () if seed in run.seeds]
    return listed[0] if listed else run.seeds[0]


def can_colour_by(run: Run, colour: ColourBy) -> bool:
    """Check whether a run's points can be coloured so."""
    if colour == "corpus":  # a single corpus tells no points apart
        return "corpus" in run.predictions and run.predictions["corpus"].nunique() > 1
    column = {"speaker": "speaker", "duration": "duration_s"}.get(colour)
    return column is None or (column in run.predictions and bool(run.predictions[column].notna().any()))


def folds_tested(run: Run) -> tuple[int, ...]:
    """List the folds that have test utterances; each has a space of its own.

    Raises:
        RunError: as in `scores.test_rows`.
    """
    return tuple(sorted(int(fold) for fold in _tested(run).fold.unique()))


def read_map_points(run: Run, what: PointKind, fold: int) -> MapPoints | None:
    """Read the test utterances of a fold, or their segments, under the run's first seed.

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
    table = table[sample_utterances(table.utterance_id.to_numpy(), MOST_POINTS)].reset_index(drop=True)
    table["correct"] = np.where(table.predicted == table.label, "right", "wrong")
    chosen = getattr(vectors, what)[table.pop("place")]
    sample = sample_utterances(table.utterance_id.to_numpy(), MOST_SAMPLED)
    return MapPoints(table, chosen, total, sample, sha256(chosen.tobytes()).hexdigest())


def _tested(run: Run) -> "pd.DataFrame":
    rows = run.test_rows
    return rows[rows.seed == first_seed(run)]


def _kept(rows: "pd.DataFrame") -> "pd.DataFrame":
    known = ("utterance_id", "label", "predicted", "confidence", "corpus", "speaker", "duration_s")
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
    found = found.merge(_segment_labels(run, fold), on=key, how="left")
    return found.assign(predicted=found.predicted.astype(object).where(found.predicted.notna(), NOT_KNOWN))


def _segment_labels(run: Run, fold: int) -> "pd.DataFrame":
    """Find bounds and most probable class of each segment of the first seed; empty without segments."""
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
    """Find the fold of each segment, (R,); -1 where its utterance has no vector.

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


def sample_utterances(ids: np.ndarray, most: int) -> np.ndarray:
    """Sample points, (N,) of bool: all of an utterance or none, by a hash of its name.

    Args:
        ids: (N,) the utterance of each point.
        most: points.
    """
    import pandas as pd

    if len(ids) <= most:
        return np.ones(len(ids), dtype=bool)
    place, names = pd.factorize(ids)
    order = np.argsort(pd.util.hash_array(np.asarray(names, dtype=object)), kind="stable")
    fits = np.zeros(len(names), dtype=bool)
    fits[order] = np.cumsum(np.bincount(place)[order]) <= most
    return fits[place]
