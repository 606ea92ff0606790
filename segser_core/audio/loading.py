"""Load a file, bytes or an array as mono float32 at 16 kHz, whole or in blocks."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from segser_core.audio.channels import DEFAULT_CHOICE, AudioChoice
from segser_core.audio.decoding import (
    SAMPLE_RATE_HZ,
    DecodingReport,
    check_sample_rate,
    decode_mono,
    open_container,
    open_source,
    resample_stream,
    select_track,
)
from segser_core.audio.levels import LevelMeter
from segser_core.errors import AudioError, SettingError

MIN_DURATION_S = 0.025  # what one frame of wav2vec2 sees: 400 samples
PREDECODE_MAX_S = 30.0  # what is decoded before its turn is no longer than this, so that its memory is bounded


INTEGER_VALUED_ABOVE = 1.5  # samples that are all whole numbers, and reach further, were integers
LARGEST_FLOAT = 64.0  # full scale is 1


@dataclass(frozen=True)
class DecodedAudio:
    """Samples (N,) of a recording at 16 kHz, whether its file is damaged after them, and what else is to be said."""

    samples: np.ndarray
    damaged: bool
    notes: tuple[str, ...] = ()


Tensor = Any  # a torch tensor, or anything else that numpy takes for an array: this room does without torch
Source = str | Path | bytes | BinaryIO | np.ndarray | Sequence[float] | Tensor | DecodedAudio
ReadableSource = str | Path | bytes | np.ndarray | DecodedAudio  # what can be read twice


def load_audio(
    source: Source, *, max_duration_s: float | None = None, choice: AudioChoice = DEFAULT_CHOICE
) -> np.ndarray:
    """Load a recording as one array; see `audio_blocks`.

    Returns:
        (N,) float32 at 16 kHz, N >= 400; full scale is 1.

    Example:
        >>> from segser_core.bundled import BUNDLED
        >>> samples = load_audio(BUNDLED / "sample.flac")
        >>> samples.dtype, samples.shape
        (dtype('float32'), (90770,))
    """
    return np.concatenate(list(check_duration(iter_samples(source, LevelMeter(), choice), max_duration_s)))


def audio_blocks(
    source: Source,
    block_s: float,
    *,
    max_duration_s: float | None = None,
    levels: LevelMeter | None = None,
    choice: AudioChoice = DEFAULT_CHOICE,
) -> Iterator[np.ndarray]:
    """Yield a recording in consecutive blocks, in memory that does not grow with its length.

    A file that breaks in the middle ends there, provided that 25 ms of it are good. What libav itself skips is
    silence where the container has times (a lost packet of MP4, WebM, Ogg or FLAC); in the others (a lost MP3 frame) it
    goes unnoticed, and what follows is that much too early.

    Args:
        source: path of a file, a file's content, an open file, (N,) floats at 16 kHz, or what `predecode` made.
        block_s: seconds of each block but the last, which may be shorter.
        max_duration_s: a longer recording is refused, once so much of it has been decoded.
        levels: takes note of a damaged file, and of what its samples do not show, once the last block is read; the
            samples are added to it by whoever reads them.
        choice: of a file's track and channel.

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
    pieces = iter_samples(source, LevelMeter() if levels is None else levels, choice)
    return rechunk(check_duration(pieces, max_duration_s), block_samples)


def iter_samples(source: Source, levels: LevelMeter, choice: AudioChoice = DEFAULT_CHOICE) -> Iterator[np.ndarray]:
    """Yield a recording at 16 kHz in pieces as they are decoded, (n,) float32."""
    source = prepare_source(source)
    if isinstance(source, DecodedAudio):
        levels.damaged, levels.notes = source.damaged, source.notes
        return iter([source.samples])
    if isinstance(source, np.ndarray):
        if choice != DEFAULT_CHOICE:
            raise SettingError("a channel or a track is that of a file; take one row of the samples instead")
        return iter([source])
    return decode_with_notes(source, levels, choice)


def decode_with_notes(source: str | Path | bytes, levels: LevelMeter, choice: AudioChoice) -> Iterator[np.ndarray]:
    """Yield the pieces of a file, and then note what its samples do not show."""
    report = DecodingReport()

    def on_damage() -> None:
        levels.damaged = True

    yield from decode_mono(source, on_damage, choice, report)
    levels.notes = report.notes(choice)


def count_tracks(source: ReadableSource) -> int:
    """Count the audio tracks of a file; one of samples.

    Raises:
        AudioError: as `audio_blocks` does at its first block.
    """
    if isinstance(source, np.ndarray | DecodedAudio):
        return 1
    with open_source(source) as file, open_container(file) as container:
        return len(container.streams.audio)


