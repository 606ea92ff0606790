"""Load a file, bytes or an array as mono float32 at 16 kHz, whole or in blocks."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from segser_core.audio.decoding import SAMPLE_RATE_HZ, decoded
from segser_core.audio.levels import Levels
from segser_core.errors import AudioError, SettingError

MIN_DURATION_S = 0.025  # what one frame of wav2vec2 sees: 400 samples
AHEAD_S = 30.0  # what is decoded before its turn is no longer than this, so that its memory is bounded


@dataclass(frozen=True)
class Decoded:
    """A recording's samples (N,) at 16 kHz, and whether its file is damaged after them."""

    samples: np.ndarray
    damaged: bool


Source = str | Path | bytes | np.ndarray | Decoded


def load_audio(source: Source, *, max_duration_s: float | None = None) -> np.ndarray:
    """A recording as one array; see `audio_blocks`.

    Returns:
        (N,) float32 at 16 kHz, N >= 400; full scale is 1.
    """
    return np.concatenate(list(checked(pieces_of(source, Levels()), max_duration_s)))


def audio_blocks(
    source: Source, block_s: float, *, max_duration_s: float | None = None, levels: Levels | None = None
) -> Iterator[np.ndarray]:
    """A recording in consecutive blocks, in memory that does not grow with its length.

    A file that breaks in the middle ends there, provided that 25 ms of it are good. What libav itself
    skips (a lost FLAC frame, a torn Ogg page) goes unnoticed, and what follows is that much too early.

    Args:
        source: path of a file, a file's content, (N,) floats at 16 kHz, or what `decode_ahead` made.
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
    pieces = pieces_of(source, Levels() if levels is None else levels)
    return in_blocks(checked(pieces, max_duration_s), block_samples)


def pieces_of(source: Source, levels: Levels) -> Iterator[np.ndarray]:
    """A recording at 16 kHz in pieces as they come, (n,) float32."""
    if isinstance(source, Decoded):
        levels.damaged = source.damaged
        return iter([source.samples])
    if isinstance(source, np.ndarray):
        return iter([check_array(source)])

    def on_damage() -> None:
        levels.damaged = True

    return decoded(source, on_damage)


def decode_ahead(path: Path) -> Decoded | Path:
    """A file's samples before their turn, in a thread, say; of a file longer than 30 s its path, to be read in blocks.

    Raises:
        AudioError: as `audio_blocks` does.
    """
    levels = Levels()
    blocks = audio_blocks(path, AHEAD_S, levels=levels)
    samples = next(blocks)
    return path if next(blocks, None) is not None else Decoded(samples, levels.damaged)


def check_array(samples: np.ndarray) -> np.ndarray:
    """An array as (N,) float32.

    Raises:
        AudioError: not one row of finite floats.
    """
    if samples.ndim != 1 or samples.dtype.kind != "f":
        got = f"an array of shape {samples.shape} and type {samples.dtype}"
        raise AudioError(f"got {got}; expected (N,) floats at 16 kHz, full scale at 1")
    if not np.isfinite(samples).all():
        raise AudioError("some samples are not finite numbers (NaN or infinite); expected floats with full scale at 1")
    return samples.astype(np.float32)


def checked(pieces: Iterable[np.ndarray], max_duration_s: float | None) -> Iterator[np.ndarray]:
    """The same pieces; a recording that is too short or too long is refused as soon as that is known."""
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


def in_blocks(pieces: Iterable[np.ndarray], n: int) -> Iterator[np.ndarray]:
    """Pieces of any length → blocks of n samples, the last one of what is left."""
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
