"""Compare two models on the same resampled utterances, or speakers: paired differences."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from segser_core.statistics import metrics
from segser_core.statistics.bootstrap import (
    FEW_CLIPS,
    FEWEST_SPEAKERS,
    LEVEL,
    NO_INTERVAL,
    RESAMPLES,
    Interval,
    ResamplingUnits,
    percentile_interval,
    resample_confusions,
    wilson_interval,
)
from segser_core.statistics.hypothesis_tests import sign_test

FEW_APART = 10  # clips of a class that only one model has right
PAIRS = ((True, True), (True, False), (False, True), (False, False))


@dataclass(frozen=True)
class Difference:
    """Paired difference, first model minus second.

    Attributes:
        value: NaN where a class has no sample.
        interval: NaN to NaN where a class has no sample, or too few speakers.
        p_value: two-sided, see `two_sided_p_value` and `small_sample_difference`; NaN where the interval is.
    """

    value: float
    interval: Interval
    p_value: float


@dataclass(frozen=True)
class Differences:
    """Paired differences of two models; `recall` (C,) in the order of the classes."""

    uar: Difference
    accuracy: Difference
    macro_f1: Difference
    recall: tuple[Difference, ...]
    resamples: int


def paired_differences(of: ResamplingUnits, generator: np.random.Generator, resamples: int = RESAMPLES) -> Differences:
    """Compute first model minus second, both on the same resampled utterances, or speakers.

    Args:
        of: the joint predictions of the two models.
        generator: draws the resamples.
        resamples: how many.

    The difference of one class's recall by utterance is found by `small_sample_difference` where the class has fewer
    than `FEW_CLIPS` clips, or fewer than `FEW_APART` tell the models apart, and no clip was judged twice: there the
    bootstrap is too narrow.
    """
    draws = resample_confusions(of, generator, resamples)
    unequal = of.confusions[:, 0] != of.confusions[:, 1]  # (K, C, C)
    between = partial(_difference, of.observed, draws)
    n, told_apart = of.clusters, int(of.counts[unequal.any(axis=(1, 2))].sum())
    hits_unequal = of.counts @ np.diagonal(unequal, axis1=1, axis2=2)  # (C,)
    few = (of.holders > 0) & ((of.holders < FEW_CLIPS) | (hits_unequal < FEW_APART)) & ~of.by_speaker
    few &= of.confusions.sum(axis=3).max(axis=(0, 1)) == 1  # several seeds of a clip are no pair of shares
    return Differences(
        between(metrics.uar, told_apart, n),
        between(metrics.accuracy, told_apart, n),
        between(metrics.macro_f1, told_apart, n),
        tuple(
            small_sample_difference(of, c)
            if few[c]
            else between(partial(_recall_of, c), int(hits_unequal[c]), int(holders) if of.by_speaker else None)
            for c, holders in enumerate(of.holders)
        ),
        len(draws),
    )


def small_sample_difference(of: ResamplingUnits, index: int) -> Difference:
    """Compute a small-sample recall difference: Newcombe interval, sign test.

    Args:
        of: the joint predictions of the two models, by utterance, one of each model a clip.
        index: of the class, which must have a clip.
    """
    first, second = of.confusions[:, :, index, index].T > 0  # (K,) whether each has it right
    ours = of.confusions[:, 0, index].any(axis=1)
    counts = [int(of.counts[ours & (first == a) & (second == b)].sum()) for a, b in PAIRS]
    return Difference(
        (counts[1] - counts[2]) / sum(counts), newcombe_interval(*counts), sign_test(counts[1], counts[2])
    )


def newcombe_interval(both: int, first_only: int, second_only: int, neither: int, level: float = LEVEL) -> Interval:
    """Compute the interval of the difference of two shares of the same clips, from Wilson's of each.

    Newcombe (1998, Statistics in Medicine 17, 2635–2650), method 10, with its correction for continuity.

    Args:
        both, first_only, second_only, neither: how many clips are right in whom; one at least.
        level: of confidence.

    Example:
        >>> interval = newcombe_interval(both=10, first_only=5, second_only=1, neither=4)
        >>> round(interval.low, 2), round(interval.high, 2)
        (-0.05, 0.41)
    """
    n = both + first_only + second_only + neither
    p, q = (both + first_only) / n, (both + second_only) / n
    a, b = wilson_interval(p, n, level), wilson_interval(q, n, level)
    product = both * neither - first_only * second_only
    together = max(product - n / 2, 0) if product > 0 else product
    apart = (both + first_only) * (second_only + neither) * (both + second_only) * (first_only + neither)
    phi = together / apart**0.5 if apart else 0.0

    def reach(one: float, other: float) -> float:
        return max(0.0, one**2 - 2 * phi * one * other + other**2) ** 0.5

    low, high = p - q - reach(p - a.low, b.high - q), p - q + reach(a.high - p, q - b.low)
    return Interval(low, high, "newcombe")


def _recall_of(index: int, confusions: np.ndarray) -> np.ndarray:
    return metrics.class_recall(confusions)[..., index]


def _difference(
    seen: np.ndarray,
    draws: np.ndarray,
    score: Callable[[np.ndarray], np.ndarray],
    told_apart: int,
    clusters: int | None,
) -> Difference:
    """Compute the difference of one score, from matrices as seen (2, C, C) and resampled (R, 2, C, C)."""
    value, drawn = float(score(seen[0]) - score(seen[1])), score(draws[:, 0]) - score(draws[:, 1])
    if clusters is not None and clusters < FEWEST_SPEAKERS:
        return Difference(value, NO_INTERVAL, np.nan)
    return Difference(
        value, percentile_interval(drawn, clusters=clusters), two_sided_p_value(drawn, told_apart, clusters)
    )


def two_sided_p_value(draws: np.ndarray, told_apart: int, clusters: int | None = None) -> float:
    """Compute the p-value of `percentile_interval`: the widest interval without zero has level 1 − p.

    p = (1 + 2 k) / (R + 1), at most 1, where k of R resampled differences lie on the rarer side of zero
    (zero itself on both), so that its smallest value is 1 / (R + 1). For clusters it is expanded as the
    interval is. It is never below 2^(1 − m), the least that m clips (or speakers) can tell: if the two
    models were alike, all m would favour the same one as often as that.

    Args:
        draws: (R,) resampled differences; those that are NaN are left out.
        told_apart: m, how many clips (or speakers) the two models judge differently.
        clusters: how many speakers, where they are resampled.
    """
    from scipy.special import ndtri, stdtr

    known = draws[~np.isnan(draws)]
    if not len(known):
        return np.nan
    p = min(1.0, (1 + 2 * int(min((known <= 0).sum(), (known >= 0).sum()))) / (len(known) + 1))
    if clusters is not None:
        p = 2 * float(stdtr(clusters - 1, ndtri(p / 2) * np.sqrt((clusters - 1) / clusters)))
    return max(p, min(1.0, 2.0 ** (1 - told_apart)))
