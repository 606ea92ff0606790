"""Intervals by utterance and by speaker against a slow loop, known numbers, and simulated coverage."""

import time

import numpy as np
import pytest
from scipy import stats
from scipy.stats import binomtest
from sklearn.metrics import recall_score

from segser_core.errors import SettingError
from segser_core.statistics import bootstrap, metrics
from segser_core.statistics.bootstrap import (
    COVERAGE_AT_10,
    MISSING,
    expanded_tail,
    group_speakers,
    group_utterances,
    percentile_interval,
    recall_interval,
    recall_interval_by_speaker,
    resample_confusions,
    score_intervals,
    wilson_interval,
)
from tests.support.coverage import CLASS_RECALL, coverage_of, simulate_intervals, true_uar_of_speakers
from tests.support.simulated import simulate_predictions, simulate_ten_speakers


def one_model(simulated):
    labels, predicted = simulated
    return labels, [predicted]


def slow_uars(labels, predicted, resamples, generator):
    rows = (generator.integers(0, len(labels), len(labels)) for _ in range(resamples))
    return np.array([recall_score(labels[r], predicted[r], average="macro", zero_division=np.nan) for r in rows])


def test_same_distribution_as_drawing_utterances_one_by_one():
    labels, predicted = simulate_predictions(np.random.default_rng(1))
    fast = metrics.uar(
        resample_confusions(group_utterances(labels, [predicted], 4), np.random.default_rng(2), 4000)[:, 0]
    )
    slow = slow_uars(labels, predicted[:, 0], 1000, np.random.default_rng(3))
    assert fast.mean() == pytest.approx(slow.mean(), abs=0.004)
    assert fast.std() == pytest.approx(slow.std(), rel=0.12)
    assert percentile_interval(fast).low == pytest.approx(percentile_interval(slow).low, abs=0.012)


def test_observed_matrices_and_totals():
    labels, predicted = simulate_predictions(np.random.default_rng(4), columns=3)
    of = group_utterances(labels, [predicted[:, :2], predicted[:, 2:]], 4)
    names = [str(c) for c in range(4)]
    one, two, three = (metrics.confusion_matrix(labels.astype(str), p.astype(str), names) for p in predicted.T)
    assert (of.observed == [one + two, three]).all()
    assert of.holders.tolist() == np.bincount(labels, minlength=4).tolist()
    draws = resample_confusions(of, np.random.default_rng(5), 50)
    assert (draws.sum(axis=(-2, -1)) == [600, 300]).all()
    assert (draws[:, 0].sum(axis=-1) == 2 * draws[:, 1].sum(axis=-1)).all(), "models must see the same utterances"


def test_many_kinds_get_fewer_resamples_and_little_memory(monkeypatch):
    of = group_utterances(*one_model(simulate_predictions(np.random.default_rng(4))), 4)
    whole = resample_confusions(of, np.random.default_rng(5), 3000)
    monkeypatch.setattr(bootstrap, "CHUNK", 700)
    assert (resample_confusions(of, np.random.default_rng(5), 3000) == whole).all(), "parts are drawn as the whole is"
    monkeypatch.setattr(bootstrap, "MOST_DRAWN_AT_ONCE", 2000 * len(of.counts))
    assert len(resample_confusions(of, np.random.default_rng(5))) == 2000
    assert score_intervals(of, np.random.default_rng(5)).resamples == 2000
    monkeypatch.setattr(bootstrap, "MOST_DRAWN_AT_ONCE", 0)
    assert len(resample_confusions(of, np.random.default_rng(5))) == 1000
    assert len(resample_confusions(of, np.random.default_rng(5), 50)) == 50


def test_a_seed_decides():
    of = group_utterances(*one_model(simulate_predictions(np.random.default_rng(6))), 4)
    one, two, other = (score_intervals(of, np.random.default_rng(seed)) for seed in (7, 7, 8))
    assert one == two
    assert one != other


