"""Send clips through channels: a low pass, a telephone line, and the codecs Opus and MP3."""

from torch import Generator, Tensor


def low_pass(waveform: Tensor, cutoff_hz: float) -> Tensor:
    """Remove what lies above a cutoff frequency: (N,) at 16 kHz → (N,)."""
    raise NotImplementedError


def telephone_line(waveform: Tensor) -> Tensor:
    """Send a clip through a telephone line, 300 to 3400 Hz, μ-law at 8 kHz: (N,) at 16 kHz → (N,)."""
    raise NotImplementedError


def transcode_randomly(waveform: Tensor, generator: Generator) -> Tensor:
    """Encode and decode a clip by a codec and a bit rate that are drawn: (N,) at 16 kHz → (N,)."""
    raise NotImplementedError
