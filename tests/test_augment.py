import math

import pytest
import torch

from training.augment import add_noise, augment, change_speed, mask_log_mel
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


def test_masks_hide_stripes_of_each_clip_within_its_length():
    how = Augmentation(mask_bands=0.3, mask_time=0.2)
    lengths = torch.tensor([50, 20])
    pairs = torch.randn(2, 50, 160, generator=generator())
    masked = mask_log_mel(pairs, lengths, how, generator(1))
    assert torch.equal(masked[1, 20:], pairs[1, 20:])
    for clip, before, frames in zip(masked, pairs, lengths, strict=True):
        hidden = (clip != before)[:frames]
        assert torch.equal(hidden[:, :80], hidden[:, 80:])  # a band is hidden in both mel frames of a frame
        rows, bands = hidden.all(dim=1), hidden.all(dim=0)
        assert torch.equal(hidden, rows[:, None] | bands)  # nothing but whole stripes
        assert 0 < bands.sum() <= 0.6 * 160 and 0 < rows.sum() <= 0.4 * frames
        assert torch.allclose(clip[:frames][hidden], before[:frames].mean())


def test_masks_are_fixed_by_their_seed():
    how, pairs, lengths = Augmentation(mask_bands=0.3, mask_time=0.2), torch.randn(1, 40, 160), torch.tensor([40])
    first, again, other = (mask_log_mel(pairs, lengths, how, generator(s)) for s in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)
