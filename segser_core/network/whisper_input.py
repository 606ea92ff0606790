"""Compute Whisper's input: the log-mel spectrogram, and its position vectors."""

import math
from functools import lru_cache

import torch
from torch import Tensor
from torchaudio.functional import melscale_fbanks

MEL_FFT_SAMPLES = 400
MEL_HOP_SAMPLES = 160
MEL_DECADES = 8.0


def sinusoidal_positions(positions: Tensor, size: int) -> Tensor:
    """Compute Whisper's position vectors at any positions: (B, T) → (B, T, size).

    Example:
        >>> sinusoidal_positions(torch.arange(50)[None], 512).shape
        torch.Size([1, 50, 512])
    """
    scales = torch.exp(-math.log(10_000) / (size // 2 - 1) * torch.arange(size // 2, device=positions.device))
    angles = positions[..., None] * scales
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


@lru_cache(maxsize=4)
def mel_filters(n_mels: int) -> Tensor:
    """Compute Slaney's mel filters over the FFT's bins, 0 to 8 kHz: (201, n_mels)."""
    return melscale_fbanks(MEL_FFT_SAMPLES // 2 + 1, 0.0, 8000.0, n_mels, 16_000, norm="slaney", mel_scale="slaney")


def log_mel_spectrogram(waveform: Tensor, n_mels: int = 80) -> Tensor:
    """Compute Whisper's input: (N,) at 16 kHz → (n_mels, N // 160), about −1 to 1.

    Clamped 8 decades below the maximum of this very audio, so what else it holds matters: the
    rule everywhere here is that the maximum is of the audio that the encoder sees at once.

    Example:
        >>> log_mel_spectrogram(torch.randn(16_000)).shape
        torch.Size([80, 100])
    """
    window = torch.hann_window(MEL_FFT_SAMPLES, device=waveform.device)
    spectrum = torch.stft(waveform, MEL_FFT_SAMPLES, MEL_HOP_SAMPLES, window=window, return_complex=True)
    power = mel_filters(n_mels).to(waveform.device).T @ spectrum[:, :-1].abs().square()
    decades = power.clamp(min=1e-10).log10()
    return (decades.clamp(min=decades.max() - MEL_DECADES) + 4.0) / 4.0
