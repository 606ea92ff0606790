"""Intervals against a slow loop, known numbers, and simulated coverage."""

import time

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import recall_score

from segser_core import metrics
from segser_core.bootstrap import (
    MISSING,
    differences,
    intervals,
    kinds,
    percentile,
    recall_interval,
    resample_utterances,
    wilson,
)
from segser_core.errors import SettingError


def simulated(generator, n=300, n_classes=4, right=0.6, columns=1):
    labels = generator.choice(n_classes, n, p=np.arange(1, n_classes + 1) / np.arange(1, n_classes + 1).sum())
    hit = generator.random((n, columns)) < right
    return labels, np.where(hit, labels[:, None], generator.integers(0, n_classes, (n, columns)))


def slow_uars(labels, predicted, resamples, generator):
    rows = (generator.integers(0, len(labels), len(labels)) for _ in range(resamples))
    return np.array([recall_score(labels[r], predicted[r], average="macro", zero_division=np.nan) for r in rows])


def test_same_distribution_as_drawing_utterances_one_by_one():
    labels, predicted = simulated(np.random.default_rng(1))
    fast = metrics.uar(resample_utterances(kinds(labels, predicted, 4), np.random.default_rng(2), 4000)[:, 0])
    slow = slow_uars(labels, predicted[:, 0], 1000, np.random.default_rng(3))
    assert fast.mean() == pytest.approx(slow.mean(), abs=0.004)
    assert fast.std() == pytest.approx(slow.std(), rel=0.12)
    assert percentile(fast).low == pytest.approx(percentile(slow).low, abs=0.012)


def test_observed_matrix_and_totals():
    labels, predicted = simulated(np.random.default_rng(4), columns=3)
    of = kinds(labels, predicted, 4)
    names = [str(c) for c in range(4)]
    for column in range(3):
        expected = metrics.confusion(labels.astype(str), predicted[:, column].astype(str), names)
        assert (of.observed[column] == expected).all()
    draws = resample_utterances(of, np.random.default_rng(5), 50)
    assert (draws.sum(axis=(-2, -1)) == len(labels)).all()
    assert (draws.sum(axis=-1) == draws[:, :1].sum(axis=-1)).all(), "columns must see the same utterances"


def test_a_seed_decides():
    of = kinds(*simulated(np.random.default_rng(6)), 4)
    one, two, other = (intervals(of, np.random.default_rng(seed)) for seed in (7, 7, 8))
    assert one == two and one != other


def test_seeds_of_one_clip_are_no_further_clips():
    labels, predicted = simulated(np.random.default_rng(9))
    one = intervals(kinds(labels, predicted, 4), np.random.default_rng(10))
    same_thrice = intervals(kinds(labels, np.repeat(predicted, 3, axis=1), 4), np.random.default_rng(10))
    assert same_thrice == one


def test_a_missing_prediction_adds_nothing():
    labels, predicted = simulated(np.random.default_rng(11), columns=2)
    predicted[:100, 1] = MISSING
    assert kinds(labels, predicted, 4).observed.sum(axis=(-2, -1)).tolist() == [300, 200]


def test_wilson_against_scipy_and_by_hand():
    for hits, n in ((0, 16), (15, 16), (16, 16), (7, 30)):
        got, expected = wilson(hits / n, n), binomtest(hits, n).proportion_ci(method="wilson")
        assert (got.low, got.high) == pytest.approx((expected.low, expected.high))
    assert (wilson(0.5, 10).low, wilson(0.5, 10).high) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(1.0, 16).high == 1.0 and 0.7 < wilson(1.0, 16).low < 0.9


@pytest.mark.parametrize(("share", "n", "method"), [(0.5, 49, "wilson"), (0.5, 50, "bootstrap"), (1.0, 80, "wilson")])
def test_which_interval_a_recall_gets(share, n, method):
    assert recall_interval(share, n, np.linspace(0.4, 0.6, 100)).method == method
    assert recall_interval(np.nan, 0, np.full(100, np.nan)) is None


def test_wilson_counts_clips_not_seeds():
    labels, predicted = np.zeros(20, dtype=int), np.repeat(np.arange(20)[:, None] % 2, 3, axis=1)
    assert intervals(kinds(labels, predicted, 2), np.random.default_rng(0)).recall[0] == wilson(0.5, 20)


def test_a_class_that_a_resample_misses_is_no_zero():
    labels = np.array([0] * 40 + [1])
    got = intervals(kinds(labels, labels[:, None], 2), np.random.default_rng(12))
    assert (got.uar.low, got.uar.high) == (1.0, 1.0)
    assert kinds(labels, labels[:, None], 3).observed.shape == (1, 3, 3)
    assert intervals(kinds(labels, labels[:, None], 3), np.random.default_rng(12)).recall[2] is None


def test_paired_difference():
    generator = np.random.default_rng(13)
    labels, worse = simulated(generator, n=500, right=0.5)
    better = np.where(generator.random((500, 1)) < 0.3, labels[:, None], worse)
    got = differences(kinds(labels, np.hstack([better, worse]), 4), 1, np.random.default_rng(14))
    back = differences(kinds(labels, np.hstack([worse, better]), 4), 1, np.random.default_rng(14))
    assert got.uar.value > 0 and got.uar.interval.low > 0
    assert back.uar.value == -got.uar.value and back.uar.interval.high < 0
    expected = np.mean(better[:, 0] == labels) - np.mean(worse[:, 0] == labels)
    assert got.accuracy.value == pytest.approx(expected)
    alone = [intervals(kinds(labels, p, 4), np.random.default_rng(15)).uar for p in (better, worse)]
    unpaired = np.hypot(*[i.high - i.low for i in alone])
    assert got.uar.interval.high - got.uar.interval.low < 0.8 * unpaired
    same = differences(kinds(labels, np.hstack([worse, worse]), 4), 1, np.random.default_rng(16))
    assert (same.uar.value, same.uar.interval.low, same.uar.interval.high) == (0, 0, 0)


def test_the_interval_covers_the_truth():
    generator = np.random.default_rng(17)
    truth, inside = 0.6 + 0.4 / 4, 0
    for _ in range(200):
        got = intervals(kinds(*simulated(generator, n=400), 4), generator, 300).uar
        inside += got.low <= truth <= got.high
    assert 0.89 <= inside / 200 <= 0.99


def test_nothing_to_resample():
    with pytest.raises(SettingError, match="at least one"):
        kinds(np.array([], dtype=int), np.empty((0, 1), dtype=int), 3)


def test_quick_enough_for_a_page():
    of = kinds(*simulated(np.random.default_rng(18), n=5531), 4)
    start = time.process_time()
    intervals(of, np.random.default_rng(19))
    assert time.process_time() - start < 0.5
