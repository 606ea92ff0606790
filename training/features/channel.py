"""Send clips through channels: a low pass, a telephone line, and the codecs Opus and MP3."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

import av
import numpy as np
import torch
import torchaudio.functional as F
from av.codec.codec import UnknownCodecError
from torch import Generator, Tensor

from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.errors import SettingError

TRANSITION_HZ = 200.0  # over which a filter's gain goes from 1 to 0, one half at its edge
RING_SAMPLES = SAMPLE_RATE_HZ // 20  # after which such a filter's response has died away
TELEPHONE_BAND_HZ = (300.0, 3400.0)  # passed whole; the edges lie outside


def low_pass(waveform: Tensor, cutoff_hz: float) -> Tensor:
    """Remove what lies above a cutoff frequency, where the gain is −6 dB, without delay: (N,) at 16 kHz → (N,)."""
    length = transform_length(waveform)
    spectrum = torch.fft.rfft(waveform, length) * band_gain(length, high_hz=cutoff_hz)
    return torch.fft.irfft(spectrum, length)[: len(waveform)]


def telephone_line(waveform: Tensor) -> Tensor:
    """Send a clip through a telephone line without delay: (N,) at 16 kHz → (N,).

    300 to 3400 Hz at 8 kHz in the 256 levels of μ-law (G.711), whose full scale is that of the clip, or the
    clip's peak where that is higher.
    """
    length, peak = transform_length(waveform), full_scale(waveform)
    lowest_hz, highest_hz = TELEPHONE_BAND_HZ
    band = band_gain(length, lowest_hz - TRANSITION_HZ / 2, highest_hz + TRANSITION_HZ / 2)
    narrow = (torch.fft.rfft(waveform, length) * band)[: length // 4 + 1]  # of half the rate: up to 4 kHz
    at_8_khz = torch.fft.irfft(narrow, length // 2) / 2
    levels = F.mu_law_decoding(F.mu_law_encoding(at_8_khz / peak, 256), 256) * peak
    spectrum = torch.zeros(length // 2 + 1, dtype=narrow.dtype)
    spectrum[: length // 4 + 1] = torch.fft.rfft(levels) * 2
    return torch.fft.irfft(spectrum * band, length)[: len(waveform)]  # the receiver filters, too


def transform_length(waveform: Tensor) -> int:
    """Return the power of two that holds (N,) samples and what a filter rings on after them."""
    return 1 << (len(waveform) + RING_SAMPLES - 1).bit_length()


def band_gain(length: int, low_hz: float = -TRANSITION_HZ, high_hz: float = SAMPLE_RATE_HZ) -> Tensor:
    """Compute the gain of a band pass with raised-cosine edges at each frequency of an FFT.

    Args:
        length: of the FFT at 16 kHz.
        low_hz, high_hz: the edges, at which the gain is one half; without one, the band has no such edge.

    Returns:
        (length / 2 + 1,) in [0, 1].
    """
    hz = torch.fft.rfftfreq(length, 1 / SAMPLE_RATE_HZ)

    def rise(above_edge_hz: Tensor) -> Tensor:
        return 0.5 + 0.5 * torch.sin(torch.pi * (above_edge_hz / TRANSITION_HZ).clamp(-0.5, 0.5))

    return rise(hz - low_hz) * rise(high_hz - hz)


def full_scale(waveform: Tensor) -> Tensor:
    """Return the amplitude that a channel must bear, (N,) → (): the peak, and at least 1."""
    return waveform.abs().max().clamp(min=1.0)


@dataclass(frozen=True)
class Codec:
    """A lossy codec of libav.

    Attributes:
        encoder, decoder: their names in libav.
        sample_format: of the encoder's input.
        bit_rates: low ones, in bit/s, that augmentation draws from.
        options: of the encoder.
    """

    encoder: str
    decoder: str
    sample_format: str
    bit_rates: tuple[int, ...]
    options: dict[str, str] = field(default_factory=dict)


OPUS = Codec(
    *("libopus", "libopus", "flt", (6_000, 8_000, 12_000, 16_000, 24_000)),
    options={"application": "voip", "compression_level": "5"},  # 10, the default, takes twice the time
)
MP3 = Codec("libmp3lame", "mp3float", "fltp", (16_000, 24_000, 32_000, 48_000))
CODECS = (OPUS, MP3)


def transcode_randomly(waveform: Tensor, generator: Generator) -> Tensor:
    """Encode and decode a clip by a codec and a bit rate that are drawn: (N,) at 16 kHz → (N,)."""
    codec = CODECS[int(torch.randint(len(CODECS), (), generator=generator))]
    bit_rate = codec.bit_rates[int(torch.randint(len(codec.bit_rates), (), generator=generator))]
    return transcode(waveform, codec, bit_rate)


def transcode(waveform: Tensor, codec: Codec, bit_rate: int) -> Tensor:
    """Encode and decode a clip, in memory and in time with what it was.

    Args:
        waveform: (N,) at 16 kHz.
        codec: `OPUS` or `MP3`.
        bit_rate: in bit/s; MP3 takes the nearest that it has.

    Returns:
        (N,) at 16 kHz.

    Raises:
        SettingError: libav was built without the codec.
    """
    peak = full_scale(waveform)
    try:
        packets, extradata = encode(waveform / peak, codec, bit_rate)
        pieces, rate_hz = decode(packets, codec, extradata)
    except UnknownCodecError as error:
        raise SettingError(f"PyAV has no codec {error}; install its wheel, or set augmentation.codec to 0") from error
    decoded = F.resample(pieces, rate_hz, SAMPLE_RATE_HZ)  # Opus decodes to 48 kHz
    return decoded[: len(waveform)] * peak


def encode(waveform: Tensor, codec: Codec, bit_rate: int) -> tuple[list[av.Packet], bytes | None]:
    """Encode (N,) samples, and as much silence after them as the decoder's delay needs; returns the codec's header."""
    encoder = create_context(codec.encoder, "w")
    encoder.format, encoder.time_base = codec.sample_format, Fraction(1, SAMPLE_RATE_HZ)
    encoder.bit_rate, encoder.options = bit_rate, codec.options
    encoder.open()
    packets = [packet for frame in frames_of(waveform, encoder) for packet in encoder.encode(frame)]
    return packets + list(encoder.encode(None)), encoder.extradata


def create_context(name: str, mode: Literal["r", "w"]) -> av.AudioCodecContext:
    """Create a codec's context of one thread for mono at 16 kHz, to read or to write."""
    context = av.CodecContext.create(name, mode)
    assert isinstance(context, av.AudioCodecContext), "a codec of audio"
    context.sample_rate, context.layout, context.thread_count = SAMPLE_RATE_HZ, "mono", 1
    return context


def frames_of(waveform: Tensor, encoder: av.AudioCodecContext) -> Iterator[av.AudioFrame]:
    """Cut (N,) samples into an encoder's frames, with silence in the last three."""
    size = encoder.frame_size
    padded = np.pad(waveform.numpy().astype(np.float32), (0, -len(waveform) % size + 3 * size))
    for start in range(0, len(padded), size):
        frame = av.AudioFrame.from_ndarray(padded[None, start : start + size], encoder.format.name, "mono")
        frame.sample_rate, frame.pts = SAMPLE_RATE_HZ, start
        yield frame


def decode(packets: list[av.Packet], codec: Codec, extradata: bytes | None) -> tuple[Tensor, int]:
    """Decode packets to (M,) samples and their rate; libav itself drops the encoder's delay at the start."""
    decoder = create_context(codec.decoder, "r")
    decoder.extradata = extradata
    frames = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
    samples = torch.from_numpy(np.concatenate([frame.to_ndarray()[0] for frame in frames]))
    if not samples.is_floating_point():
        samples = samples.float() / 2**15
    return samples, frames[0].sample_rate
