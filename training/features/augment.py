"""Variations of training clips: speed (and with it pitch), noise, level and masks, each draw fixed by its seed."""

from fractions import Fraction

import torch
import torchaudio.functional as F
from torch import Generator, Tensor

from segser_core.network.segments import mean_over_time
from training.config.settings import Augmentation, SpecAugment


def uniform(low: float, high: float, generator: Generator) -> float:
    """One draw from [low, high)."""
    return low + (high - low) * torch.rand((), generator=generator).item()


def augment(waveform: Tensor, how: Augmentation, generator: Generator) -> Tensor:
    """A varied copy of a clip: (N,) at 16 kHz → (N',), N' by the speed."""
    if how.speed is not None:
        waveform = change_speed(waveform, uniform(*how.speed, generator))
    if how.noise_db is not None and uniform(0, 1, generator) < 0.5:
        waveform = add_noise(waveform, uniform(*how.noise_db, generator), generator)
    return waveform * 10 ** (uniform(-how.gain_db, how.gain_db, generator) / 20)


def change_speed(waveform: Tensor, factor: float) -> Tensor:
    """Played `factor` times as fast: pitch and formants move with it. (N,) → (N / factor,)."""
    ratio = Fraction(factor).limit_denominator(20)  # small numbers make a short resampling filter
    return F.resample(waveform, ratio.numerator, ratio.denominator)


def add_noise(waveform: Tensor, snr_db: float, generator: Generator) -> Tensor:
    """Noise of a spectrum between white and pink, drawn too, at a signal-to-noise ratio in dB."""
    length = 1 << (len(waveform) - 1).bit_length()  # a power of two: the transform is ten times as fast
    white = torch.fft.rfft(torch.randn(length, generator=generator))
    slope = uniform(0, 0.5, generator)  # amplitude falls as frequency ** −slope: 0 white, 0.5 pink
    noise = torch.fft.irfft(white * torch.arange(1, len(white) + 1) ** -slope)[: len(waveform)]
    return F.add_noise(waveform, noise, torch.tensor(snr_db))


def mask_log_mel(pairs: Tensor, lengths: Tensor, how: Augmentation, generator: Generator) -> Tensor:
    """A batch with two stripes of bands and two of time hidden in each clip, under the mean of that clip.

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
            inside[:, :, stripe(clip.shape[2], how.mask_bands, generator)] = mean
            inside[stripe(frames, how.mask_time, generator)] = mean
    return masked


def spec_augment(features: Tensor, lengths: Tensor, how: SpecAugment, generator: Generator) -> Tensor:
    """A batch with spans of frames, and in all frames spans of features, hidden in each clip: (B, T, F) → the same."""
    frames = spans(lengths, how.time_frames, how.time_p, how.time_least, generator)
    sizes = torch.full_like(lengths, features.shape[2])
    bands = spans(sizes, how.feature_size, how.feature_p, how.feature_least, generator)
    return hide(features, lengths, frames[:, :, None] | bands[:, None])


def hide(features: Tensor, lengths: Tensor, where: Tensor) -> Tensor:
    """The same features, but each clip's own mean of a feature where it is hidden.

    Args:
        features: (B, T, F).
        lengths: (B,) frames.
        where: (B, T, F), or 1 for T or F; true where they are hidden.
    """
    return torch.where(where.to(features.device), mean_over_time(features, lengths)[:, None], features)


def spans(sizes: Tensor, length: int, p: float, least: int, generator: Generator) -> Tensor:
    """Spans of each row of places, drawn as for wav2vec 2.0, but never of more than half of a row.

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
        count = max(least, int(p * size / length + uniform(0, 1, generator)))
        width = min(length, size // (2 * max(count, 1)))
        for start in torch.randint(size - width + 1, (count,), generator=generator).tolist():
            row[start : start + width] = True
    return mask


def stripe(size: int, largest: float, generator: Generator) -> slice:
    """A part of `size` places, of a share drawn from [0, largest), anywhere in them."""
    width = int(size * uniform(0, largest, generator))
    start = int(uniform(0, size - width + 1, generator))
    return slice(start, start + width)