def count_channels(source: ReadableSource, track: int | None = None) -> int:
    """Count the channels of a file's track; one of samples.

    Raises:
        AudioError: as `audio_blocks` does at its first block.
    """
    if isinstance(source, np.ndarray | DecodedAudio):
        return 1
    with open_source(source) as file, open_container(file) as container:
        selected: Any = select_track(container, AudioChoice(track), DecodingReport())
        return selected.codec_context.layout.nb_channels


def predecode(path: Path, choice: AudioChoice = DEFAULT_CHOICE) -> DecodedAudio | Path:
    """Decode a file before its turn, for use in a thread; for a file longer than 30 s return its path.

    Raises:
        AudioError: as `audio_blocks` does.
    """
    levels = LevelMeter()
    blocks = audio_blocks(path, PREDECODE_MAX_S, levels=levels, choice=choice)
    samples = next(blocks)
    return path if next(blocks, None) is not None else DecodedAudio(samples, levels.damaged, levels.notes)


def prepare_source(source: Source, sample_rate_hz: int | None = None) -> ReadableSource:
    """Prepare a recording in any form to be read, as often as need be.

    Args:
        source: path of a file, its content, an open binary file, or (N,) floats as an array, list or tensor.
        sample_rate_hz: of the samples; 16 kHz where it is None. A file names its own.

    Returns:
        A path or content as it is, a file's content, or (N,) float32 at 16 kHz.

    Raises:
        AudioError: samples of another kind, shape or scale, or a file opened as text.
        SettingError: a sample rate beside a file.

    Example:
        >>> prepare_source([0.0] * 8000, 8_000).shape
        (16000,)
    """
    if isinstance(source, bytearray | memoryview):
        source = bytes(source)
    elif hasattr(source, "read"):
        source = read_whole(source)
    if isinstance(source, str | Path | bytes | DecodedAudio):
        if sample_rate_hz is not None:
            raise SettingError("a sample rate is given with samples alone; a file names its own: leave sample_rate out")
        return source
    samples = check_array(to_array(source))
    if sample_rate_hz in (None, SAMPLE_RATE_HZ) or not len(samples):
        return samples
    if isinstance(sample_rate_hz, bool) or sample_rate_hz != int(sample_rate_hz):
        raise SettingError(f"sample_rate {sample_rate_hz!r}: expected a whole number of samples a second")
    pieces = resample_stream([(check_sample_rate(int(sample_rate_hz)), samples)])
    return np.concatenate(list(pieces))


def read_whole(file: Any) -> bytes:
    """Read an open file from where it stands, or from its start where it stands at its end, as after writing."""
    content = file.read()
    if not content and hasattr(file, "seek"):
        file.seek(0)
        content = file.read()
    if not isinstance(content, bytes):
        raise AudioError(f"got a file that gives {type(content).__name__}; open it as binary: open(path, 'rb')")
    return content


def to_array(source: Any) -> np.ndarray:
    """Convert samples in a list, a tensor on any device, or whatever numpy takes for an array."""
    if isinstance(source, np.ndarray):
        return source
    if hasattr(source, "detach"):
        source = source.detach().cpu()
        source = source.float() if source.is_floating_point() else source  # numpy has no bfloat16
    try:
        samples = np.asarray(source)
    except (ValueError, TypeError, RuntimeError):
        samples = np.asarray(None)
    if samples.dtype.kind in "OUS":
        kind = type(source).__name__
        raise AudioError(f"got a {kind}; expected a path, a file's content, an open file, or (N,) floats at 16 kHz")
    return samples


def check_array(samples: np.ndarray) -> np.ndarray:
    """Convert an array to (N,) float32.

    Raises:
        AudioError: not one row of finite floats, or floats whose full scale is not 1.
    """
    if samples.ndim != 1 or samples.dtype.kind != "f":
        got = f"an array of shape {samples.shape} and type {samples.dtype}"
        remedy = "choose a channel" if samples.ndim == 2 else "divide 16-bit integers by 32768"
        raise AudioError(f"got {got}; expected (N,) floats at 16 kHz, full scale at 1: {remedy}")
    if not np.isfinite(samples).all():
        raise AudioError("some samples are not finite numbers (NaN or infinite); expected floats with full scale at 1")
    peak = float(np.abs(samples).max(initial=0))
    if peak > LARGEST_FLOAT or (peak > INTEGER_VALUED_ABOVE and np.array_equal(samples, np.round(samples))):
        raise AudioError(
            f"the samples reach {peak:g}, as 16-bit integers do; expected floats with full scale at 1: divide by 32768"
        )
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
