"""Calibration by hand, against a slow loop, with labels that are not the most probable, and with nothing to fit on."""

import time

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn.metrics import log_loss

from segser_core.errors import RunError
from segser_core.statistics.calibration import (
    expected_calibration_error,
    fit_temperature,
    measure_calibration,
    reliability_bins,
)

LABELS = ("neutral", "happy", "sad")


def table(n=400, temperature=1.0, seeds=(0,), fold=0, generator=0):
    """Predictions whose probabilities are right once tempered: half of them for development."""
    g = np.random.default_rng(generator)
    parts = []
    labels = np.random.default_rng([generator, 1]).integers(0, 3, n)
    for seed in seeds:
        evidence = g.normal(0, 1.2, (n, 3))
        evidence[np.arange(n), labels] += 1.2**2  # what makes softmax(evidence) the true posterior
        p = softmax(evidence * temperature, axis=1)
        rows = pd.DataFrame({"utterance_id": [f"{fold}-{i}" for i in range(n)], "label": np.array(LABELS)[labels]})
        rows["predicted"] = np.array(LABELS)[p.argmax(axis=1)]
        rows["confidence"] = p.max(axis=1)
        rows[[f"p_{c}" for c in LABELS]] = p
        parts.append(rows.assign(seed=seed, fold=fold, split=np.where(np.arange(n) % 2, "dev", "test")))
    return pd.concat(parts, ignore_index=True)


def slow_error(confidence, right):
    total = 0.0
    for i in range(10):
        inside = [k for k, c in enumerate(confidence) if i / 10 < c <= (i + 1) / 10 or (i == 0 and c == 0)]
        if inside:
            total += abs(sum(confidence[k] for k in inside) - sum(right[k] for k in inside))
    return total / len(confidence)


def test_bins_by_hand():
    bins = reliability_bins(
        np.array([0.0, 0.1, 0.1000001, 0.3, 0.7, 0.95, 1.0]), np.array([0, 1, 1, 0, 1, 1, 1], dtype=bool)
    )
    assert [b.count for b in bins] == [2, 1, 1, 0, 0, 0, 1, 0, 0, 2], "an edge belongs to the bin below it"
    assert (bins[0].low, bins[0].high, bins[0].mean_confidence, bins[0].accuracy) == (0.0, 0.1, 0.05, 0.5)
    assert np.isnan([bins[4].mean_confidence, bins[4].accuracy]).all()
    assert expected_calibration_error(bins) == pytest.approx((2 * 0.45 + 0.9 - 1e-7 + 0.3 + 0.3 + 2 * 0.025) / 7)
    with np.errstate(all="raise"):
        assert np.isnan(expected_calibration_error(()))
        assert sum(b.count for b in reliability_bins(np.array([0.5]), np.array([True]))) == 1


@pytest.mark.parametrize("seed", range(4))
def test_error_against_a_slow_loop(seed):
    rows = table(generator=seed, temperature=2.0)
    tested = rows[rows.split == "test"]
    got = measure_calibration(rows, LABELS)
    assert got.ece == pytest.approx(slow_error(tested.confidence.tolist(), (tested.predicted == tested.label).tolist()))
    assert sum(b.count for b in got.bins) == len(tested)
    assert len(got.bins) == 10


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_was_put_in_is_found(temperature):
    rows = table(n=8000, temperature=temperature)
    got = measure_calibration(rows, LABELS)
    assert got.temperature == pytest.approx(temperature, rel=0.06)
    assert got.ece_at_temperature < 0.03
    assert (got.ece > 0.08) == (temperature != 1.0)


def test_the_temperature_has_the_least_loss():
    rows = table(n=300, temperature=2.0)
    p = rows[[f"p_{c}" for c in LABELS]].to_numpy()
    true = np.array([LABELS.index(c) for c in rows.label])
    best = fit_temperature(np.log(p), true)
    losses = [log_loss(true, softmax(np.log(p) / t, axis=1)) for t in (best / 1.05, best, best * 1.05)]
    assert losses[1] == min(losses)


