"""The paired difference of two models and its p-value."""

import numpy as np
import pytest
from scipy import stats

from segser_core.statistics import metrics
from segser_core.statistics.bootstrap import (
    expanded_tail,
    group_speakers,
    group_utterances,
    percentile_interval,
    resample_confusions,
    score_intervals,
    wilson_interval,
)
from segser_core.statistics.paired_difference import (
    newcombe_interval,
    paired_differences,
    small_sample_difference,
    two_sided_p_value,
)
from tests.support.simulated import simulate_predictions, simulate_ten_speakers


def test_paired_difference():
    generator = np.random.default_rng(13)
    labels, worse = simulate_predictions(generator, n=500, right=0.5)
    better = np.where(generator.random((500, 1)) < 0.3, labels[:, None], worse)
    got = paired_differences(group_utterances(labels, [better, worse], 4), np.random.default_rng(14))
    back = paired_differences(group_utterances(labels, [worse, better], 4), np.random.default_rng(14))
    assert got.uar.value > 0
    assert got.uar.interval.low > 0
    assert back.uar.value == -got.uar.value
    assert back.uar.interval.high < 0
    expected = np.mean(better[:, 0] == labels) - np.mean(worse[:, 0] == labels)
    assert got.accuracy.value == pytest.approx(expected)
    alone = [score_intervals(group_utterances(labels, [p], 4), np.random.default_rng(15)).uar for p in (better, worse)]
    unpaired = np.hypot(*[i.high - i.low for i in alone])
    assert got.uar.interval.high - got.uar.interval.low < 0.8 * unpaired
    same = paired_differences(group_utterances(labels, [worse, worse], 4), np.random.default_rng(16))
    assert (same.uar.value, same.uar.interval.low, same.uar.interval.high) == (0, 0, 0)
    assert (same.uar.p_value, got.uar.p_value) == (1.0, 1 / 10_001)


def test_against_a_slow_loop_on_the_same_resamples():
    labels, predicted = simulate_predictions(np.random.default_rng(30), n=120, columns=2)
    of = group_utterances(labels, [predicted[:, :1], predicted[:, 1:]], 4)
    got = paired_differences(of, np.random.default_rng(31), 200)
    slow = [metrics.uar(one) - metrics.uar(two) for one, two in resample_confusions(of, np.random.default_rng(31), 200)]
    low, high = np.quantile(slow, [0.025, 0.975])
    assert (got.uar.interval.low, got.uar.interval.high) == pytest.approx((low, high))
    assert got.resamples == 200
    k = min(sum(d <= 0 for d in slow), sum(d >= 0 for d in slow))
    assert got.uar.p_value == pytest.approx(min(1, (1 + 2 * k) / 201))


def test_speakers_are_drawn_whole_for_both_models():
    who, labels, predicted = simulate_ten_speakers()
    better = np.where(np.random.default_rng(32).random((300, 1)) < 0.3, labels[:, None], predicted)
    of = group_speakers(labels, [better, predicted], who, 3)
    got, alone = (
        paired_differences(of, np.random.default_rng(33)),
        score_intervals(group_speakers(labels, [predicted], who, 3), np.random.default_rng(33)),
    )
    assert got.accuracy.value == pytest.approx(np.mean(better[:, 0] == labels) - np.mean(predicted[:, 0] == labels))
    assert got.uar.interval.low > 0
    assert got.uar.interval.high - got.uar.interval.low < alone.uar.high - alone.uar.low
    assert 2**-9 <= got.uar.p_value < 0.05
    none = paired_differences(group_speakers(labels, [predicted, predicted], who, 3), np.random.default_rng(34))
    assert (none.uar.interval.low, none.uar.interval.high, none.uar.p_value) == (0, 0, 1)


def test_a_class_that_few_speakers_have_or_none():
    who, labels = np.arange(10), np.array([0] * 6 + [1] * 4)
    one, two = labels[:, None], (1 - labels)[:, None]
    by_speaker = paired_differences(group_speakers(labels, [one, two], who, 3), np.random.default_rng(35)).recall
    assert by_speaker[0].p_value == pytest.approx(2 * 2**-6), "six speakers all favour one model"
    assert by_speaker[1].value == 1.0
    assert np.isnan([by_speaker[1].interval.low, by_speaker[1].p_value]).all()
    by_utterance = paired_differences(group_utterances(labels, [one, two], 3), np.random.default_rng(35)).recall
    assert by_utterance[1].p_value == 2 * 2**-4, "four clips cannot tell more"
    assert np.isnan([by_utterance[2].value, by_utterance[2].interval.high, by_utterance[2].p_value]).all()


