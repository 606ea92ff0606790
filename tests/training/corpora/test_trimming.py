"""Trimmed recordings: by hand, against a loop over blocks, and where there is nothing to trim."""

import doctest

import numpy as np
import pytest

from training.corpora import trimming
from training.corpora.trimming import trim_silence


def slow_trim(samples: np.ndarray) -> np.ndarray:
    """Trim by a loop over blocks of 80 samples."""
    loud = max(map(abs, samples), default=0) * 0.03
    at = [i for i in range(0, len(samples), 80) if max(map(abs, samples[i : i + 80])) >= loud]
    return samples[max(0, at[0] - 1600) : at[-1] + 1600]


def test_the_example_in_the_docstring():
    assert doctest.testmod(trimming).failed == 0
    assert doctest.testmod(trimming).attempted > 1


def test_a_tenth_of_a_second_stays_before_and_after():
    """By hand: the first loud block begins at sample 8000, the last at 15 920; 1600 samples stay beside these."""
    samples = np.zeros(40_000, dtype=np.float32)
    samples[8_000:16_000] = -0.5
    samples[20_000] = 0.0149  # below 3 % of the peak
    trimmed = trim_silence(samples)
    assert np.shares_memory(trimmed, samples)
    np.testing.assert_array_equal(trimmed, samples[6_400:17_520])
    samples[20_000] = 0.0151
    assert len(trim_silence(samples)) == 20_000 + 1_600 - 6_400


@pytest.mark.parametrize("seed", range(20))
def test_it_equals_a_loop_over_blocks(seed):
    g = np.random.default_rng(seed)
    quiet = g.choice([0.0005, 1.0], int(g.integers(1, 9_000)), p=[0.999, 0.001])
    samples = g.normal(0, 1, len(quiet)) * quiet
    np.testing.assert_array_equal(trim_silence(samples), slow_trim(samples))


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros(9_000), np.ones(3), np.ones(5_000)])
def test_where_nothing_is_silent_or_nothing_is_loud_all_stays(samples):
    np.testing.assert_array_equal(trim_silence(samples), samples)
