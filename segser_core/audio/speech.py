"""Say which share of a stretch of a recording is speech, from the probability of speech in windows of 32 ms."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from segser_core.audio.decoding import SAMPLE_RATE_HZ

SPEECH_WINDOW_SAMPLES = 512
SPEECH_WINDOW_S = SPEECH_WINDOW_SAMPLES / SAMPLE_RATE_HZ
SPEECH_ABOVE = 0.5  # Silero's own threshold
DEFAULT_MIN_SPEECH = 0.3  # docs/speech.md


@dataclass(frozen=True, eq=False)
class SpeechTrack:
    """The probability of speech in each window of 32 ms of a recording: (W,), the last window may reach beyond its end.

    Example:
        >>> track = SpeechTrack(np.array([0.9, 0.9, 0.1, 0.1]))
        >>> track.share(0.0, 0.128), track.share(0.032, 0.096), track.speech_s
        (0.5, 0.5, 0.064)
    """

    p: np.ndarray

    @cached_property
    def _speech_until(self) -> np.ndarray:
        """Sum the seconds of speech before the start of each window, and before the end: (W + 1,)."""
        return np.concatenate([[0.0], np.cumsum(self.p >= SPEECH_ABOVE) * SPEECH_WINDOW_S])

    @property
    def speech_s(self) -> float:
        """Return how long speech lasts in all, in seconds."""
        return float(self._speech_until[-1])

    def share(self, start_s: float, end_s: float) -> float:
        """Compute the share of a stretch that is speech, 0 to 1.

        Args:
            start_s, end_s: of a segment, a turn or any other stretch, in seconds.
        """
        edges = np.arange(len(self.p) + 1) * SPEECH_WINDOW_S
        before, until = np.interp([start_s, end_s], edges, self._speech_until)
        return float(np.clip((until - before) / max(end_s - start_s, 1e-9), 0.0, 1.0))
