"""Tabulate a run's clips with measures that may explain a mistake, beside another run's."""

from typing import TYPE_CHECKING

import numpy as np

from segser_core.errors import RunError
from segser_core.prediction.rules import Aggregate, rank_by_confidence
from segser_core.runs.aligned_segments import KEY
from segser_core.runs.reaggregate import reaggregate, stored_rule
from segser_core.runs.run import Run
from segser_core.runs.test_split import select_test_rows

if TYPE_CHECKING:
    import pandas as pd


def clip_table(
    run: Run, rule: Aggregate | None = None, other: Run | None = None, explained: bool = True
) -> "pd.DataFrame":
    """Tabulate the test clips of a run, a row an utterance (and seed), with measures that may explain a mistake.

    Args:
        run: whose clips.
        rule: how labels are found, in both runs; each run's own where it is None.
        other: another run; clips that it lacks have no `other_predicted`.
        explained: whether with what the segments tell; a large run takes longer for that than for the rest.

    Returns:
        The rows of predictions.parquet and, as known: `correct`; `segments` (how many); `true_share`, of
        the segments those that name the true class, 0 to 1; `surest_from_s` and `surest_to_s`, the bounds of
        the most confident segment; `decided_at`, its centre as a share of the clip's duration;
        `other_predicted`, `other_confidence`, `other_correct`.

    Raises:
        RunError: a run cannot be asked for the rule, a clip has another label in the other run, or as in
            `scores.test_rows`.
    """
    rows = select_test_rows(reaggregate(run, rule or stored_rule(run)))
    table = rows.assign(correct=rows.predicted.to_numpy() == rows.label.to_numpy())
    if explained and run.segments is not None:
        table = table.merge(_explained(run), on=KEY, how="left")
    if other is not None:
        table = table.merge(_other_columns(other, rule), on=["utterance_id", "seed"], how="left")
        known = table.other_predicted.notna()
        differing = table.utterance_id[known & (table.other_label != table.label)]
        if len(differing):
            raise RunError(f"{len(differing)} clips have another label in {other.name}, {differing.iloc[0]} among them")
        table["other_correct"] = (table.other_predicted == table.label).where(known)
        table = table.drop(columns="other_label")
    return table.reset_index(drop=True)


def _explained(run: Run) -> "pd.DataFrame":
    """Count a clip's segments and those that name its class, and locate the most confident one."""
    aligned = run.aligned_segments
    rows = aligned.rows
    true = rows.label.map({c: i for i, c in enumerate(run.labels)}).to_numpy()
    counts = np.diff(aligned.starts, append=len(aligned.p))
    names_it = aligned.p.argmax(axis=1) == np.repeat(true, counts)
    first = rank_by_confidence(aligned.p, aligned.starts)[aligned.starts]
    ends_s = np.maximum.reduceat(aligned.end_s, aligned.starts)
    duration_s = rows.duration_s.to_numpy(float) if "duration_s" in rows else ends_s
    return rows[KEY].assign(
        segments=counts,
        true_share=np.add.reduceat(names_it.astype(float), aligned.starts) / counts,
        surest_from_s=aligned.start_s[first],
        surest_to_s=aligned.end_s[first],
        decided_at=(aligned.start_s[first] + aligned.end_s[first]) / 2 / np.maximum(duration_s, 1e-9),
    )


def _other_columns(other: Run, rule: Aggregate | None) -> "pd.DataFrame":
    rows = select_test_rows(reaggregate(other, rule or stored_rule(other)))
    names = {name: f"other_{name}" for name in ("label", "predicted", "confidence")}
    return rows[["utterance_id", "seed", *names]].rename(columns=names)