def test_seeds_of_one_clip_are_no_further_clips():
    labels, predicted = simulate_predictions(np.random.default_rng(9))
    one = score_intervals(group_utterances(labels, [predicted], 4), np.random.default_rng(10))
    same_thrice = score_intervals(
        group_utterances(labels, [np.repeat(predicted, 3, axis=1)], 4), np.random.default_rng(10)
    )
    assert same_thrice == one


def test_a_missing_prediction_adds_nothing():
    labels, predicted = simulate_predictions(np.random.default_rng(11), columns=2)
    predicted[:100, 1] = MISSING
    assert group_utterances(labels, [predicted[:, :1], predicted[:, 1:]], 4).observed.sum(axis=(-2, -1)).tolist() == [
        300,
        200,
    ]


def test_wilson_against_scipy_and_by_hand():
    for hits, n in ((0, 16), (15, 16), (16, 16), (7, 30)):
        got, expected = wilson_interval(hits / n, n), binomtest(hits, n).proportion_ci(method="wilson")
        assert (got.low, got.high) == pytest.approx((expected.low, expected.high))
    assert (wilson_interval(0.5, 10).low, wilson_interval(0.5, 10).high) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson_interval(1.0, 16).high == 1.0
    assert 0.7 < wilson_interval(1.0, 16).low < 0.9


@pytest.mark.parametrize(("share", "n", "method"), [(0.5, 49, "wilson"), (0.5, 50, "bootstrap"), (1.0, 80, "wilson")])
def test_which_interval_a_recall_gets(share, n, method):
    assert recall_interval(share, n, np.linspace(0.4, 0.6, 100)).method == method
    assert recall_interval(np.nan, 0, np.full(100, np.nan)) is None


def test_wilson_counts_clips_not_seeds():
    labels, predicted = np.zeros(20, dtype=int), np.repeat(np.arange(20)[:, None] % 2, 3, axis=1)
    assert score_intervals(group_utterances(labels, [predicted], 2), np.random.default_rng(0)).recall[
        0
    ] == wilson_interval(0.5, 20)


def test_a_class_that_a_resample_misses_is_no_zero():
    labels = np.array([0] * 40 + [1])
    got = score_intervals(group_utterances(labels, [labels[:, None]], 2), np.random.default_rng(12))
    assert (got.uar.low, got.uar.high) == (1.0, 1.0)
    assert group_utterances(labels, [labels[:, None]], 3).observed.shape == (1, 3, 3)
    assert score_intervals(group_utterances(labels, [labels[:, None]], 3), np.random.default_rng(12)).recall[2] is None


def test_same_distribution_as_drawing_speakers_one_by_one():
    who, labels, predicted = simulate_ten_speakers(seeds=2)
    of = group_speakers(labels, [predicted], who, 3)
    assert of.clusters == 10
    assert of.holders.tolist() == [10, 10, 10]
    assert (of.observed == group_utterances(labels, [predicted], 3).observed).all()
    fast, generator, slow = (
        metrics.uar(resample_confusions(of, np.random.default_rng(21), 4000)[:, 0]),
        np.random.default_rng(22),
        [],
    )
    for _ in range(600):
        rows = np.concatenate([np.flatnonzero(who == g) for g in generator.integers(0, 10, 10)])
        true, said = np.repeat(labels[rows], 2), predicted[rows].ravel()
        slow.append(np.mean([np.mean(said[true == c] == c) for c in range(3)]))
    assert fast.mean() == pytest.approx(np.mean(slow), abs=0.01)
    assert fast.std() == pytest.approx(np.std(slow), rel=0.12)
    by_speaker = score_intervals(of, np.random.default_rng(23)).uar
    by_utterance = score_intervals(group_utterances(labels, [predicted], 3), np.random.default_rng(23)).uar
    assert by_speaker.high - by_speaker.low > 1.5 * (by_utterance.high - by_utterance.low)


