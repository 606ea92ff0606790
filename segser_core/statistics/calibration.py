"""Measure calibration: expected calibration error, by number of segments, and temperature scaling.

Of clips judged with confidence 0.8, eight in ten should be right. The maximum over more segments is
higher whether right or wrong, hence the second split, by how many segments a clip has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from segser_core.runs.class_indices import class_indices
from segser_core.runs.reaggregate import count_segments
from segser_core.runs.run import Run
from segser_core.runs.test_split import select_test_rows

if TYPE_CHECKING:
    import pandas as pd


BINS = 10
SEGMENT_GROUPS = (1, 2, 3, 5, 9)  # where each begins; the last has no end
LEAST_P = 1e-6
TEMPERATURES = (0.05, 20.0)
MODEL = ["seed", "fold"]


@dataclass(frozen=True)
class ReliabilityBin:
    """Rows whose confidence is above `low` and at most `high`; the means are NaN where `count` is 0."""

    low: float
    high: float
    mean_confidence: float
    accuracy: float
    count: int


@dataclass(frozen=True)
class SegmentGroup:
    """Rows of clips with `n_low` to `n_high` segments, both included; `count` is above 0."""

    n_low: int
    n_high: int
    mean_confidence: float
    accuracy: float
    ece: float
    count: int


@dataclass(frozen=True)
class Calibration:
    """Calibration of a run's confidences on the test split, all seeds and folds together.

    Attributes:
        ece: expected calibration error, 0 to 1.
        bins: `BINS` of equal width, from 0 to 1.
        by_segments: groups that have a row; empty where the number of segments is not known.
        temperature: fitted on development rows; the median where several models (seed, fold) have one
            each; None unless each model has development rows.
        ece_at_temperature: with each model's own temperature and every label as it was; None without.
    """

    ece: float
    bins: tuple[ReliabilityBin, ...]
    by_segments: tuple[SegmentGroup, ...]
    temperature: float | None
    ece_at_temperature: float | None


def measure_calibration(
    predictions: "pd.DataFrame", labels: Sequence[str], segments_per_clip: "pd.Series | None" = None
) -> Calibration:
    """Measure the calibration of a run's test predictions.

    Args:
        predictions: rows of predictions.parquet, with `confidence` and p_<class>.
        labels: the classes, in order.
        segments_per_clip: how many segments each clip has; its index has levels named utterance_id, seed
            and, where clips recur, fold. Clips that it lacks are in no group.

    Raises:
        RunError: as in `rows.test_rows`.
        SettingError: a label is no class.
    """
    rows = select_test_rows(predictions)
    confidence, right = rows.confidence.to_numpy(float), rows.predicted.to_numpy() == rows.label.to_numpy()
    bins = reliability_bins(confidence, right)
    temperatures = _temperatures(predictions, rows, labels)
    return Calibration(
        expected_calibration_error(bins),
        bins,
        () if segments_per_clip is None else _by_segments(_counts(rows, segments_per_clip), confidence, right),
        None if temperatures is None else float(np.median(list(temperatures.values()))),
        None if temperatures is None else _error_at(temperatures, rows, labels, right),
    )


def reliability_bins(confidence: np.ndarray, right: np.ndarray) -> tuple[ReliabilityBin, ...]:
    """Average confidence and accuracy in bins of equal width, each open below and closed above (Guo et al. 2017).

    Args:
        confidence: (N,) the probability of the label, 0 to 1; 0 falls in the first bin.
        right: (N,) bool.
    """
    edges = np.linspace(0, 1, BINS + 1)
    place = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, BINS - 1)
    counts = np.bincount(place, minlength=BINS)
    with np.errstate(invalid="ignore"):
        means, shares = (np.bincount(place, weights=v, minlength=BINS) / counts for v in (confidence, right))
    each = zip(edges[:-1].tolist(), edges[1:].tolist(), means.tolist(), shares.tolist(), counts.tolist(), strict=True)
    return tuple(ReliabilityBin(*values) for values in each)


def expected_calibration_error(bins: Sequence[ReliabilityBin]) -> float:
    """Compute ECE: each bin's gap between confidence and accuracy, weighed by its rows; NaN without rows.

    Example:
        >>> bins = reliability_bins(np.array([0.95, 0.95, 0.55]), np.array([True, False, True]))
        >>> round(expected_calibration_error(bins), 2)
        0.45
    """
    filled = [b for b in bins if b.count]
    total = sum(b.count for b in filled)
    return sum(b.count * abs(b.mean_confidence - b.accuracy) for b in filled) / total if total else float("nan")


def _counts(rows: "pd.DataFrame", segments_per_clip: "pd.Series") -> np.ndarray:
    """Count the segments of each row, 0 where it is not known: (N,) int."""
    import pandas as pd

    known = segments_per_clip[~segments_per_clip.index.duplicated()]
    place = known.index.get_indexer(pd.MultiIndex.from_frame(rows[list(known.index.names)]))
    return np.where(place >= 0, known.to_numpy()[place], 0) if len(known) else np.zeros(len(rows), dtype=int)


def _by_segments(counts: np.ndarray, confidence: np.ndarray, right: np.ndarray) -> tuple[SegmentGroup, ...]:
    groups = []
    for low, end in zip(SEGMENT_GROUPS, (*SEGMENT_GROUPS[1:], max(counts.max(), SEGMENT_GROUPS[-1]) + 1), strict=True):
        of = (counts >= low) & (counts < end)
        if of.any():
            sure, hit = confidence[of], right[of]
            error = expected_calibration_error(reliability_bins(sure, hit))
            means = float(sure.mean()), float(hit.mean())
            groups.append(SegmentGroup(low, int(end) - 1, *means, error, int(of.sum())))
    return tuple(groups)


def _temperatures(
    predictions: "pd.DataFrame", rows: "pd.DataFrame", labels: Sequence[str]
) -> dict[tuple[int, int], float] | None:
    """Fit the temperature of each model (seed, fold) that is tested; None unless all have development rows."""
    if "split" not in predictions:
        return None
    dev = predictions[predictions["split"] == "dev"]
    of_model = dict(list(dev.assign(**{c: 0 for c in MODEL if c not in dev}).groupby(MODEL)))
    tested = [tuple(model) for model in rows[MODEL].drop_duplicates().to_numpy().tolist()]
    if any(model not in of_model for model in tested):
        return None
    return {
        model: fit_temperature(_log_p(of_model[model], labels), class_indices(of_model[model].label, labels))
        for model in tested
    }


def _log_p(rows: "pd.DataFrame", labels: Sequence[str]) -> np.ndarray:
    """Take logarithms (N, C); a probability below `LEAST_P`, such as a class without a vote, counts as that."""
    return np.log(np.maximum(rows[[f"p_{c}" for c in labels]].to_numpy(float), LEAST_P))


def fit_temperature(log_p: np.ndarray, true: np.ndarray) -> float:
    """Fit the T for which softmax(log p / T) gives the true classes the highest likelihood (Guo et al. 2017).

    Above 1 where the model is too sure. Held within `TEMPERATURES`: where every clip is right, no T is
    low enough.

    Args:
        log_p: (N, C), N >= 1.
        true: (N,) class indices.
    """
    from scipy.optimize import minimize_scalar

    of_true = float(log_p[np.arange(len(true)), true].mean())
    least, most = np.log(TEMPERATURES)

    def loss(log_t: float) -> float:
        sharpness = np.exp(-log_t)
        return float(np.log(np.exp(log_p * sharpness).sum(axis=1)).mean()) - sharpness * of_true

    return float(np.exp(minimize_scalar(loss, bounds=(least, most), method="bounded", options={"xatol": 1e-4}).x))


def _error_at(
    temperatures: dict[tuple[int, int], float], rows: "pd.DataFrame", labels: Sequence[str], right: np.ndarray
) -> float:
    """Compute ECE when each model's probabilities are tempered and its labels stay."""
    of_row = np.array([temperatures[m] for m in zip(rows.seed.tolist(), rows.fold.tolist(), strict=True)])
    tempered = np.exp(_log_p(rows, labels) / of_row[:, None])  # (N, C)
    chosen = class_indices(rows.predicted, labels)
    confidence = tempered[np.arange(len(rows)), chosen] / tempered.sum(axis=1)
    return expected_calibration_error(reliability_bins(confidence, right))


def run_calibration(run: Run) -> Calibration:
    """Measure the calibration of a run, by number of segments where it has them."""
    return measure_calibration(run.predictions, run.labels, count_segments(run))
