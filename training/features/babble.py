"""Add babble: several other clips at once, at a signal-to-noise ratio."""

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from training.features.draws import draw_uniform

OtherClips = Callable[[Generator], Tensor]  # from a generator to a random clip, (M,) at 16 kHz
FEWEST_VOICES, MOST_VOICES = 3, 6


def add_babble(waveform: Tensor, snr_db: float, others: OtherClips, generator: Generator) -> Tensor:
    """Add 3 to 6 other clips, each as loud as the next, together at a signal-to-noise ratio in dB: (N,) → (N,)."""
    voices = int(torch.randint(FEWEST_VOICES, MOST_VOICES + 1, (), generator=generator))
    babble = torch.zeros_like(waveform)
    for _ in range(voices):
        voice = loop_clip(others(generator), len(waveform), draw_uniform(0, 1, generator))
        babble += voice / root_mean_square(voice)
    gain = root_mean_square(waveform) / root_mean_square(babble) * 10 ** (-snr_db / 20)
    return waveform + gain * babble


def loop_clip(clip: Tensor, length: int, begin: float) -> Tensor:
    """Repeat a clip without end, and cut out `length` samples: (M,) → (length,).

    Args:
        clip: M > 0.
        length: of the result.
        begin: where in the clip it begins, as a share of M in [0, 1).
    """
    return clip[(int(begin * len(clip)) + torch.arange(length)) % len(clip)]


def root_mean_square(waveform: Tensor) -> Tensor:
    """Compute the root mean square, (N,) → (), never 0, so that silence can be divided by it."""
    return waveform.square().mean().sqrt().clamp(min=1e-9)
