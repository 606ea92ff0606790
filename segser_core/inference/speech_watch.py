"""Tell speech from the rest in the pass that encodes a recording, and keep what is no speech out of its mean."""

from collections.abc import Iterator, Sequence
from itertools import compress

import numpy as np
from torch import Tensor

from segser_core.audio.speech import SpeechDecision
from segser_core.inference.long_audio import HeardMean
from segser_core.network.segments import Windows
from segser_core.network.voice_activity import SpeechMeter
from segser_core.prediction.timeline import TimeSpan

NO_SPEECH_FOUND = "No speech was found in this recording, so no emotion is named."


class SpeechWatch:
    """Voice activity of a recording whose samples and frames pass by, in memory that hardly grows with its length.

    Args:
        min_share: segments of which a smaller share is speech do not count; 0 keeps them all, and None, as in
            evaluation, does not tell: then nothing is done.
        windows: how segments are cut.
        crop_frames: the recording's mean is over so many frames at most, from the start; all where it is None.
    """

    def __init__(self, min_share: float | None, windows: Windows, crop_frames: int | None) -> None:
        self.min_share = min_share
        self.meter = SpeechMeter() if min_share else None
        self.mean = HeardMean(windows, crop_frames) if min_share else None

    def watch_samples(self, blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield the same blocks, (n,) samples each, and listen for speech."""
        return blocks if self.meter is None else self.meter.watch(blocks)

    def watch_frames(self, blocks: Iterator[Tensor]) -> Iterator[Tensor]:
        """Yield the same blocks, (t, D) frames each, and sum them."""
        return blocks if self.mean is None else self.mean.watch(blocks)

    def finish(
        self, utterance: Tensor | None, bounds: Sequence[tuple[int, int]], bounds_s: Sequence[TimeSpan]
    ) -> tuple[Tensor | None, SpeechDecision | None, list[str]]:
        """Decide which segments are speech, once samples and frames went by.

        Args:
            utterance: (D,) mean of all frames; None where only segments were heard.
            bounds, bounds_s: of the segments, in frames and in seconds.

        Returns:
            The mean (D,) of the frames in segments that are speech, which is `utterance` where all are; what decides on
            any stretch; and warnings.
        """
        if self.min_share is None:
            return utterance, None, []
        if self.meter is None or self.mean is None:
            return utterance, SpeechDecision(self.min_share), []
        speech = SpeechDecision(self.min_share, self.meter.finish())
        kept = [speech.is_speech(*span) for span in bounds_s]
        if utterance is not None and any(kept) and not all(kept):
            utterance = self.mean.over(compress(bounds, kept))
        return utterance, speech, [] if any(kept) else [missing_speech(speech)]


def missing_speech(speech: SpeechDecision) -> str:
    """Say that no segment of a recording is speech, or why what speech there is does not count."""
    speech_s = 0.0 if speech.track is None else speech.track.speech_s
    if not speech_s:
        return NO_SPEECH_FOUND
    return (
        f"Only {speech_s:.1f} s of speech were found, less than {speech.min_share:.0%} of any segment, so no emotion "
        "is named; a smaller share of speech (min_speech, --min-speech) keeps such segments."
    )
