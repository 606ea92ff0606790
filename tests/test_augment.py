import math

import pytest
import torch

from training.augment import add_noise, augment, change_speed
from training.settings import Augmentation

TONE = torch.sin(2 * math.pi * 440 * torch.arange(16_000) / 16_000) * 0.1


def pitch_hz(waveform):
    spectrum = torch.fft.rfft(waveform * torch.hann_window(len(waveform))).abs()
    return spectrum.argmax().item() * 16_000 / len(waveform)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_speed_moves_length_and_pitch(factor):
    faster = change_speed(TONE, factor)
    assert len(faster) == pytest.approx(16_000 / factor, abs=2)
    assert pitch_hz(faster) == pytest.approx(440 * factor, rel=0.01)


@pytest.mark.parametrize("snr_db", [0.0, 20.0])
def test_noise_has_the_ratio_that_was_asked_for(snr_db):
    noise = add_noise(TONE, snr_db, generator()) - TONE
    assert 10 * math.log10(TONE.square().mean() / noise.square().mean()) == pytest.approx(snr_db, abs=0.1)


def test_gain_stays_in_its_range_and_fills_it():
    gains = [
        20 * math.log10(augment(TONE, Augmentation(gain_db=20), generator(s)).std() / TONE.std()) for s in range(50)
    ]
    assert -20 <= min(gains) < -12 and 12 < max(gains) <= 20


def test_the_seed_fixes_a_variant():
    how = Augmentation(speed=(0.9, 1.1), noise_db=(5, 30))
    assert torch.equal(augment(TONE, how, generator(3)), augment(TONE, how, generator(3)))
    assert len({len(augment(TONE, how, generator(s))) for s in range(6)}) > 3


def test_silence_stays_finite():
    how = Augmentation(speed=(0.9, 1.1), noise_db=(5, 30))
    assert all(augment(torch.zeros(8000), how, generator(s)).isfinite().all() for s in range(6))
