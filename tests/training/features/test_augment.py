import math
from fractions import Fraction

import pytest
import torch
import torchaudio.functional as F

from segser_core.audio.loading import load_audio
from segser_core.errors import SettingError
from tests.support.paths import SAMPLE
from training.config.settings import Augmentation, SpecAugment
from training.features.augment import (
    add_noise,
    augment_clip,
    change_speed,
    draw_mask_spans,
    mask_log_mel,
    mask_with_mean,
    spec_augment,
)

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
        20 * math.log10(augment_clip(TONE, Augmentation(gain_db=20), generator(s)).std() / TONE.std())
        for s in range(50)
    ]
    assert -20 <= min(gains) < -12
    assert 12 < max(gains) <= 20


def as_in_published_runs(waveform, how, generator):
    """The augmentation of the runs that were published with version 0.2.0, written out."""

    def draw(low, high):
        return low + (high - low) * torch.rand((), generator=generator).item()

    if how.speed is not None:
        ratio = Fraction(draw(*how.speed)).limit_denominator(20)
        waveform = F.resample(waveform, ratio.numerator, ratio.denominator)
    if how.noise_db is not None and draw(0, 1) < 0.5:
        snr_db = draw(*how.noise_db)
        length = 1 << (len(waveform) - 1).bit_length()
        white = torch.fft.rfft(torch.randn(length, generator=generator))
        slope = draw(0, 0.5)
        noise = torch.fft.irfft(white * torch.arange(1, len(white) + 1) ** -slope)[: len(waveform)]
        waveform = F.add_noise(waveform, noise, torch.tensor(snr_db))
    return waveform * 10 ** (draw(-how.gain_db, how.gain_db) / 20)


@pytest.mark.parametrize(
    "how",
    [
        Augmentation(),
        Augmentation(gain_db=0),
        Augmentation(speed=(0.8, 1.25), noise_db=(5, 30), gain_db=20),  # of the bundled models
        Augmentation(noise_db=(5, 30), gain_db=6),
    ],
)
def test_published_recipes_repeat_bit_for_bit(how):
    for seed in range(20):
        ours, theirs = generator(seed), generator(seed)
        assert torch.equal(augment_clip(TONE, how, ours), as_in_published_runs(TONE, how, theirs))
        assert torch.equal(ours.get_state(), theirs.get_state())  # what is drawn next is the same, too


def levels_db(**how):
    clips = [augment_clip(TONE, Augmentation(**how), generator(s)) for s in range(50)]
    return [20 * math.log10(clip.std() / TONE.std()) for clip in clips]


def test_a_range_of_levels_goes_before_the_symmetric_one():
    levels = levels_db(gain_range_db=(-30, 0), gain_db=20)
    assert -30 <= min(levels) < -25
    assert -5 < max(levels) <= 0
    assert levels_db(gain_range_db=(3, 3)) == pytest.approx([3] * 50, abs=1e-3)


OTHERS = torch.randn(9000, generator=torch.Generator().manual_seed(5))
EFFECTS = {
    "reverberation": ({"reverberation_s": (0.2, 0.8)}, "reverberation_share"),
    "babble": ({"babble_db": (5, 20)}, "babble_share"),
    "noise": ({"noise_db": (5, 30)}, "noise_share"),
    "low pass": ({"low_pass_hz": (300, 400)}, "low_pass_share"),
    "telephone": ({}, "telephone"),
    "codec": ({}, "codec"),
}


@pytest.mark.parametrize("effect", EFFECTS)
def test_an_effect_is_applied_to_its_share_of_clips(effect):
    values, share = EFFECTS[effect]
    clip = TONE[:1000]

    def applied(of, draws):
        how = Augmentation(gain_db=0, **values, **{share: of})
        clips = (augment_clip(clip, how, generator(s), lambda g: OTHERS) for s in range(draws))
        return sum(not torch.equal(clip, c) for c in clips) / draws

    assert applied(0.0, 20) == 0
    assert applied(1.0, 20) == 1
    assert applied(0.25, 300) == pytest.approx(0.25, abs=0.08)


@pytest.mark.parametrize("effect", [e for e in EFFECTS if EFFECTS[e][0]])
def test_half_of_the_clips_where_no_share_is_named(effect):
    assert getattr(Augmentation(), EFFECTS[effect][1]) == 0.5


ALL = Augmentation(
    speed=(0.9, 1.1),
    reverberation_s=(0.2, 0.8),
    babble_db=(5, 20),
    noise_db=(5, 30),
    low_pass_hz=(3000, 8000),
    telephone=0.5,
    codec=0.5,
    gain_range_db=(-30, 0),
)