def test_only_development_rows_are_fitted():
    rows = table(temperature=2.0)
    test = rows.split == "test"
    turned = rows.assign(label=rows.label.where(~test, "sad"))
    assert measure_calibration(turned, LABELS).temperature == measure_calibration(rows, LABELS).temperature
    for without in (rows[test], rows.drop(columns="split"), rows[test].assign(seed=1)):
        got = measure_calibration(without, LABELS)
        assert got.temperature is None
        assert got.ece_at_temperature is None
        assert got.ece > 0


def test_labels_are_held():
    """By hand: the vote named sad, which has the lesser probability; at T = 2 it is the root's share."""
    rows = table(n=200, temperature=2.0)
    tested = pd.DataFrame(
        {"utterance_id": ["x"], "label": ["sad"], "predicted": ["sad"], "confidence": [0.2], "split": ["test"]}
    ).assign(p_neutral=0.8, p_happy=0.0, p_sad=0.2, seed=0, fold=0)
    got = measure_calibration(pd.concat([rows[rows.split == "dev"], tested]), LABELS)
    powers = np.array([0.8, 1e-6, 0.2]) ** (1 / got.temperature)
    assert got.ece == pytest.approx(0.8)
    assert got.ece_at_temperature == pytest.approx(1 - powers[2] / powers.sum())


def test_each_model_has_its_own_temperature():
    each = [table(n=2000, temperature=t, fold=k, generator=k) for k, t in enumerate((1.0, 2.0, 4.0))]
    got = measure_calibration(pd.concat(each), LABELS)
    alone = [measure_calibration(one, LABELS) for one in each]
    assert got.temperature == alone[1].temperature, "the median"
    assert got.ece_at_temperature < min(0.04, got.ece / 2)
    assert (
        measure_calibration(pd.concat([*each, table(fold=3, generator=3).query("split == 'test'")]), LABELS).temperature
        is None
    )
    by_seed = measure_calibration(table(n=2000, seeds=(0, 1, 2)), LABELS)
    assert sum(b.count for b in by_seed.bins) == 3000
    assert by_seed.temperature == pytest.approx(1.0, rel=0.1)


def test_a_perfect_or_hopeless_model_has_a_finite_temperature():
    p = np.log(np.array([[0.9, 0.05, 0.05]] * 20))
    assert 0.05 <= fit_temperature(p, np.zeros(20, dtype=int)) < 0.1, "sharper makes no difference that a float holds"
    assert fit_temperature(p, np.ones(20, dtype=int)) == pytest.approx(20.0, rel=0.02)


def test_by_number_of_segments():
    rows = table(n=40)
    tested = rows[rows.split == "test"]
    numbers = [1, 2, 3, 4, 5, 8, 9, 30, *[4] * 11]
    counts = pd.Series(numbers, index=pd.MultiIndex.from_frame(tested[["utterance_id", "seed"]][:19]))
    got = measure_calibration(rows, LABELS, counts).by_segments
    assert [(g.n_low, g.n_high, g.count) for g in got] == [(1, 1, 1), (2, 2, 1), (3, 4, 13), (5, 8, 2), (9, 30, 2)]
    fours = tested.iloc[[2, 3, *range(8, 19)]]
    right = (fours.label == fours.predicted).tolist()
    assert got[2].mean_confidence == pytest.approx(fours.confidence.mean())
    assert got[2].accuracy == np.mean(right)
    assert got[2].ece == pytest.approx(slow_error(fours.confidence.tolist(), right))
    by_fold = counts.copy()
    by_fold.index = pd.MultiIndex.from_frame(tested[["fold", "utterance_id", "seed"]][:19])
    assert measure_calibration(rows, LABELS, by_fold).by_segments == got, "the levels go by their names"
    assert (
        measure_calibration(rows, LABELS, counts[:0]).by_segments == () == measure_calibration(rows, LABELS).by_segments
    )


def test_no_test_row():
    with pytest.raises(RunError, match="no test utterance"):
        measure_calibration(table().assign(split="dev"), LABELS)


def test_quick_enough_for_a_page():
    rows = table(n=100_000, temperature=2.0)
    measure_calibration(table(), LABELS)
    start = time.process_time()
    measure_calibration(rows, LABELS)
    assert time.process_time() - start < 0.4
