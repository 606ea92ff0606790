"""Cut a recording for a player, and outline it for a picture."""

import io
import wave

import numpy as np

from segser_core.audio.decoding import SAMPLE_RATE_HZ


def encode_wav(samples: np.ndarray, start_s: float, end_s: float) -> bytes:
    """Encode a span of a recording as WAV at fixed gain, so that what is quiet stays quiet.

    Args:
        samples: (N,) at 16 kHz; values beyond ±1 are clipped.
        start_s, end_s: seconds, moved to lie within the recording; an empty stretch is a valid file too.

    Returns:
        WAV, 16-bit PCM, mono, 16 kHz.

    Example:
        >>> encode_wav(np.zeros(16_000), 0.0, 0.5)[:4]
        b'RIFF'
        >>> len(encode_wav(np.zeros(16_000), 0.0, 0.5))
        16044
    """
    start, end = (min(max(round(t * SAMPLE_RATE_HZ), 0), len(samples)) for t in (start_s, end_s))
    pcm = np.round(np.clip(samples[start:end], -1, 1) * 32767).astype("<i2")
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(pcm.tobytes())
    return content.getvalue()


ENVELOPE_BINS = 600


def waveform_envelope(samples: np.ndarray, bins: int = ENVELOPE_BINS) -> tuple[np.ndarray, np.ndarray]:
    """Outline a waveform: the smallest and largest sample of each bin, and their times in seconds.

    Args:
        samples: (N,) at 16 kHz, N >= 1.
        bins: at most this many.

    Returns:
        (2 bins,) times and (2 bins,) amplitudes, to be joined by a line.
    """
    starts = np.linspace(0, len(samples), min(bins, len(samples)), endpoint=False).astype(int)
    low, high = np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts)
    return np.repeat(starts / SAMPLE_RATE_HZ, 2), np.stack([low, high], axis=1).ravel()
