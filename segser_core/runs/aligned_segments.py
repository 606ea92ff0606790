"""Align a run's segments with its predictions."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from segser_core.errors import RunError

if TYPE_CHECKING:
    import pandas as pd

KEY = ["utterance_id", "seed", "fold"]


@dataclass(frozen=True, eq=False)
class AlignedSegments:
    """Segments of a run in the order of its utterances.

    Attributes:
        rows: the U rows of predictions that have segments.
        p: (R, C) probabilities in the context of the recording.
        isolated: (R, C) probabilities of each segment's own audio alone; None where the run has none.
        start_s, end_s: (R,) seconds.
        starts: (U,) index of each recording's first segment.
    """

    rows: "pd.DataFrame"
    p: np.ndarray
    isolated: np.ndarray | None
    start_s: np.ndarray
    end_s: np.ndarray
    starts: np.ndarray


def align_segments(
    name: str, labels: tuple[str, ...], predictions: "pd.DataFrame", segments: "pd.DataFrame | None"
) -> AlignedSegments:
    """Align prediction rows with their segments; segments of no known utterance are left out.

    Args:
        name: of the run, for errors.
        labels: the classes, in order.
        predictions, segments: as `Run` has them.

    Raises:
        RunError: there are no segments, a test clip has none, or the owner of a segment is ambiguous.
    """
    if segments is None:
        raise RunError(f"{name} has no segments.parquet")
    key = KEY if "fold" in segments else KEY[:2]
    _check_unique(name, predictions, key)
    owner = lookup_index(predictions, key).get_indexer(lookup_index(segments, key))
    order = np.lexsort((segments.segment.to_numpy(), owner))
    order = order[np.searchsorted(owner[order], 0) :]  # an owner of -1 is no known utterance
    found, starts = np.unique(owner[order], return_index=True)
    without = np.setdiff1d(np.flatnonzero(predictions["split"].to_numpy() == "test"), found)
    if len(without):
        one = predictions.utterance_id.iloc[without[0]]
        raise RunError(f"{len(without)} test clips of {name} have no segment, {one} among them")
    ordered = segments.iloc[order]
    p = ordered[[f"p_{c}" for c in labels]].to_numpy(float)
    alone = [f"i_{c}" for c in labels]
    isolated = ordered[alone].to_numpy(float) if set(alone) <= set(ordered) else None
    start_s, end_s = (ordered[column].to_numpy(float) for column in ("start_s", "end_s"))
    return AlignedSegments(predictions.iloc[found], p, isolated, start_s, end_s, starts)


def _check_unique(name: str, predictions: "pd.DataFrame", key: list[str]) -> None:
    twice = predictions.duplicated(key).to_numpy()
    if twice.any():
        one, needs = predictions.utterance_id.iloc[twice.argmax()], f"a row once for each {', '.join(key)}"
        raise RunError(f"{name} has several rows of {one}; for their segments to be told apart, it needs {needs}")


def lookup_index(table: "pd.DataFrame", key: list[str]) -> Any:
    """Index the rows of a table by these columns."""
    import pandas as pd

    return pd.MultiIndex.from_frame(table[key])
