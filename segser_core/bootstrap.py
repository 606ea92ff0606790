"""How sure a score is: bootstrap intervals, and the paired difference of two models.

Every score depends on the predictions only through a confusion matrix. Utterances with the same
label and the same predictions are interchangeable, so resampling N utterances is one multinomial
draw over these kinds of utterance, and a resampled confusion matrix is a weighted sum. Everything
here goes from such resampled matrices, (R, M, C, C) for R resamples of M columns of predictions;
another way to resample (say, whole speakers) needs only to return the same array.

An interval by utterance takes clips as independent, which clips of one speaker are not, and holds
for the predictions as they are: it leaves out that another training would predict differently.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from segser_core import metrics
from segser_core.errors import SettingError

RESAMPLES = 2000
LEVEL = 0.95
FEW = 50
MISSING = -1


@dataclass(frozen=True)
class Interval:
    """From `low` to `high`, with the method that found them."""

    low: float
    high: float
    method: Literal["bootstrap", "wilson"] = "bootstrap"


@dataclass(frozen=True)
class Kinds:
    """Utterances grouped by label and predictions.

    Attributes:
        counts: (K,) how many utterances there are of each kind.
        confusions: (K, M, C, C) what one utterance of the kind adds to each column's confusion matrix.
    """

    counts: np.ndarray
    confusions: np.ndarray

    @property
    def observed(self) -> np.ndarray:
        """The confusion matrices of the utterances themselves: (M, C, C)."""
        return np.tensordot(self.counts, self.confusions, axes=1)


def kinds(labels: np.ndarray, predicted: np.ndarray, n_classes: int) -> Kinds:
    """Group utterances, each with all its predictions: those of several seeds, or of two models.

    Args:
        labels: (U,) class indices.
        predicted: (U, M) class indices, `MISSING` where a column has no prediction.
        n_classes: C.

    Raises:
        SettingError: there is no utterance.
    """
    if not len(labels):
        raise SettingError("no utterance to resample; at least one is needed")
    patterns, counts = np.unique(np.column_stack([labels, predicted]), axis=0, return_counts=True)
    true, columns = patterns[:, :1], patterns[:, 1:]
    confusions = np.zeros((*columns.shape, n_classes, n_classes), dtype=np.int64)  # (K, M, C, C)
    kind, column = np.nonzero(columns != MISSING)
    confusions[kind, column, true[kind, 0], columns[kind, column]] = 1
    return Kinds(counts, confusions)


def resample_utterances(of: Kinds, generator: np.random.Generator, resamples: int = RESAMPLES) -> np.ndarray:
    """Confusion matrices of as many utterances, drawn with replacement: (R, M, C, C)."""
    total = of.counts.sum()
    draws = generator.multinomial(total, of.counts / total, size=resamples)  # (R, K)
    flat = draws.astype(float) @ of.confusions.reshape(len(of.counts), -1)
    return flat.reshape(resamples, *of.confusions.shape[1:])


def percentile(values: np.ndarray, level: float = LEVEL) -> Interval:
    """The middle `level` of resampled values (R,); those that are NaN are left out."""
    known = values[~np.isnan(values)]
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2]) if len(known) else (np.nan, np.nan)
    return Interval(float(low), float(high))


def wilson(share: float, n: float, level: float = LEVEL) -> Interval:
    """Wilson's score interval of a share of n independent trials (Wilson 1927), 0 to 1."""
    from scipy.special import ndtri

    z = float(ndtri((1 + level) / 2))
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return Interval(max(0.0, float(middle - half)), min(1.0, float(middle + half)), "wilson")


def recall_interval(share: float, n: int, draws: np.ndarray, level: float = LEVEL) -> Interval | None:
    """The interval of one class's recall; None for a class without a sample.

    Below `FEW` clips, and where all or none were found, the bootstrap is too narrow (of no width
    even), and Wilson's interval is given instead.

    Args:
        share: the recall, 0 to 1.
        n: utterances of the class.
        draws: (R,) resampled recalls.
    """
    if not n:
        return None
    return wilson(share, n, level) if n < FEW or share in (0.0, 1.0) else percentile(draws, level)


@dataclass(frozen=True)
class Intervals:
    """Intervals of a model's scores; `recall` (C,) in the order of the classes, None without a sample."""

    uar: Interval
    accuracy: Interval
    macro_f1: Interval
    recall: tuple[Interval | None, ...]


def intervals(of: Kinds, generator: np.random.Generator, resamples: int = RESAMPLES) -> Intervals:
    """Intervals by utterance of one model, whose columns (seeds) are pooled.

    An utterance is drawn with all its seeds: they are one clip, not several.
    """
    draws = resample_utterances(of, generator, resamples).sum(axis=1)  # (R, C, C)
    of_classes = metrics.recall(of.observed.sum(axis=0))
    clips = np.tensordot(of.counts, of.confusions.any(axis=1).any(axis=-1), axes=1)  # (C,)
    drawn = metrics.recall(draws)
    return Intervals(
        percentile(metrics.uar(draws)),
        percentile(metrics.accuracy(draws)),
        percentile(metrics.macro_f1(draws)),
        tuple(
            recall_interval(float(r), int(n), drawn[:, c])
            for c, (r, n) in enumerate(zip(of_classes, clips, strict=True))
        ),
    )


@dataclass(frozen=True)
class Difference:
    """How far the first model is above the second, with its interval; NaN where a class has no sample."""

    value: float
    interval: Interval


@dataclass(frozen=True)
class Differences:
    """The paired differences of two models; `recall` (C,) in the order of the classes."""

    uar: Difference
    accuracy: Difference
    macro_f1: Difference
    recall: tuple[Difference, ...]


def differences(of: Kinds, n_first: int, generator: np.random.Generator, resamples: int = RESAMPLES) -> Differences:
    """First model minus second, both on the same resampled utterances.

    Args:
        of: the joint predictions; columns 0 to `n_first` − 1 are the first model's (its seeds), the rest the second's.
        n_first: number of the first model's columns.
        generator: draws the resamples.
        resamples: how many.
    """
    draws = resample_utterances(of, generator, resamples)
    first, second = draws[:, :n_first].sum(axis=1), draws[:, n_first:].sum(axis=1)  # (R, C, C) each
    seen_first, seen_second = of.observed[:n_first].sum(axis=0), of.observed[n_first:].sum(axis=0)

    def between(score: Callable[[np.ndarray], np.ndarray]) -> Difference:
        return Difference(float(score(seen_first) - score(seen_second)), percentile(score(first) - score(second)))

    by_class = tuple(between(partial(_recall_of, c)) for c in range(of.confusions.shape[-1]))
    return Differences(between(metrics.uar), between(metrics.accuracy), between(metrics.macro_f1), by_class)


def _recall_of(index: int, confusions: np.ndarray) -> np.ndarray:
    return metrics.recall(confusions)[..., index]