def test_speakers_all_alike_differ_in_nothing():
    who, labels = np.repeat(np.arange(6), 4), np.tile([0, 0, 1, 1], 6)
    said = np.tile([[0], [1], [1], [1]], (6, 1))
    got = score_intervals(group_speakers(labels, [said], who, 2), np.random.default_rng(0))
    assert (got.uar.low, got.uar.high) == (0.75, 0.75)
    assert got.recall == (bootstrap.Interval(0.5, 0.5), wilson_interval(1.0, 6)), (
        "all found: six trials, not of no width"
    )


def test_a_class_that_few_speakers_have():
    who, labels = np.arange(10), np.array([0] * 6 + [1] * 4)
    predicted = np.where(np.arange(10) % 2, labels, 1 - labels)[:, None]
    got = score_intervals(group_speakers(labels, [predicted], who, 3), np.random.default_rng(24))
    assert got.recall[0].method == "bootstrap"
    assert got.recall[1] is None
    assert got.recall[2] is None
    draws = np.array([np.nan, 0.2, 0.4, 0.6, np.nan])
    assert recall_interval_by_speaker(0.4, 4, draws) is None
    assert recall_interval_by_speaker(0.4, 5, draws).low == pytest.approx(0.2, abs=0.01), "NaN is left out"


def test_the_expanded_tail():
    for n in (5, 10, 30):
        by_hand = stats.norm.cdf(np.sqrt(n / (n - 1)) * stats.t.ppf(0.025, n - 1))
        assert expanded_tail(0.025, n) == pytest.approx(by_hand)
    assert expanded_tail(0.025, 10) == pytest.approx(0.0086, abs=1e-4)
    assert expanded_tail(0.025, 10_000) == pytest.approx(0.025, rel=1e-3)
    values = np.random.default_rng(25).normal(size=100_000)
    got = percentile_interval(values, clusters=10)
    assert (got.low, got.high) == pytest.approx((-2.385, 2.385), abs=0.04), "√(10/9) times t at 9 degrees"


SETTINGS = [(200, False), (5531, False), (10, True), (30, True), (91, True)]


def truth(by_speaker):
    return true_uar_of_speakers() if by_speaker else CLASS_RECALL.mean()


@pytest.mark.parametrize(("n", "by_speaker"), SETTINGS)
def test_the_interval_covers_the_truth(n, by_speaker):
    found, _ = simulate_intervals(n, by_speaker, times=200, resamples=400, seed=1)
    assert 0.91 <= coverage_of(found, truth(by_speaker)) <= 0.985, "200 experiments tell it to 1.5 points"


@pytest.mark.slow
@pytest.mark.parametrize(("n", "by_speaker"), SETTINGS)
def test_the_interval_covers_the_truth_in_2000_experiments(n, by_speaker):
    found, plain = simulate_intervals(n, by_speaker, times=2000, resamples=1000)
    share = coverage_of(found, truth(by_speaker))
    assert 0.925 <= share <= 0.97
    if by_speaker:
        assert coverage_of(plain, truth(by_speaker)) < 0.8, "clips of one speaker are not independent"
    if (n, by_speaker) == (10, True):
        assert share == pytest.approx(COVERAGE_AT_10, abs=0.002), "the figure that is shown beside the interval"


def test_nothing_to_resample():
    with pytest.raises(SettingError, match="at least one"):
        group_utterances(np.array([], dtype=int), [np.empty((0, 1), dtype=int)], 3)


def test_quick_enough_for_a_page():
    labels, predicted = simulate_predictions(np.random.default_rng(18), n=5531)
    who = np.random.default_rng(18).integers(0, 10, 5531)
    start = time.process_time()
    for of in (group_utterances(labels, [predicted], 4), group_speakers(labels, [predicted], who, 4)):
        assert score_intervals(of, np.random.default_rng(19)).resamples == 10_000
    assert time.process_time() - start < 0.7
