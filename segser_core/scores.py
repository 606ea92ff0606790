"""From a run's predictions to its scores with intervals, and from two runs' to their paired difference.

Works on the rows of predictions.parquet (`runs.py`): `utterance_id`, `label`, `predicted`, and as
known `seed`, `fold`, `split`, `speaker`. Every number is of the test split.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from segser_core import metrics
from segser_core.bootstrap import MISSING, Differences, Interval, Intervals, differences, intervals, kinds
from segser_core.errors import RunError
from segser_core.metrics import Scores

if TYPE_CHECKING:
    import pandas as pd

SCORES = ("uar", "accuracy", "macro_f1")


@dataclass(frozen=True)
class Summary:
    """The scores of one run's test predictions.

    Attributes:
        pooled: over all rows, folds and seeds together.
        intervals: of the pooled scores, by utterance.
        per_fold, per_seed: in order of their numbers.
        utterances: how many clips there are; each counts once, whatever the seeds.
        speakers: how many speakers they have, 0 where it is not known.
    """

    pooled: Scores
    intervals: Intervals
    per_fold: tuple[Scores, ...]
    per_seed: tuple[Scores, ...]
    utterances: int
    speakers: int


def test_rows(predictions: "pd.DataFrame") -> "pd.DataFrame":
    """The rows of the test split, with `seed` and `fold` (0 where the table has none).

    Raises:
        RunError: there is none, a clip occurs twice under one seed, or has two labels.
    """
    rows = predictions[predictions["split"] == "test"] if "split" in predictions else predictions
    if rows.empty:
        raise RunError("there is no test utterance among the predictions; scores are of the test split alone")
    rows = rows.assign(**{column: 0 for column in ("seed", "fold") if column not in rows})
    twice = rows[rows.duplicated(["utterance_id", "seed"])]
    if len(twice):
        raise RunError(f"utterance {twice.utterance_id.iloc[0]} is tested twice under one seed; each must be once")
    of_clip = rows.groupby("utterance_id").label.nunique()
    if (of_clip > 1).any():
        raise RunError(f"utterance {of_clip.idxmax()} has different labels in different rows")
    return rows


def summarise(predictions: "pd.DataFrame", labels: Sequence[str], seed: int = 0) -> Summary:
    """The scores of a run.

    Args:
        predictions: rows of predictions.parquet.
        labels: the classes, in order.
        seed: of the resampling.

    Raises:
        RunError: see `test_rows`.
        SettingError: a label or prediction is no class.
    """
    rows = test_rows(predictions)
    of = kinds(*_wide(rows, labels), len(labels))
    return Summary(
        metrics.score_confusion(of.observed.sum(axis=0), labels),
        intervals(of, np.random.default_rng(seed)),
        _per(rows, "fold", labels),
        _per(rows, "seed", labels),
        int(rows.utterance_id.nunique()),
        int(rows.speaker.nunique()) if "speaker" in rows else 0,
    )


def _per(rows: "pd.DataFrame", column: str, labels: Sequence[str]) -> tuple[Scores, ...]:
    groups = (group for _, group in rows.groupby(column))
    return tuple(metrics.score(g.label.tolist(), g.predicted.tolist(), labels) for g in groups)


def _wide(rows: "pd.DataFrame", labels: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Class indices of the utterances (U,) and of their predictions by seed (U, M)."""
    coded = rows.assign(true=metrics.indices(rows.label, labels), code=metrics.indices(rows.predicted, labels))
    wide = coded.pivot(index="utterance_id", columns="seed", values="code").fillna(MISSING).astype(int)
    true = coded.drop_duplicates("utterance_id").set_index("utterance_id").true
    return true.loc[wide.index].to_numpy(), wide.to_numpy()


def metrics_of(predictions: "pd.DataFrame", labels: Sequence[str], seed: int = 0) -> dict[str, Any]:
    """The content of metrics.json: fractions; null where a class has no sample. Errors as in `summarise`."""
    return metrics_json(summarise(predictions, labels, seed))


def metrics_json(summary: Summary) -> dict[str, Any]:
    """A summary as metrics.json has it."""
    pooled, by_class = summary.pooled, summary.pooled.classes
    return {
        **{name: _score_json(summary, name) for name in SCORES},
        "recall": {c: _number(r) for c, r in zip(by_class, pooled.recall, strict=True)},
        "intervals": {
            **{name: _bounds(getattr(summary.intervals, name)) for name in SCORES},
            "recall": {c: _bounds(i) for c, i in zip(by_class, summary.intervals.recall, strict=True)},
        },
        "classes_present": {"pooled": pooled.present, "per_fold": [s.present for s in summary.per_fold]},
        "utterances": summary.utterances,
    }


def _score_json(summary: Summary, name: str) -> dict[str, Any]:
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


@dataclass(frozen=True)
class Comparison:
    """First run minus second, on the utterances (and seeds) that both have.

    `left_out` counts the rows of either run that the other one lacks.
    """

    classes: tuple[str, ...]
    differences: Differences
    utterances: int
    left_out: int


def compare(first: "pd.DataFrame", second: "pd.DataFrame", labels: Sequence[str], seed: int = 0) -> Comparison:
    """The paired difference of two runs' predictions, by utterance and seed.

    Args:
        first, second: rows of predictions.parquet.
        labels: the classes of both.
        seed: of the resampling.

    Raises:
        RunError: no utterance and seed in common, a clip whose labels differ, or as in `test_rows`.
    """
    keyed = [test_rows(p).set_index(["utterance_id", "seed"]).sort_index() for p in (first, second)]
    common = keyed[0].index.intersection(keyed[1].index)
    if common.empty:
        raise RunError("the two runs have no test utterance of the same seed in common, so nothing can be paired")
    one, two = (k.loc[common] for k in keyed)
    differing = common[one.label.to_numpy() != two.label.to_numpy()]
    if len(differing):
        raise RunError(f"{len(differing)} utterances have another label in the other run, {differing[0][0]} among them")
    true, of_first = _wide(one.reset_index(), labels)
    _, of_second = _wide(two.reset_index(), labels)
    of = kinds(true, np.hstack([of_first, of_second]), len(labels))
    found = differences(of, of_first.shape[1], np.random.default_rng(seed))
    return Comparison(tuple(labels), found, len(true), sum(len(k) - len(common) for k in keyed))
