"""Say which share of a stretch of a recording is speech, from the probability of speech in windows of 32 ms."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.errors import SettingError

SPEECH_WINDOW_SAMPLES = 512
SPEECH_WINDOW_S = SPEECH_WINDOW_SAMPLES / SAMPLE_RATE_HZ
# Silero's own thresholds, 0.5 and 0.35, and no padding lose screams and whispers: docs/speech.md.
SPEECH_BEGINS_AT, SPEECH_ENDS_BELOW, PADDING_WINDOWS = 0.3, 0.15, 3


@dataclass(frozen=True, eq=False)
class SpeechTrack:
    """The probability of speech in each window of 32 ms of a recording, (W,): where speech is, and in which share.

    Speech begins with a window of `SPEECH_BEGINS_AT`, ends before one below `SPEECH_ENDS_BELOW`, and is taken to last
    96 ms longer at either side, for its soft beginnings and ends.

    Example:
        >>> track = SpeechTrack(np.array([0.0] * 10 + [0.9, 0.2] + [0.0] * 10))
        >>> track.speech_s, track.share(0.0, 0.32), track.share(0.32, 0.384)
        (0.256, 0.3, 1.0)
    """

    p: np.ndarray

    @cached_property
    def is_speech(self) -> np.ndarray:
        """Tell for each window whether it is speech: (W,)."""
        decided = np.where((self.p >= SPEECH_BEGINS_AT) | (self.p < SPEECH_ENDS_BELOW), np.arange(len(self.p)), -1)
        if not len(self.p):
            return np.zeros(0, bool)
        last = np.maximum.accumulate(decided)  # the window by which each is decided
        inside = (last >= 0) & (self.p[last] >= SPEECH_BEGINS_AT)
        return np.convolve(inside, np.ones(2 * PADDING_WINDOWS + 1), "full")[PADDING_WINDOWS:][: len(inside)] > 0.5

    @cached_property
    def _speech_until(self) -> np.ndarray:
        """Sum the windows of speech before the start of each window, and before the end: (W + 1,)."""
        return np.concatenate([[0], np.cumsum(self.is_speech)])

    @property
    def speech_s(self) -> float:
        """Return how long speech lasts in all, in seconds."""
        return float(self._speech_until[-1] * SPEECH_WINDOW_S)

    def share(self, start_s: float, end_s: float) -> float:
        """Compute the share of a stretch that is speech, 0 to 1.

        Args:
            start_s, end_s: of a segment, a turn or any other stretch, in seconds.
        """
        start, end = start_s / SPEECH_WINDOW_S, end_s / SPEECH_WINDOW_S
        windows = self._windows_before(end) - self._windows_before(start)
        return round(min(max(windows / max(end - start, 1e-9), 0.0), 1.0), 9)

    def _windows_before(self, position: float) -> float:
        """Count the windows of speech before a position in windows; of the window there, the part before it counts."""
        whole = min(int(position), len(self.p))
        part = (position - whole) * self.is_speech[whole] if whole < len(self.p) else 0.0
        return float(self._speech_until[whole] + part)


@dataclass(frozen=True)
class SpeechDecision:
    """What tells the stretches of a recording that are speech from the rest.

    Attributes:
        min_share: the share of a stretch that has to be speech; 0 keeps every stretch.
        track: where speech is; None where every stretch is kept.
    """

    min_share: float
    track: SpeechTrack | None = None

    def is_speech(self, start_s: float, end_s: float) -> bool:
        """Decide on a segment, a turn or any other stretch, in seconds."""
        return self.track is None or self.track.share(start_s, end_s) >= self.min_share


def check_min_speech(share: float) -> float:
    """Check the share of a segment that has to be speech.

    Raises:
        SettingError: it is not from 0 to 1.
    """
    if not 0 <= share <= 1:
        raise SettingError(f"a share of speech of {share} was asked for; expected 0, which keeps all segments, to 1")
    return share
