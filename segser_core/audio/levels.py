"""Measure what the samples tell of a recording's quality: silence, clipping, level in dB."""

from dataclasses import dataclass

import numpy as np

from segser_core.audio.decoding import SAMPLE_RATE_HZ

SILENCE_PEAK = 10 ** (-60 / 20)  # -60 dBFS; RAVDESS has fine clips that peak at -40
CLIPPED_AT, CLIPPED_SHARE = 0.999, 1e-3


@dataclass
class Levels:
    """What the samples of a recording tell about its quality, block after block.

    Attributes:
        n_samples: samples so far, at 16 kHz.
        peak: the largest magnitude so far; full scale is 1.
        n_clipped: samples at full scale.
        damaged: whether the file's audio could not be decoded to its end; `audio_blocks` says so.
    """

    n_samples: int = 0
    peak: float = 0.0
    n_clipped: int = 0
    damaged: bool = False

    def add(self, block: np.ndarray) -> None:
        """Take in the next (n,) samples."""
        if len(block):
            magnitude = np.abs(block)
            self.n_samples += len(block)
            self.peak = max(self.peak, float(magnitude.max()))
            self.n_clipped += int(np.count_nonzero(magnitude >= CLIPPED_AT))

    def warnings(self) -> tuple[str, ...]:
        """What a listener should know, each a plain sentence; none where all is well."""
        found = []
        if self.peak < SILENCE_PEAK:
            level = f"its peak is {20 * np.log10(self.peak):.0f} dBFS" if self.peak else "all its samples are zero"
            found.append(f"The recording is silent ({level}): what is shown says nothing about a voice.")
        if self.n_clipped > CLIPPED_SHARE * self.n_samples:
            share = 100 * self.n_clipped / self.n_samples
            found.append(f"The recording is clipped: {share:.1f} % of its samples are at full scale.")
        if self.damaged:
            end_s = self.n_samples / SAMPLE_RATE_HZ
            found.append(f"The file is damaged after {end_s:.2f} s: what follows was left out.")
        return tuple(found)
