"""Re-aggregate a run's segment probabilities (vectorised): half a million segments take about a second."""

from typing import TYPE_CHECKING

import numpy as np

from segser_core.errors import RunError
from segser_core.prediction.rules import AGGREGATES, Aggregate
from segser_core.runs.aligned_segments import KEY, lookup_index
from segser_core.runs.run import Run
from segser_core.systems import find_system

if TYPE_CHECKING:
    import pandas as pd
from segser_core.prediction.rules import aggregate_all


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
        aligned = run.aligned_segments
        rows = aligned.rows
        p, chosen = aggregate_all(aligned.p, aligned.starts, rule)
    named = np.array(run.labels, dtype=object)[chosen]
    new = {"predicted": named, "confidence": p[np.arange(len(p)), chosen]}
    return rows.assign(**new, **{f"p_{c}": p[:, i] for i, c in enumerate(run.labels)})


def count_segments(run: Run) -> "pd.Series | None":
    """Count each utterance's segments, under (utterance_id, seed, fold); None where the run has none."""
    import pandas as pd

    if run.segments is None:
        return None
    aligned = run.aligned_segments
    counts = np.diff(aligned.starts, append=len(aligned.p))
    return pd.Series(counts, index=lookup_index(aligned.rows, KEY), name="segments")