def test_the_seed_fixes_all_effects_together():
    speech = torch.from_numpy(load_audio(SAMPLE))[:32_000]
    for seed in range(8):
        first, again = (augment_clip(speech, ALL, generator(seed), lambda g: OTHERS) for _ in range(2))
        assert torch.equal(first, again)
        assert first.isfinite().all()
        assert first.dtype == torch.float32


def test_silence_stays_finite_under_all_effects():
    for seed in range(16):
        assert augment_clip(torch.zeros(8000), ALL, generator(seed), lambda g: OTHERS).isfinite().all()


def test_babble_needs_other_clips():
    with pytest.raises(SettingError, match=r"babble_db is \(5, 20\), and no other clips"):
        augment_clip(TONE, Augmentation(babble_db=(5, 20)), generator())


def test_the_seed_fixes_a_variant():
    how = Augmentation(speed=(0.9, 1.1), noise_db=(5, 30))
    assert torch.equal(augment_clip(TONE, how, generator(3)), augment_clip(TONE, how, generator(3)))
    assert len({len(augment_clip(TONE, how, generator(s))) for s in range(6)}) > 3


def test_silence_stays_finite():
    how = Augmentation(speed=(0.9, 1.1), noise_db=(5, 30))
    assert all(augment_clip(torch.zeros(8000), how, generator(s)).isfinite().all() for s in range(6))


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
        assert 0 < bands.sum() <= 0.6 * 160
        assert 0 < rows.sum() <= 0.4 * frames
        assert torch.allclose(clip[:frames][hidden], before[:frames].mean())


def test_masks_are_fixed_by_their_seed():
    how, pairs, lengths = Augmentation(mask_bands=0.3, mask_time=0.2), torch.randn(1, 40, 160), torch.tensor([40])
    first, again, other = (mask_log_mel(pairs, lengths, how, generator(s)) for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_spans_are_as_many_as_asked_for_and_no_longer():
    """A row of 1000 places: too long for overlaps to be likely."""
    for seed in range(20):
        mask = draw_mask_spans(torch.tensor([1000]), length=5, p=0.0, least=2, generator=generator(seed))
        assert mask.shape == (1, 1000)
        assert mask.sum() in (10, *range(5, 10))
        mask = draw_mask_spans(torch.tensor([1000]), length=10, p=0.025, least=0, generator=generator(seed))
        assert 0 < mask.sum() <= 30  # two or three of ten places
    hidden = [draw_mask_spans(torch.tensor([1000]), 10, 0.025, 0, generator(s)).sum().item() for s in range(200)]
    assert sum(hidden) / 200 == pytest.approx(25, abs=1.5)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 15, 16, 29, 60, 61])
def test_spans_hide_no_more_than_half_of_a_row_and_nothing_beyond_it(size):
    for seed in range(10):
        mask = draw_mask_spans(torch.tensor([size, 80]), length=15, p=0.08, least=2, generator=generator(seed))
        assert mask[0].sum() <= size / 2
        assert not mask[0, size:].any()
        assert mask[1].any()
        assert mask[0].any() or size < 4


def test_the_same_source_of_chance_draws_the_same_spans():
    first, again, other = (draw_mask_spans(torch.tensor([200, 90]), 15, 0.06, 2, generator(s)) for s in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_what_is_hidden_has_the_clips_own_mean():
    features, lengths = torch.randn(3, 9, 4, generator=generator()), torch.tensor([9, 5, 1])
    where = torch.rand(3, 9, 4, generator=generator(1)) < 0.4
    got = mask_with_mean(features, lengths, where)
    for b, t, f in torch.cartesian_prod(torch.arange(3), torch.arange(9), torch.arange(4)):
        expected = features[b, : lengths[b], f].mean() if where[b, t, f] else features[b, t, f]
        assert got[b, t, f] == pytest.approx(expected.item(), abs=1e-6)


def test_hidden_frames_and_features_of_a_clip():
    """Frames whole, features through all frames, of the clip alone; the rest as it was."""
    features, lengths = torch.randn(2, 300, 200, generator=generator()), torch.tensor([300, 120])
    got = spec_augment(features, lengths, SpecAugment(), generator(3))
    for clip, was, frames in zip(got, features, lengths.tolist(), strict=True):
        changed = (clip != was)[:frames]
        rows, columns = changed.all(dim=1), changed.all(dim=0)
        assert 15 <= rows.sum() <= 60
        assert columns.sum() == 64
        assert torch.equal(changed, rows[:, None] | columns)


def test_a_gradient_goes_through_what_is_hidden():
    features = torch.zeros(1, 4, 2, requires_grad=True)
    mask_with_mean(features, torch.tensor([3]), torch.ones(1, 4, 1, dtype=torch.bool)).sum().backward()
    assert features.grad.isfinite().all()
