"""Score runs under each rule of aggregation, and compare two runs under the same rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from segser_core.prediction.rules import AGGREGATES, Aggregate, aggregate_all
from segser_core.runs.class_indices import add_class_indices, class_indices
from segser_core.runs.reaggregate import available_rules, stored_rule
from segser_core.runs.run import Run
from segser_core.statistics import metrics
from segser_core.statistics.bootstrap import NO_INTERVAL, ScoreIntervals, group_utterances, score_intervals
from segser_core.statistics.clip_predictions import group_by_clip
from segser_core.statistics.metrics import Scores
from segser_core.statistics.paired_difference import Differences, paired_differences

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class RuleScores:
    """Test scores of a run under one rule of aggregation, with intervals by utterance."""

    pooled: Scores
    intervals: ScoreIntervals


def scores_by_rule(run: Run, seed: int = 0) -> dict[Aggregate, RuleScores]:
    """Score a run under each rule that it can be asked for, its own first.

    Args:
        run: whose test clips.
        seed: of the resampling.

    Raises:
        RunError: a test clip has no segment.
    """
    rules = available_rules(run)
    clips = group_by_clip(_codes(run, run.labels), rules)
    return {rule: _rule_scores(clips.true, m, run.labels, seed) for rule, m in zip(rules, clips.models, strict=True)}


def _rule_scores(true: np.ndarray, model: np.ndarray, labels: Sequence[str], seed: int) -> RuleScores:
    of = group_utterances(true, [model], len(labels))
    return RuleScores(
        metrics.scores_from_confusion(of.observed[0], labels), score_intervals(of, np.random.default_rng(seed))
    )


def differences_by_rule(first: Run, second: Run, seed: int = 0) -> dict[Aggregate, Differences]:
    """Compute first run minus second under each rule that both can be asked for, on the same resamples.

    Args:
        first, second: two runs that `report.compare_runs` pairs; of their clips (and seeds) those that both have.
        seed: of the resampling.

    Raises:
        RunError: a test clip has no segment.
    """
    shared = [rule for rule in AGGREGATES if rule in available_rules(first) and rule in available_rules(second)]
    theirs = _codes(second, first.labels).drop(columns="true")
    rows = _codes(first, first.labels).merge(theirs, on=["utterance_id", "seed"], suffixes=("", " of the second"))
    clips = group_by_clip(rows, [*shared, *(f"{rule} of the second" for rule in shared)])
    each = zip(shared, clips.models[: len(shared)], clips.models[len(shared) :], strict=True)
    n_classes = len(first.labels)
    return {
        rule: paired_differences(group_utterances(clips.true, [one, two], n_classes), np.random.default_rng(seed))
        for rule, one, two in each
    }


def _codes(run: Run, labels: Sequence[str]) -> "pd.DataFrame":
    """Convert a run's test rows to class indices, `true` and under each rule."""
    rows = add_class_indices(run.test_rows, labels)
    place, rules, own = class_indices(run.labels, labels), available_rules(run), stored_rule(run)
    codes = rows[["utterance_id", "seed", "true"]].assign(**{own: rows.code})
    if "utterance" in rules and own != "utterance":
        codes["utterance"] = place[rows[[f"u_{c}" for c in run.labels]].to_numpy(float).argmax(axis=1)]
    if run.segments is not None:
        aligned = run.aligned_segments
        tested = (aligned.rows["split"] == "test").to_numpy()
        for rule in (r for r in rules if r not in codes):
            codes[rule] = place[aggregate_all(aligned.p, aligned.starts, rule)[1][tested]]
    return codes


def rule_table(found: Mapping[str, Mapping[Aggregate, RuleScores]], label: str | None = None) -> "pd.DataFrame":
    """Tabulate UAR, or one class's recall, of each run under each rule: `rule`, `run`, `value`, `low`, `high`, `own`.

    Args:
        found: of each run by name, as `scores_by_rule` has it.
        label: the class whose recall is wanted; UAR where it is None.
    """
    import pandas as pd

    rows: list[tuple[Any, ...]] = []
    for name, by_rule in found.items():
        for rule, of in by_rule.items():
            place = None if label is None else of.pooled.classes.index(label)
            value = of.pooled.uar if place is None else float(of.pooled.recall[place])
            sure = (of.intervals.uar if place is None else of.intervals.recall[place]) or NO_INTERVAL
            rows.append((rule, name, value, sure.low, sure.high, rule == next(iter(by_rule))))
    return pd.DataFrame(rows, columns=["rule", "run", "value", "low", "high", "own"])


def rule_difference_table(found: Mapping[Aggregate, Differences], place: int | None = None) -> "pd.DataFrame":
    """Tabulate the paired difference of UAR, or of one class's recall, under each rule.

    Args:
        found: as `differences_by_rule` has it.
        place: of the class among the first run's; UAR where it is None.
    """
    import pandas as pd

    each = [(rule, of.uar if place is None else of.recall[place]) for rule, of in found.items()]
    rows = [(rule, d.value, d.interval.low, d.interval.high) for rule, d in each]
    return pd.DataFrame(rows, columns=["rule", "difference", "low", "high"])
