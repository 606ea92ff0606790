"""Measure levels of a recording: silence, clipping, bandwidth, dB."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from segser_core.audio.decoding import SAMPLE_RATE_HZ

SILENCE_PEAK = 10 ** (-60 / 20)  # -60 dBFS; RAVDESS has fine clips that peak at -40
CLIPPED_AT, CLIPPED_SHARE = 0.999, 1e-3
SPECTRUM_SAMPLES = 1024
# Bands of speech below the 3.4 kHz of a telephone, and what lies above it, in Hz.
LOW_BANDS_HZ, HIGH_BAND_HZ = ((1000, 1700), (1700, 2400), (2500, 3200)), (4500, 7500)
NARROW_DB = 40  # RAVDESS and EMO-DB reach 21, a recording of 1961 32, a telephone's 60


@dataclass
class LevelMeter:
    """Running peak and clipping statistics of a recording.

    Attributes:
        n_samples: samples so far, at 16 kHz.
        peak: the largest magnitude so far; full scale is 1.
        n_clipped: samples at full scale.
        damaged: whether the file's audio could not be decoded to its end; `audio_blocks` says so.
        notes: what else is to be said of the file; `audio_blocks` says so at its end.
        powers: the sum of the power spectra of its windows of 64 ms.
    """

    n_samples: int = 0
    peak: float = 0.0
    n_clipped: int = 0
    damaged: bool = False
    notes: tuple[str, ...] = ()
    powers: np.ndarray = field(default_factory=lambda: np.zeros(SPECTRUM_SAMPLES // 2 + 1), repr=False)

    def add(self, block: np.ndarray) -> None:
        """Count the next (n,) samples."""
        if len(block):
            magnitude = np.abs(block)
            self.n_samples += len(block)
            self.peak = max(self.peak, float(magnitude.max()))
            self.n_clipped += int(np.count_nonzero(magnitude >= CLIPPED_AT))
            self.powers += power_spectrum(block)

    @property
    def is_narrow_band(self) -> bool:
        """Check whether speech ends where a telephone's does, although 16 kHz could hold more."""
        *low, high = (self._band_power(*band) for band in (*LOW_BANDS_HZ, HIGH_BAND_HZ))
        return bool(min(low) > 10 ** (NARROW_DB / 10) * high)

    def _band_power(self, low_hz: int, high_hz: int) -> float:
        hz = np.fft.rfftfreq(SPECTRUM_SAMPLES, 1 / SAMPLE_RATE_HZ)
        return float(self.powers[(hz >= low_hz) & (hz <= high_hz)].mean())

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
        if self.is_narrow_band:
            why = "nothing above 3.4 kHz: models that were trained on full-band speech err more often on it"
            found.append(f"The recording is narrow band, as from a telephone ({why}).")
        return (*found, *self.notes)


def power_spectrum(block: np.ndarray) -> np.ndarray:
    """Sum the power spectra (513,) of the whole windows of 64 ms in (n,) samples at 16 kHz; zeros below one window."""
    n = len(block) // SPECTRUM_SAMPLES
    windows = block[: n * SPECTRUM_SAMPLES].reshape(n, SPECTRUM_SAMPLES) * np.hanning(SPECTRUM_SAMPLES)
    return np.square(np.abs(np.fft.rfft(windows))).sum(axis=0)


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