def test_newcombe_by_its_formula_in_counts():
    both, one_only, other_only, neither = 20, 7, 2, 11
    n = both + one_only + other_only + neither
    p, q = (both + one_only) / n, (both + other_only) / n
    (a, b), (c, d) = ((w.low, w.high) for w in (wilson_interval(p, n), wilson_interval(q, n)))
    phi = (both * neither - one_only * other_only - n / 2) / np.sqrt(27 * 13 * 22 * 18)
    low = p - q - np.sqrt((p - a) ** 2 - 2 * phi * (p - a) * (d - q) + (d - q) ** 2)
    high = p - q + np.sqrt((b - p) ** 2 - 2 * phi * (b - p) * (q - c) + (q - c) ** 2)
    got = newcombe_interval(both, one_only, other_only, neither)
    assert (got.low, got.high, got.method) == (pytest.approx(low), pytest.approx(high), "newcombe")


def test_of_a_class_of_few_clips_the_difference_covers_and_is_never_of_no_width():
    generator, chances = np.random.default_rng(37), [0.7, 0.1, 0.05, 0.15]  # both right, either one, neither
    held = []
    for _ in range(1000):
        first, second = np.array([(1, 1), (1, 0), (0, 1), (0, 0)])[generator.choice(4, 16, p=chances)].T
        of = group_utterances(np.ones(16, dtype=int), [first[:, None], second[:, None]], 2)
        found = small_sample_difference(of, 1)
        held.append(found.interval.low <= 0.05 <= found.interval.high)
    assert np.mean(held) > 0.94
    same = paired_differences(
        group_utterances(np.repeat([0, 1], 60), [np.repeat([0, 1], 60)[:, None]] * 2, 2), generator
    ).recall[0]
    assert same.value == 0
    assert same.interval.low < 0 < same.interval.high
    assert same.p_value == 1


def test_clips_of_several_seeds_are_resampled_however_few():
    labels = np.zeros(40, dtype=int)
    all_three, two = np.zeros((40, 3), dtype=int), np.tile([0, 0, 0], (40, 1))
    two[:8, 2] = 1
    found = paired_differences(group_utterances(labels, [all_three, two], 2), np.random.default_rng(38)).recall[0]
    assert found.interval.method == "bootstrap"
    assert found.interval.low > 0
    assert found.p_value == 2**-7


def test_p_by_hand():
    assert two_sided_p_value(np.array([0.1] * 8 + [-0.1]), 50) == pytest.approx(3 / 10)
    assert two_sided_p_value(np.array([0.1] * 7 + [0.0, -0.1]), 50) == pytest.approx(5 / 10), "zero is on both sides"
    assert two_sided_p_value(np.array([0.1] * 9), 50) == pytest.approx(1 / 10), "the smallest value"
    assert two_sided_p_value(np.array([0.1] * 9), 1) == 1.0
    assert two_sided_p_value(np.zeros(9), 0) == 1.0
    assert two_sided_p_value(np.array([0.1] * 9 + [np.nan]), 50) == pytest.approx(1 / 10)
    assert np.isnan(two_sided_p_value(np.full(3, np.nan), 50))
    assert two_sided_p_value(np.array([0.1] * 9), 5000) == pytest.approx(1 / 10), "2^-4999 is no number of its own"


@pytest.mark.parametrize("clusters", [None, 6, 10, 40])
def test_p_is_the_level_at_which_the_interval_meets_zero(clusters):
    draws = np.random.default_rng(36).normal(1.8, 1, 200_000)
    p = two_sided_p_value(draws, 10_000, clusters)
    inside, outside = (percentile_interval(draws, 1 - level, clusters) for level in (0.97 * p, 1.03 * p))
    assert inside.low < 0 < outside.low
    if clusters:
        assert p > two_sided_p_value(draws, 10_000)
        assert expanded_tail(p / 2, clusters) == pytest.approx(np.mean(draws < 0), rel=1e-3)
    else:
        assert p == pytest.approx(2 * stats.norm.sf(1.8), rel=0.05)
