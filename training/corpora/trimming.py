"""Trim the silence before and after speech, by its level relative to the recording's own peak."""

import numpy as np

from segser_core.audio.decoding import SAMPLE_RATE_HZ

KEPT_SILENCE_S = 0.1  # kept before and after
SPEECH_THRESHOLD = 0.03  # of the peak: −30 dB
LEVEL_BLOCK_SAMPLES = SAMPLE_RATE_HZ // 200  # 5 ms: a block is loud if any of its samples is


def trim_silence(samples: np.ndarray) -> np.ndarray:
    """Trim the silence at both ends of a recording to `KEPT_SILENCE_S`, or to what there is; levels stay as they are.

    Args:
        samples: (N,) at 16 kHz.

    Returns:
        A view of (M,) samples, M ≤ N; the whole recording where it holds nothing but zeros or no sample.

    Example:
        >>> speech = np.concatenate([np.zeros(16_000), np.ones(8_000), np.zeros(16_000)])
        >>> len(trim_silence(speech)) / 16_000  # 0.1 s + 0.5 s + 0.1 s, in blocks of 5 ms
        0.695
    """
    starts = np.arange(0, len(samples), LEVEL_BLOCK_SAMPLES)
    if not len(starts):
        return samples
    peaks = np.maximum.reduceat(np.abs(samples), starts)  # (blocks,)
    if not peaks.max() > 0:
        return samples
    loud = starts[peaks >= peaks.max() * SPEECH_THRESHOLD]
    kept = round(KEPT_SILENCE_S * SAMPLE_RATE_HZ)
    return samples[max(0, loud[0] - kept) : loud[-1] + kept]
