"""Augment training clips: speed (and with it pitch), room, babble, noise, channel, level and masks.

Each draw is fixed by its seed. `training.features.room`, `babble` and `channel` hold the effects of their names.
"""

from fractions import Fraction

import torch
import torchaudio.functional as F
from torch import Generator, Tensor

from segser_core.errors import SettingError
from segser_core.network.segments import mean_over_time
from training.config.settings import Augmentation, SpecAugment
from training.features.babble import OtherClips, add_babble
from training.features.channel import low_pass, telephone_line, transcode_randomly
from training.features.draws import draw_chance, draw_uniform
from training.features.room import reverberate


def augment_clip(waveform: Tensor, how: Augmentation, generator: Generator, others: OtherClips | None = None) -> Tensor:
    """Augment a clip: speed, room, other voices, noise, channel and level, in this order.

    Args:
        waveform: (N,) at 16 kHz.
        how: what is drawn.
        generator: all chance comes from it; an effect that is off draws nothing.
        others: returns another training clip, of which babble is made.

    Returns:
        (N',), N' by the speed.

    Raises:
        SettingError: babble without other clips.
    """
    if how.babble_db is not None and others is None:
        raise SettingError(f"augmentation.babble_db is {how.babble_db}, and no other clips are given to make babble of")
    if how.speed is not None:
        waveform = change_speed(waveform, draw_uniform(*how.speed, generator))
    if how.reverberation_s is not None and draw_chance(how.reverberation_share, generator):
        waveform = reverberate(waveform, draw_uniform(*how.reverberation_s, generator), generator)
    if how.babble_db is not None and others is not None and draw_chance(how.babble_share, generator):
        waveform = add_babble(waveform, draw_uniform(*how.babble_db, generator), others, generator)
    if how.noise_db is not None and draw_chance(how.noise_share, generator):
        waveform = add_noise(waveform, draw_uniform(*how.noise_db, generator), generator)
    waveform = pass_channel(waveform, how, generator)
    return change_level(waveform, draw_uniform(*how.level_range_db, generator))


def pass_channel(waveform: Tensor, how: Augmentation, generator: Generator) -> Tensor:
    """Send a clip through the channels that are drawn, low pass, telephone line and codec: (N,) → (N,)."""
    if how.low_pass_hz is not None and draw_chance(how.low_pass_share, generator):
        waveform = low_pass(waveform, draw_uniform(*how.low_pass_hz, generator))
    if how.telephone and draw_chance(how.telephone, generator):
        waveform = telephone_line(waveform)
    if how.codec and draw_chance(how.codec, generator):
        waveform = transcode_randomly(waveform, generator)
    return waveform


def change_level(waveform: Tensor, gain_db: float) -> Tensor:
    """Raise the level by a gain in dB: (N,) → (N,)."""
    return waveform * 10 ** (gain_db / 20)


def change_speed(waveform: Tensor, factor: float) -> Tensor:
    """Play `factor` times as fast: pitch and formants move along. (N,) → (N / factor,)."""
    ratio = Fraction(factor).limit_denominator(20)  # small numbers make a short resampling filter
    return F.resample(waveform, ratio.numerator, ratio.denominator)


def add_noise(waveform: Tensor, snr_db: float, generator: Generator) -> Tensor:
    """Add noise of a spectrum between white and pink, drawn too, at a signal-to-noise ratio in dB."""
    length = 1 << (len(waveform) - 1).bit_length()  # a power of two: the transform is ten times as fast
    white = torch.fft.rfft(torch.randn(length, generator=generator))
    slope = draw_uniform(0, 0.5, generator)  # amplitude falls as frequency ** −slope: 0 white, 0.5 pink
    noise = torch.fft.irfft(white * torch.arange(1, len(white) + 1) ** -slope)[: len(waveform)]
    return F.add_noise(waveform, noise, torch.tensor(snr_db))


def mask_log_mel(pairs: Tensor, lengths: Tensor, how: Augmentation, generator: Generator) -> Tensor:
    """Mask two bands of frequencies and two of time in each clip of a batch, under the mean of that clip.

    SpecAugment's masks (Park et al. 2019) without its warp; a clip's own length bounds those in time.

    Args:
        pairs: Whisper's log-mel, two mel frames in each frame: (B, T, 2 · bands), of any device.
        lengths: (B,) frames.
        how: the largest share that one mask hides.
        generator: of the CPU, so that a batch is masked alike on every device.
    """
    masked = pairs.clone()
    for clip, frames in zip(masked.unflatten(2, (2, -1)), lengths.tolist(), strict=True):  # (T, 2, bands) each
        inside = clip[:frames]
        mean = inside.mean()
        for _ in range(2):
            inside[:, :, draw_stripe(clip.shape[2], how.mask_bands, generator)] = mean
            inside[draw_stripe(frames, how.mask_time, generator)] = mean
    return masked


def spec_augment(features: Tensor, lengths: Tensor, how: SpecAugment, generator: Generator) -> Tensor:
    """Mask spans of frames, and in all frames spans of features, in each clip: (B, T, F) → the same."""
    frames = draw_mask_spans(lengths, how.time_frames, how.time_p, how.time_least, generator)
    sizes = torch.full_like(lengths, features.shape[2])
    bands = draw_mask_spans(sizes, how.feature_size, how.feature_p, how.feature_least, generator)
    return mask_with_mean(features, lengths, frames[:, :, None] | bands[:, None])


def mask_with_mean(features: Tensor, lengths: Tensor, where: Tensor) -> Tensor:
    """Replace masked features by each clip's own mean.

    Args:
        features: (B, T, F).
        lengths: (B,) frames.
        where: (B, T, F), or 1 for T or F; true where they are hidden.
    """
    return torch.where(where.to(features.device), mean_over_time(features, lengths)[:, None], features)


def draw_mask_spans(sizes: Tensor, length: int, p: float, least: int, generator: Generator) -> Tensor:
    """Draw spans of each row's positions as wav2vec 2.0 does, but never of more than half of a row.

    Args:
        sizes: (B,) places of each row.
        length: places of a span; fewer in a row of which all of its spans might hide more than half.
        p: a row has ⌊p · size / length + u⌋ spans, u uniform in [0, 1); they may overlap.
        least: and never fewer than these.
        generator: of the CPU, so that a batch is masked alike on every device.

    Returns:
        (B, most places of any row), true inside a span.
    """
    mask = torch.zeros(len(sizes), int(sizes.max()), dtype=torch.bool)
    for row, size in zip(mask, sizes.tolist(), strict=True):
        count = max(least, int(p * size / length + draw_uniform(0, 1, generator)))
        width = min(length, size // (2 * max(count, 1)))
        for start in torch.randint(size - width + 1, (count,), generator=generator).tolist():
            row[start : start + width] = True
    return mask


def draw_stripe(size: int, largest: float, generator: Generator) -> slice:
    """Draw a stripe of `size` positions, of a share drawn from [0, largest), anywhere in them."""
    width = int(size * draw_uniform(0, largest, generator))
    start = int(draw_uniform(0, size - width + 1, generator))
    return slice(start, start + width)
