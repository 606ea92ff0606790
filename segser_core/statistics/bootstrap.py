"""Resample scores: bootstrap intervals by utterance and by speaker.

Every score depends on the predictions only through a confusion matrix. Utterances with the same
label and the same predictions are interchangeable, so resampling N utterances is one multinomial
draw over these kinds of utterance, and a resampled confusion matrix is a weighted sum. Resampling G
speakers is the same with a kind for each speaker. Seeds are summed within a kind: a clip or a
speaker is drawn together with all its seeds.

The estimand is the score that these models would reach on endlessly many clips drawn like these: by
utterance, of the same speakers, clips taken as independent, which clips of one speaker are not; by
speaker, of new speakers drawn like these. Both hold for the models as they are: they leave out that
another training would predict differently. How often they cover it: benchmarks/coverage.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from segser_core.errors import SettingError
from segser_core.statistics import metrics

RESAMPLES = 10_000
FEWEST_RESAMPLES = 1000
MOST_DRAWN_AT_ONCE = 10_000_000  # numbers drawn in all, about a second
CHUNK = 2_000_000  # numbers held at once: 16 MB
LEVEL = 0.95
FEW_CLIPS = 50  # clips of a class
FEWEST_SPEAKERS = 5
FEW_SPEAKERS = 20
COVERAGE_AT_10 = 0.951  # of 2000 simulated 95 % intervals of UAR by 10 speakers (benchmarks/coverage.py)
MISSING = -1


@dataclass(frozen=True)
class Interval:
    """Interval from `low` to `high`, with the method that found it."""

    low: float
    high: float
    method: Literal["bootstrap", "wilson", "newcombe"] = "bootstrap"


NO_INTERVAL = Interval(np.nan, np.nan)


@dataclass(frozen=True)
class ResamplingUnits:
    """Units that are drawn: utterances grouped by label and predictions, or speakers.

    Attributes:
        counts: (K,) how many there are of each kind.
        confusions: (K, M, C, C) what one of the kind adds to the confusion matrix of each of M models.
        by_speaker: whether a kind is a speaker.
    """

    counts: np.ndarray
    confusions: np.ndarray
    by_speaker: bool = False

    @property
    def observed(self) -> np.ndarray:
        """Return the confusion matrices of the models themselves: (M, C, C)."""
        return np.tensordot(self.counts, self.confusions, axes=1).astype(np.int64)

    @property
    def clusters(self) -> int | None:
        """Count the speakers that are drawn; None where utterances are."""
        return int(self.counts.sum()) if self.by_speaker else None

    @property
    def holders(self) -> np.ndarray:
        """Count the utterances, or speakers, that have each class: (C,)."""
        return self.counts @ self.confusions.any(axis=(1, 3))


def group_utterances(labels: np.ndarray, models: Sequence[np.ndarray], n_classes: int) -> ResamplingUnits:
    """Group utterances, each with all its predictions.

    Args:
        labels: (U,) class indices.
        models: of each model, (U, S) class indices by seed, `MISSING` where there is none.
        n_classes: C.

    Raises:
        SettingError: there is no utterance.
    """
    if not len(labels):
        raise SettingError("no utterance to resample; at least one is needed")
    sorted_seeds = [np.sort(m, axis=1) for m in models]  # which seed said what is of no account
    patterns = np.column_stack([labels, *sorted_seeds]).astype(np.int8)
    rows = np.ascontiguousarray(patterns).view(f"V{patterns.shape[1]}").ravel()
    _, first, counts = np.unique(rows, return_index=True, return_counts=True)
    each = np.arange(len(first))
    return ResamplingUnits(counts, _tally(labels[first], [m[first] for m in models], each, n_classes))


def group_speakers(
    labels: np.ndarray, models: Sequence[np.ndarray], speaker: np.ndarray, n_classes: int
) -> ResamplingUnits:
    """Group utterances by speaker: a unit for each of G speakers.

    Args:
        labels, models, n_classes: as in `group_utterances`.
        speaker: (U,) indices, 0 to G − 1, each of which occurs.
    """
    tally = _tally(labels, models, speaker, n_classes)
    return ResamplingUnits(np.ones(len(tally), dtype=np.int64), tally, by_speaker=True)


def _tally(labels: np.ndarray, models: Sequence[np.ndarray], group: np.ndarray, n_classes: int) -> np.ndarray:
    """Count confusion matrices by group and model, (G, M, C, C), float32: exact for counts below 2^24."""
    shape = (int(group.max()) + 1, len(models), n_classes, n_classes)
    total = np.zeros(np.prod(shape), dtype=np.float32)
    for m, predicted in enumerate(models):
        row, seed = np.nonzero(predicted != MISSING)
        cells = ((group[row] * len(models) + m) * n_classes + labels[row]) * n_classes + predicted[row, seed]
        total += np.bincount(cells, minlength=len(total)).astype(np.float32)
    return total.reshape(shape)


def resample_confusions(of: ResamplingUnits, generator: np.random.Generator, resamples: int = RESAMPLES) -> np.ndarray:
    """Draw as many utterances, or speakers, with replacement: confusion matrices (R, M, C, C).

    R is `resamples`, or fewer, never below `FEWEST_RESAMPLES`, where kinds are so many that more
    than `MOST_DRAWN_AT_ONCE` numbers would be drawn.
    """
    resamples = min(resamples, max(FEWEST_RESAMPLES, MOST_DRAWN_AT_ONCE // len(of.counts)))
    order = np.argsort(-of.counts, kind="stable")  # a draw ends when nothing is left: the common kinds first
    counts, flat = of.counts[order], of.confusions[order].reshape(len(of.counts), -1)
    drawn = np.empty((flat.shape[1], resamples))  # resamples beside one another in memory: sums over classes are quick
    step = max(1, CHUNK // len(counts))
    for start in range(0, resamples, step):
        part = drawn[:, start : start + step]
        draws = generator.multinomial(counts.sum(), counts / counts.sum(), size=part.shape[1])  # (≤ step, K)
        part[:] = (draws.astype(np.float32) @ flat).T
    return np.moveaxis(drawn.reshape(*of.confusions.shape[1:], resamples), -1, 0)


def expanded_tail(tail: float, n: int) -> float:
    """Widen the tail of a percentile interval for n clusters: Φ(√(n/(n−1)) · t_{n−1}(tail)).

    Hesterberg (2015, section 5.3): the plain percentile interval is too narrow by the factor √((n−1)/n)
    and by taking a normal for a t quantile. For 10 clusters 0.025 becomes 0.0085.
    """
    from scipy.special import ndtr, stdtrit

    return float(ndtr(np.sqrt(n / (n - 1)) * stdtrit(n - 1, tail)))


def percentile_interval(values: np.ndarray, level: float = LEVEL, clusters: int | None = None) -> Interval:
    """Take the middle `level` of resampled values (R,), expanded for few clusters, NaN left out."""
    known = values[~np.isnan(values)]
    tail = (1 - level) / 2 if clusters is None else expanded_tail((1 - level) / 2, clusters)
    low, high = np.quantile(known, [tail, 1 - tail]) if len(known) else (np.nan, np.nan)
    return Interval(float(low), float(high))


def wilson_interval(share: float, n: float, level: float = LEVEL) -> Interval:
    """Compute Wilson's score interval of a share of n independent trials (Wilson 1927), 0 to 1.

    Example:
        >>> interval = wilson_interval(0.9, 20)
        >>> round(interval.low, 3), round(interval.high, 3)
        (0.699, 0.972)
    """
    from scipy.special import ndtri

    z = float(ndtri((1 + level) / 2))
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return Interval(max(0.0, float(middle - half)), min(1.0, float(middle + half)), "wilson")


def recall_interval(share: float, n: int, draws: np.ndarray, level: float = LEVEL) -> Interval | None:
    """Find the interval of one class's recall by utterance; None for a class without a sample.

    Below `FEW_CLIPS` clips, and where all or none were found, the bootstrap is too narrow (of no width
    even), and Wilson's interval is given instead.

    Args:
        share: the recall, 0 to 1.
        n: utterances of the class.
        draws: (R,) resampled recalls.
    """
    if not n:
        return None
    if n < FEW_CLIPS or share in (0.0, 1.0):
        return wilson_interval(share, n, level)
    return percentile_interval(draws, level)


def recall_interval_by_speaker(share: float, n: int, draws: np.ndarray, level: float = LEVEL) -> Interval | None:
    """Find the interval of one class's recall by speaker; None if fewer than `FEWEST_SPEAKERS` have the class.

    Where all or none were found it is Wilson's, a speaker counting as one trial.

    Args:
        share: the recall, 0 to 1.
        n: speakers who have the class.
        draws: (R,) resampled recalls, NaN where no speaker drawn has the class.
    """
    if n < FEWEST_SPEAKERS:
        return None
    return wilson_interval(share, n, level) if share in (0.0, 1.0) else percentile_interval(draws, level, n)


@dataclass(frozen=True)
class ScoreIntervals:
    """Intervals of a model's scores.

    Attributes:
        uar, accuracy, macro_f1: of the pooled scores.
        recall: (C,) in the order of the classes; None without a sample, or with too few speakers.
        resamples: how many were drawn.
    """

    uar: Interval
    accuracy: Interval
    macro_f1: Interval
    recall: tuple[Interval | None, ...]
    resamples: int


def score_intervals(of: ResamplingUnits, generator: np.random.Generator, resamples: int = RESAMPLES) -> ScoreIntervals:
    """Find intervals of one model, by utterance or by speaker, its seeds pooled.

    Example:
        >>> true, model = np.array([0] * 60 + [1] * 60), np.array(([0] * 5 + [1]) * 10 + [1] * 60)
        >>> units = group_utterances(true, [model[:, None]], 2)
        >>> found = score_intervals(units, np.random.default_rng(0)).uar
        >>> round(found.low, 2), round(found.high, 2)
        (0.87, 0.96)
    """
    draws, clusters = resample_confusions(of, generator, resamples)[:, 0], of.clusters  # (R, C, C)
    interval = recall_interval_by_speaker if of.by_speaker else recall_interval
    seen, drawn = metrics.class_recall(of.observed[0]), metrics.class_recall(draws)
    return ScoreIntervals(
        percentile_interval(metrics.uar(draws), clusters=clusters),
        percentile_interval(metrics.accuracy(draws), clusters=clusters),
        percentile_interval(metrics.macro_f1(draws), clusters=clusters),
        tuple(interval(float(r), int(n), drawn[:, c]) for c, (r, n) in enumerate(zip(seen, of.holders, strict=True))),
        len(draws),
    )
