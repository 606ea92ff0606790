"""Measure levels of a recording: silence, clipping, dB."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from segser_core.audio.decoding import SAMPLE_RATE_HZ

SILENCE_PEAK = 10 ** (-60 / 20)  # -60 dBFS; RAVDESS has fine clips that peak at -40
CLIPPED_AT, CLIPPED_SHARE = 0.999, 1e-3


@dataclass
class LevelMeter:
    """Running peak and clipping statistics of a recording.

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
        """Count the next (n,) samples."""
        if len(block):
            magnitude = np.abs(block)
            self.n_samples += len(block)
            self.peak = max(self.peak, float(magnitude.max()))
            self.n_clipped += int(np.count_nonzero(magnitude >= CLIPPED_AT))

    def warnings(self) -> tuple[str, ...]:
        """List what a listener should know, each a plain sentence; empty where all is well."""
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


PIECE_SAMPLES = SAMPLE_RATE_HZ // 50
SILENT_BELOW_DB = 25  # what Praat's "To TextGrid (silences)" takes at first
LOWEST_DB = -120.0


def trim_to_end(samples: np.ndarray, part: Literal["first", "last"], seconds: float) -> np.ndarray:
    """Cut the first or last seconds of a recording at 16 kHz, (n,); all of it where it is shorter.

    Example:
        >>> len(trim_to_end(np.zeros(48_000), "last", 2.0))
        32000
    """
    n = round(seconds * SAMPLE_RATE_HZ)
    return samples[:n] if part == "first" else samples[-n:]


@dataclass(frozen=True)
class SpanLevel:
    """Level of a span of a recording.

    Attributes:
        rms_db: of all its samples, relative to full scale; -120 where it is lower.
        silent_share: of its pieces of 20 ms, those more than 25 dB below the loudest of the whole
            recording, 0 to 1: a stretch is silent beside the rest, for recordings differ in level.
    """

    rms_db: float
    silent_share: float


def measure_level(samples: np.ndarray, start_s: float, end_s: float) -> SpanLevel:
    """Measure the level of a span, from `start_s` to `end_s`, of (N,) samples at 16 kHz.

    A stretch that lies beyond the recording is silent.

    Example:
        >>> tone = 0.5 * np.sin(np.arange(16_000))
        >>> round(float(measure_level(tone, 0.0, 1.0).rms_db), 1)
        -9.0
    """
    pieces_db = _levels_db(samples)
    first, end = (round(t * SAMPLE_RATE_HZ) for t in (start_s, end_s))
    stretch = _levels_db(samples[first:end])
    if not len(stretch):
        return SpanLevel(LOWEST_DB, 1.0)
    power = np.mean(np.square(samples[first:end], dtype=np.float64))
    silent = stretch < max(pieces_db.max() - SILENT_BELOW_DB, LOWEST_DB + 1)
    return SpanLevel(_db(power), float(silent.mean()))


def _levels_db(samples: np.ndarray) -> np.ndarray:
    """Measure the level of each whole window of 20 ms, or of the rest where it is shorter: (windows,)."""
    size = min(PIECE_SAMPLES, max(len(samples), 1))
    whole = samples[: len(samples) // size * size].astype(np.float64).reshape(-1, size)
    return _db(np.mean(whole**2, axis=1))


def _db(power: Any) -> Any:
    return 10 * np.log10(np.maximum(power, 10 ** (LOWEST_DB / 10)))
