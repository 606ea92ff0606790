import math

import numpy as np
import pytest
import torch

from training.features.room import DIRECT_TO_REVERBERANT_DB, fft_convolve, reverberate, room_impulse_response


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def measure_rt60_s(response):
    """RT60 by Schroeder's backward integration: twice the time from −5 to −35 dB (T30), by a fitted line."""
    energy = response.double().square().flip(0).cumsum(0).flip(0)
    level_db = (10 * torch.log10(energy / energy[0])).numpy()
    within = np.flatnonzero((level_db < -5) & (level_db > -35))
    slope, _ = np.polyfit(within / 16_000, level_db[within], 1)
    return -60 / slope


@pytest.mark.parametrize("rt60_s", [0.2, 0.5, 1.0])
def test_the_response_decays_in_the_time_that_was_asked_for(rt60_s):
    for seed in range(5):
        reverberant = room_impulse_response(rt60_s, 0.0, generator(seed))[1:]
        assert measure_rt60_s(reverberant) == pytest.approx(rt60_s, rel=0.1)


@pytest.mark.parametrize("rt60_s", [0.2, 0.5])
def test_a_reverberated_impulse_decays_in_the_time_that_was_asked_for(rt60_s):
    impulse = torch.zeros(16_000)
    impulse[100] = 1
    heard = reverberate(impulse, rt60_s, generator())
    assert heard[:100].abs().max() < 1e-5  # nothing is heard before the direct path
    assert measure_rt60_s(heard[101:]) == pytest.approx(rt60_s, rel=0.1)


@pytest.mark.parametrize("drr_db", [-10.0, 0.0, 6.0])
def test_the_direct_path_has_the_ratio_that_was_asked_for(drr_db):
    response = room_impulse_response(0.4, drr_db, generator())
    ratio = response[0].square() / response[1:].square().sum()
    assert 10 * math.log10(ratio) == pytest.approx(drr_db, abs=0.01)


def test_the_ratio_is_drawn_from_its_range():
    impulse, found = torch.zeros(8000), []
    impulse[0] = 1
    for seed in range(100):
        heard = reverberate(impulse, 0.3, generator(seed)).square()
        found.append(10 * math.log10(heard[0] / heard[1:].sum()))
    low, high = DIRECT_TO_REVERBERANT_DB
    assert low - 0.1 < min(found) < low + 2
    assert high - 2 < max(found) < high + 0.1


@pytest.mark.parametrize(("n", "m"), [(1, 1), (100, 31), (64, 65), (1000, 1), (5, 40)])
def test_the_convolution_is_the_one_by_the_sum(n, m):
    waveform, response = torch.randn(n, generator=generator()), torch.randn(m, generator=generator(1))
    expected = np.convolve(waveform.numpy(), response.numpy())[:n]
    np.testing.assert_allclose(fft_convolve(waveform, response), expected, atol=1e-4)


def test_length_and_level_stay_and_the_chance_is_the_generators():
    waveform = torch.randn(16_001, generator=generator())
    first, again, other = (reverberate(waveform, 0.5, generator(s)) for s in (1, 1, 2))
    assert len(first) == len(waveform)
    assert first.norm().item() == pytest.approx(waveform.norm().item(), rel=1e-4)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_silence_stays_silent_and_a_time_below_a_sample_is_taken():
    assert reverberate(torch.zeros(8000), 0.5, generator()).abs().max() == 0
    assert reverberate(torch.ones(400), 1e-6, generator()).isfinite().all()
