"""Reverberate clips by synthetic room impulse responses: a direct path and exponentially decaying noise."""

import torch
from torch import Generator, Tensor

from segser_core.audio.decoding import SAMPLE_RATE_HZ
from training.features.draws import draw_uniform

DIRECT_TO_REVERBERANT_DB = (-12.0, 6.0)  # from far beyond the critical distance of a room to well within it


def reverberate(waveform: Tensor, rt60_s: float, generator: Generator, drr_db: float | None = None) -> Tensor:
    """Reverberate a clip: (N,) at 16 kHz → (N,), in time with the direct path, at the clip's own level.

    Args:
        waveform: the clip; what sounds on after its end is cut off.
        rt60_s: reverberation time RT60, in which the reverberation falls by 60 dB.
        generator: draws the room impulse response.
        drr_db: direct-to-reverberant ratio; drawn from `DIRECT_TO_REVERBERANT_DB` where it is None.
    """
    if drr_db is None:
        drr_db = draw_uniform(*DIRECT_TO_REVERBERANT_DB, generator)
    wet = fft_convolve(waveform, room_impulse_response(rt60_s, drr_db, generator))
    return wet * (waveform.norm() / wet.norm().clamp(min=torch.finfo(wet.dtype).tiny))


def room_impulse_response(rt60_s: float, drr_db: float, generator: Generator) -> Tensor:
    """Draw a room impulse response: white noise under 10 ** (−3 t / RT60) after a direct path of 1 at t = 0.

    Polack's model of the diffuse field; it has no early reflections of their own.

    Args:
        rt60_s: reverberation time RT60 in seconds, above 0.
        drr_db: energy of the direct path over that of the noise, in dB.
        generator: draws the noise.

    Returns:
        (RT60 · 16 kHz + 1,), at least (2,).
    """
    n = max(1, round(rt60_s * SAMPLE_RATE_HZ))
    decay = 10 ** (-3 * torch.arange(n) / (rt60_s * SAMPLE_RATE_HZ))
    tail = torch.randn(n, generator=generator) * decay
    return torch.cat([torch.ones(1), tail * (10 ** (-drr_db / 20) / tail.norm())])


def fft_convolve(waveform: Tensor, response: Tensor) -> Tensor:
    """Convolve by FFT: (N,) with (M,) → the first (N,)."""
    length = 1 << (len(waveform) + len(response) - 2).bit_length()  # a power of two is the fastest to transform
    spectrum = torch.fft.rfft(waveform, length) * torch.fft.rfft(response, length)
    return torch.fft.irfft(spectrum, length)[: len(waveform)]
