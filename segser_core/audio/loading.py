"""Load a file, bytes or an array as mono float32 at 16 kHz, whole or in blocks."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from segser_core.audio.decoding import SAMPLE_RATE_HZ, decode_mono
from segser_core.audio.excerpt import Excerpt, excerpt_samples
from segser_core.audio.levels import LevelMeter
from segser_core.errors import AudioError, SettingError

MIN_DURATION_S = 0.025  # what one frame of wav2vec2 sees: 400 samples
PREDECODE_MAX_S = 30.0  # what is decoded before its turn is no longer than this, so that its memory is bounded


@dataclass(frozen=True)
class DecodedAudio:
    """Samples (N,) of a recording at 16 kHz, and whether its file is damaged after them."""

    samples: np.ndarray
    damaged: bool


PathOrExcerpt = TypeVar("PathOrExcerpt", Path, Excerpt, Path | Excerpt)
Source = str | Path | bytes | np.ndarray | DecodedAudio | Excerpt


def load_audio(source: Source, *, max_duration_s: float | None = None) -> np.ndarray:
    """Load a recording as one array; see `audio_blocks`.

    Returns:
        (N,) float32 at 16 kHz, N >= 400; full scale is 1.

    Example:
        >>> from segser_core.bundled import BUNDLED
        >>> samples = load_audio(BUNDLED / "sample.flac")
        >>> samples.dtype, samples.shape
        (dtype('float32'), (90770,))
    """
    return np.concatenate(list(check_duration(iter_samples(source, LevelMeter()), max_duration_s)))


def audio_blocks(
    source: Source, block_s: float, *, max_duration_s: float | None = None, levels: LevelMeter | None = None
) -> Iterator[np.ndarray]:
    """Yield a recording in consecutive blocks, in memory that does not grow with its length.

    A file that breaks in the middle ends there, provided that 25 ms of it are good. What libav itself
    skips (a lost FLAC frame, a torn Ogg page) goes unnoticed, and what follows is that much too early.

    Args:
        source: path of a file, a file's content, (N,) floats at 16 kHz, a stretch, or what `predecode` made.
        block_s: seconds of each block but the last, which may be shorter.
        max_duration_s: a longer recording is refused, once so much of it has been decoded.
        levels: takes note of a damaged file; the samples are added to it by whoever reads them.

    Yields:
        (round(block_s * 16000),) float32 at 16 kHz; full scale is 1.

    Raises:
        AudioError: no such file, not audio, or nothing in it that can be analysed; raised at the
            first block, except that of a recording too long, broken by NaN or of a mad rate midway.
        SettingError: a block shorter than a sample.
    """
    block_samples = round(block_s * SAMPLE_RATE_HZ)
    if block_samples < 1:
        raise SettingError(f"a block of {block_s} s holds no sample; give at least {1 / SAMPLE_RATE_HZ} s")
    pieces = iter_samples(source, LevelMeter() if levels is None else levels)
    return rechunk(check_duration(pieces, max_duration_s), block_samples)


def iter_samples(source: Source, levels: LevelMeter) -> Iterator[np.ndarray]:
    """Yield a recording at 16 kHz in pieces as they are decoded, (n,) float32."""
    if isinstance(source, DecodedAudio):
        levels.damaged = source.damaged
        return iter([source.samples])
    if isinstance(source, np.ndarray):
        return iter([check_array(source)])
    if isinstance(source, Excerpt):
        return excerpt_samples(source)

    def on_damage() -> None:
        levels.damaged = True

    return decode_mono(source, on_damage)


def predecode(path: PathOrExcerpt) -> DecodedAudio | PathOrExcerpt:
    """Decode a file or a stretch before its turn, for use in a thread; one longer than 30 s is returned as it is.

    Raises:
        AudioError: as `audio_blocks` does.
    """
    levels = LevelMeter()
    blocks = audio_blocks(path, PREDECODE_MAX_S, levels=levels)
    samples = next(blocks)
    return path if next(blocks, None) is not None else DecodedAudio(samples, levels.damaged)


def check_array(samples: np.ndarray) -> np.ndarray:
    """Convert an array to (N,) float32.

    Raises:
        AudioError: not one row of finite floats.
    """
    if samples.ndim != 1 or samples.dtype.kind != "f":
        got = f"an array of shape {samples.shape} and type {samples.dtype}"
        raise AudioError(f"got {got}; expected (N,) floats at 16 kHz, full scale at 1")
    if not np.isfinite(samples).all():
        raise AudioError("some samples are not finite numbers (NaN or infinite); expected floats with full scale at 1")
    return samples.astype(np.float32)


def check_duration(pieces: Iterable[np.ndarray], max_duration_s: float | None) -> Iterator[np.ndarray]:
    """Yield the same pieces; refuse a recording that is too short or too long as soon as that is known."""
    total, held = 0, []
    for piece in pieces:
        total += len(piece)
        if max_duration_s is not None and total > round(max_duration_s * SAMPLE_RATE_HZ):
            raise AudioError(f"longer than the {max_duration_s:g} s allowed; cut it, or allow more")
        held.append(piece)
        if total >= MIN_DURATION_S * SAMPLE_RATE_HZ:
            yield from held
            held = []
    if held or not total:
        lasts = f"{1000 * total / SAMPLE_RATE_HZ:.3g} ms"
        raise AudioError(
            f"lasts only {lasts}; at least {1000 * MIN_DURATION_S:g} ms are needed: choose a longer recording"
        )


def rechunk(pieces: Iterable[np.ndarray], n: int) -> Iterator[np.ndarray]:
    """Rechunk pieces of any length to blocks of n samples; the last one may be shorter.

    Example:
        >>> [len(block) for block in rechunk([np.zeros(3), np.zeros(4)], 5)]
        [5, 2]
    """
    held: list[np.ndarray] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= n:
            joined = np.concatenate(held)
            full = size - size % n
            yield from (joined[i : i + n] for i in range(0, full, n))
            held, size = [joined[full:]], size - full
    if size:
        yield np.concatenate(held)
