"""Score a run's predictions with intervals, and compare two runs' predictions.

Works on the rows of predictions.parquet (`rows.py`). Every number is of the test split.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from segser_core.errors import RunError
from segser_core.runs.class_indices import add_class_indices
from segser_core.runs.run import Run
from segser_core.runs.test_split import select_test_rows
from segser_core.statistics import metrics
from segser_core.statistics.bootstrap import FEW_SPEAKERS, Interval, ScoreIntervals, group_utterances, score_intervals
from segser_core.statistics.clip_predictions import group_by_clip
from segser_core.statistics.hypothesis_tests import McNemar, holm_adjust, mcnemar_test
from segser_core.statistics.metrics import SCORES, Agreement, Scores, measure_agreement
from segser_core.statistics.paired_difference import Differences, paired_differences
from segser_core.statistics.scores_by_corpus import by_corpus_to_json, scores_by_corpus

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class ScoreSummary:
    """Scores of one run's test predictions.

    Attributes:
        pooled: over all rows, folds and seeds together.
        intervals: of the pooled scores, by utterance.
        per_fold, per_seed: in order of their numbers.
        utterances: how many clips there are; each counts once, whatever the seeds.
        speakers: how many speakers they have, 0 where one clip's or more is not known.
        by_speaker: intervals of the pooled scores by speaker; None below `FEWEST_SPEAKERS`.
    """

    pooled: Scores
    intervals: ScoreIntervals
    per_fold: tuple[Scores, ...]
    per_seed: tuple[Scores, ...]
    utterances: int
    speakers: int
    by_speaker: ScoreIntervals | None

    @property
    def few_speakers(self) -> bool:
        """Check whether the speakers are known and fewer than an interval by speaker should have."""
        return 0 < self.speakers < FEW_SPEAKERS


def summarise_scores(predictions: "pd.DataFrame", labels: Sequence[str], seed: int = 0) -> ScoreSummary:
    """Score a run's test predictions, with intervals.

    Args:
        predictions: rows of predictions.parquet.
        labels: the classes, in order.
        seed: of the resampling.

    Raises:
        RunError: see `select_test_rows`.
        SettingError: a label or prediction is no class.
    """
    rows = add_class_indices(select_test_rows(predictions), labels)
    clips = group_by_clip(rows, ["code"])
    of = group_utterances(clips.true, clips.models, len(labels))
    grouped = clips.by_speaker(len(labels))
    return ScoreSummary(
        pooled=metrics.scores_from_confusion(of.observed[0], labels),
        intervals=score_intervals(of, np.random.default_rng(seed)),
        per_fold=_per(rows, "fold", labels),
        per_seed=_per(rows, "seed", labels),
        utterances=len(clips.true),
        speakers=clips.speakers,
        by_speaker=None if grouped is None else score_intervals(grouped, np.random.default_rng(seed)),
    )


def _per(rows: "pd.DataFrame", column: str, labels: Sequence[str]) -> tuple[Scores, ...]:
    groups = (group for _, group in rows.groupby(column))
    counted = (metrics.count_confusions(g.true.to_numpy(), g.code.to_numpy(), len(labels)) for g in groups)
    return tuple(metrics.scores_from_confusion(matrix, labels) for matrix in counted)


def compute_metrics(predictions: "pd.DataFrame", labels: Sequence[str], seed: int = 0) -> dict[str, Any]:
    """Compute the content of metrics.json: fractions; null where a class has no sample.

    `by_corpus` is there where the test clips are of several corpora.
    """
    by_corpus = scores_by_corpus(predictions, labels, seed)
    return summary_to_json(summarise_scores(predictions, labels, seed)) | by_corpus_to_json(by_corpus)


def summary_to_json(summary: ScoreSummary) -> dict[str, Any]:
    """Convert a summary to the content of metrics.json."""
    pooled, by_class = summary.pooled, summary.pooled.classes
    return {
        **{name: _score_json(summary, name) for name in SCORES},
        "recall": {c: _number(r) for c, r in zip(by_class, pooled.recall, strict=True)},
        "intervals": _intervals_json(summary.intervals, by_class),
        "intervals_by_speaker": None if summary.by_speaker is None else _intervals_json(summary.by_speaker, by_class),
        "classes_present": {"pooled": pooled.present, "per_fold": [s.present for s in summary.per_fold]},
        "utterances": summary.utterances,
    }


def _intervals_json(of: ScoreIntervals, classes: Sequence[str]) -> dict[str, Any]:
    return {
        **{name: _bounds(getattr(of, name)) for name in SCORES},
        "recall": {c: _bounds(i) for c, i in zip(classes, of.recall, strict=True)},
    }


def _score_json(summary: ScoreSummary, name: str) -> dict[str, Any]:
    per_fold = [getattr(s, name) for s in summary.per_fold]
    return {
        "pooled": _number(getattr(summary.pooled, name)),
        "mean_of_folds": _number(float(np.mean(per_fold))),
        "per_fold": [_number(v) for v in per_fold],
        "per_seed": [_number(getattr(s, name)) for s in summary.per_seed],
    }


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _bounds(interval: Interval | None) -> list[float | None] | None:
    return None if interval is None else [_number(interval.low), _number(interval.high)]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """First run minus second, on the utterances (and seeds) that both have.

    Attributes:
        classes: the order of what is by class.
        differences: by utterance.
        by_speaker: the same by speaker; None below `FEWEST_SPEAKERS`.
        mcnemar: one test a seed.
        holm: of each class's recall difference by utterance, the two-sided p adjusted for the number of
            classes; NaN where a class has no sample.
        holm_by_speaker: the same by speaker; NaN also where too few speakers have the class.
        agreement: over all rows.
        utterances, speakers: how many there are, the latter 0 where one clip's or more is not known.
        left_out: the rows of either run that the other one lacks.
    """

    classes: tuple[str, ...]
    differences: Differences
    by_speaker: Differences | None
    mcnemar: tuple[McNemar, ...]
    holm: tuple[float, ...]
    holm_by_speaker: tuple[float, ...] | None
    agreement: Agreement
    utterances: int
    speakers: int
    left_out: int

    @property
    def few_speakers(self) -> bool:
        """Check whether the speakers are known and fewer than an interval by speaker should have."""
        return 0 < self.speakers < FEW_SPEAKERS


def compare_predictions(
    first: "pd.DataFrame", second: "pd.DataFrame", labels: Sequence[str], seed: int = 0
) -> Comparison:
    """Compare two runs' predictions, paired by utterance and seed; speakers are those of the first.

    Args:
        first, second: rows of predictions.parquet.
        labels: the classes of both.
        seed: of the resampling.

    Raises:
        RunError: no utterance and seed in common, a clip whose labels differ, or as in `select_test_rows`.
    """
    rows, left_out = _paired_rows(first, second, labels)
    clips = group_by_clip(rows, ["code", "other"])
    by_utterance = paired_differences(
        group_utterances(clips.true, clips.models, len(labels)), np.random.default_rng(seed)
    )
    grouped = clips.by_speaker(len(labels))
    by_speaker = None if grouped is None else paired_differences(grouped, np.random.default_rng(seed))
    true, one, two = (rows[column].to_numpy() for column in ("true", "code", "other"))
    return Comparison(
        classes=tuple(labels),
        differences=by_utterance,
        by_speaker=by_speaker,
        mcnemar=_mcnemar_by_seed(rows.seed.to_numpy(), one == true, two == true),
        holm=_holm(by_utterance),
        holm_by_speaker=None if by_speaker is None else _holm(by_speaker),
        agreement=measure_agreement(true, one, two, len(labels)),
        utterances=len(clips.true),
        speakers=clips.speakers,
        left_out=left_out,
    )


def _holm(of: Differences) -> tuple[float, ...]:
    return holm_adjust([d.p_value for d in of.recall])


def _paired_rows(first: "pd.DataFrame", second: "pd.DataFrame", labels: Sequence[str]) -> tuple["pd.DataFrame", int]:
    """Merge the class indices of both runs (`code`, `other`), and count the rows without a partner."""
    one, two = (add_class_indices(select_test_rows(predictions), labels) for predictions in (first, second))
    key = ["utterance_id", "seed"]
    theirs = two[[*key, "true", "code"]].rename(columns={"true": "other_true", "code": "other"})
    rows = one.merge(theirs, on=key)
    if rows.empty:
        raise RunError("the two runs have no test utterance of the same seed in common, so nothing can be paired")
    differing = rows.utterance_id[rows.true != rows.other_true]
    if len(differing):
        raise RunError(
            f"{len(differing)} utterances have another label in the other run, {differing.iloc[0]} among them"
        )
    return rows, len(one) + len(two) - 2 * len(rows)


def _mcnemar_by_seed(seed: np.ndarray, first_right: np.ndarray, second_right: np.ndarray) -> tuple[McNemar, ...]:
    each = ((int(s), seed == s) for s in np.unique(seed))
    return tuple(mcnemar_test(first_right[of], second_right[of], s) for s, of in each)


def compare_runs(first: Run, second: Run) -> Comparison:
    """Compare two runs on the same clips.

    Raises:
        RunError: they know different classes, share no clip and seed, or label a clip differently.
    """
    if set(first.labels) != set(second.labels):
        raise RunError(
            f"{first.name} and {second.name} know different classes ({', '.join(first.labels)}; "
            f"{', '.join(second.labels)}), so their scores cannot be paired"
        )
    return compare_predictions(first.test_rows, second.test_rows, first.labels)
