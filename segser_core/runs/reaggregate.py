"""Re-aggregate a run's segment probabilities (vectorised): half a million segments take about a second."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from segser_core.errors import RunError
from segser_core.prediction.rules import AGGREGATES, Aggregate
from segser_core.runs.run import Run
from segser_core.systems import find_system

if TYPE_CHECKING:
    import pandas as pd
from segser_core.prediction.rules import aggregate_all

KEY = ["utterance_id", "seed", "fold"]


def stored_rule(run: Run) -> Aggregate:
    """Return the rule by which a run's stored labels were found."""
    said = run.meta.get("aggregate")
    return said if said in AGGREGATES else find_system(run.system).rule


def available_rules(run: Run) -> tuple[Aggregate, ...]:
    """List the rules of aggregation that a run can be asked for, its own first."""
    own = stored_rule(run)
    whole = all(f"u_{c}" in run.predictions for c in run.labels)
    possible = {own} | ({"utterance"} if whole else set())
    if run.segments is not None:
        possible |= {rule for rule in AGGREGATES if rule != "utterance"}
    return (own, *(rule for rule in AGGREGATES if rule in possible and rule != own))


def reaggregate(run: Run, rule: Aggregate) -> "pd.DataFrame":
    """Re-aggregate a run's predictions under another rule.

    Args:
        run: with segments (`u_<class>` for `utterance`), unless the rule is the run's own.
        rule: see `prediction.aggregate`.

    Returns:
        The rows of predictions.parquet, with `predicted`, `confidence` and p_<class> replaced; of the
        development rows only those that have segments.

    Raises:
        RunError: the run cannot be asked for this rule, or a test clip has no segment.
    """
    if rule == stored_rule(run):
        return run.predictions
    if rule not in available_rules(run):
        raise RunError(f"{run.name} cannot tell the rule {rule}: it has {', '.join(available_rules(run))} alone")
    if rule == "utterance":
        rows, p = run.predictions, run.predictions[[f"u_{c}" for c in run.labels]].to_numpy(float)
        chosen = p.argmax(axis=1)
    else:
        rows, parts = aligned_segments(run)
        p, chosen = aggregate_all(parts.p, parts.starts, rule)
    named = np.array(run.labels, dtype=object)[chosen]
    new = {"predicted": named, "confidence": p[np.arange(len(p)), chosen]}
    return rows.assign(**new, **{f"p_{c}": p[:, i] for i, c in enumerate(run.labels)})


@dataclass(frozen=True, eq=False)
class AlignedSegments:
    """Segments of a run in the order of its utterances.

    Attributes:
        p: (R, C) probabilities.
        start_s, end_s: (R,) seconds.
        starts: (U,) the place of each recording's first segment.
    """

    p: np.ndarray
    start_s: np.ndarray
    end_s: np.ndarray
    starts: np.ndarray


PARTS: "WeakKeyDictionary[Run, tuple[pd.DataFrame, AlignedSegments]]" = WeakKeyDictionary()


def aligned_segments(run: Run) -> tuple["pd.DataFrame", AlignedSegments]:
    """Align the prediction rows that have segments with their segments; kept while the run is.

    Raises:
        RunError: there are no segments, a test clip has none, or it cannot be told whose a segment is.
    """
    if run not in PARTS:
        PARTS[run] = _parts(run)
    return PARTS[run]


def _parts(run: Run) -> tuple["pd.DataFrame", AlignedSegments]:
    rows, segments = run.predictions, run.segments
    if segments is None:
        raise RunError(f"{run.name} has no segments.parquet")
    key = KEY if "fold" in segments else KEY[:2]
    twice = rows.duplicated(key).to_numpy()
    if twice.any():
        one, needs = rows.utterance_id.iloc[twice.argmax()], f"a row once for each {', '.join(key)}"
        raise RunError(f"{run.name} has several rows of {one}; for their segments to be told apart, it needs {needs}")
    owner = lookup_index(rows, key).get_indexer(lookup_index(segments, key))
    place = segments.segment.to_numpy()
    order = np.lexsort((place, owner))
    order = order[np.searchsorted(owner[order], 0) :]  # segments of no known utterance are passed over
    found, starts = np.unique(owner[order], return_index=True)
    without = np.setdiff1d(np.flatnonzero(rows["split"].to_numpy() == "test"), found)
    if len(without):
        one = rows.utterance_id.iloc[without[0]]
        raise RunError(f"{len(without)} test clips of {run.name} have no segment, {one} among them")
    taken = segments.iloc[order]
    p = taken[[f"p_{c}" for c in run.labels]].to_numpy(float)
    start_s, end_s = (taken[name].to_numpy(float) for name in ("start_s", "end_s"))
    return rows.iloc[found], AlignedSegments(p, start_s, end_s, starts)


def lookup_index(table: "pd.DataFrame", key: list[str]) -> Any:
    """Index the rows of a table by these columns."""
    import pandas as pd

    return pd.MultiIndex.from_frame(table[key])


def count_segments(run: Run) -> "pd.Series | None":
    """Count each utterance's segments, under (utterance_id, seed, fold); None where the run has none."""
    import pandas as pd

    if run.segments is None:
        return None
    rows, parts = aligned_segments(run)
    return pd.Series(np.diff(parts.starts, append=len(parts.p)), index=lookup_index(rows, KEY), name="segments")
