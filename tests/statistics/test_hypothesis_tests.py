"""McNemar's exact test and Holm's adjustment: by hand, against scipy and a slow loop, and with nothing to test."""

import numpy as np
import pytest
from scipy.stats import binomtest

from segser_core.errors import SettingError
from segser_core.statistics.hypothesis_tests import McNemar, holm_adjust, mcnemar_test


def clips(both, first_only, second_only, neither):
    cells = [both, first_only, second_only, neither]
    return np.repeat([True, True, False, False], cells), np.repeat([True, False, True, False], cells)


def test_mcnemar_by_hand():
    assert mcnemar_test(*clips(7, 5, 0, 2), seed=3) == McNemar(3, 5, 0, 2 / 32)
    assert mcnemar_test(*clips(0, 1, 3, 0)).p_value == pytest.approx(2 * (1 + 4) / 16)


@pytest.mark.parametrize(("first_only", "second_only"), [(0, 1), (3, 3), (4, 3), (2, 11), (25, 22), (900, 1100)])
def test_mcnemar_against_scipy(first_only, second_only):
    got = mcnemar_test(*clips(10, first_only, second_only, 10)).p_value
    assert got == pytest.approx(binomtest(first_only, first_only + second_only).pvalue)
    assert got == mcnemar_test(*clips(0, second_only, first_only, 0)).p_value


def test_mcnemar_of_models_that_nothing_tells_apart():
    assert mcnemar_test(*clips(5, 0, 0, 5)) == McNemar(0, 0, 0, 1.0)
    assert mcnemar_test(np.array([], dtype=bool), np.array([], dtype=bool)).p_value == 1.0
    with pytest.raises(SettingError, match="2 and 1 clips"):
        mcnemar_test(np.array([True, False]), np.array([True]))


def test_mcnemar_is_seldom_wrong_where_models_are_alike():
    g = np.random.default_rng(0)
    found = [mcnemar_test(*(g.random((2, 80)) < 0.7)).p_value for _ in range(500)]
    assert np.mean(np.array(found) < 0.05) <= 0.05


def slow_holm(p):
    """A hypothesis falls if it and all before it do: the least level at which that is so."""
    order = sorted((value, i) for i, value in enumerate(p) if not np.isnan(value))
    out, so_far = [float("nan")] * len(p), 0.0
    for step, (value, i) in enumerate(order):
        so_far = max(so_far, value * (len(order) - step))
        out[i] = min(1.0, so_far)
    return out


def test_holm_by_hand():
    assert holm_adjust([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert holm_adjust([0.5, 0.9]) == (1.0, 1.0)
    assert holm_adjust([0.2]) == (0.2,)
    assert holm_adjust([]) == ()


@pytest.mark.parametrize("seed", range(5))
def test_holm_against_a_slow_loop(seed):
    p = np.random.default_rng(seed).random(9) ** 3
    p[seed] = np.nan
    assert holm_adjust(p.tolist()) == pytest.approx(slow_holm(p), nan_ok=True)


def test_holm_counts_only_what_was_tested():
    got = holm_adjust([0.02, float("nan"), 0.03])
    assert got[0] == pytest.approx(0.04)
    assert np.isnan(got[1])
    assert got[2] == pytest.approx(0.04)
