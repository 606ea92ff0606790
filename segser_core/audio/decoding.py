"""Decode a recording with libav, out of reach of other files and the network, to mono at 16 kHz."""

import io
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np
from av.container import InputContainer
from av.stream import Discard, Stream

from segser_core.errors import AudioError

SAMPLE_RATE_HZ = 16_000
LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 1_000, 768_000
LARGEST_SAMPLE = 1e6  # full scale is 1

# No other demuxer is tried, since playlists and scripts (HLS, DASH, concat) name other files and addresses.
DEMUXERS = "wav,w64,flac,mp3,ogg,mov,matroska,aiff,aac"
CONTAINER_OPTIONS = {"format_whitelist": DEMUXERS, "protocol_whitelist": "none"}
SUPPORTED_FORMATS = "WAV, FLAC, MP3, OGG/Opus, M4A/AAC, WebM, MP4 or AIFF"
SIGNATURES = {  # name → (place, bytes) at the start of such a file
    "WAV": ((0, b"RIFF"), (0, b"RF64"), (0, b"riff")),
    "FLAC": ((0, b"fLaC"),),
    "Ogg": ((0, b"OggS"),),
    "MP4 or M4A": ((4, b"ftyp"), (4, b"moov")),
    "WebM or Matroska": ((0, b"\x1a\x45\xdf\xa3"),),
    "AIFF": ((0, b"FORM"),),
    "MP3": ((0, b"ID3"),),
}
# The numpy type of libav's packed sample formats, the value of silence, and that of full scale.
PCM = {
    "u8": ("u1", 128, 2**7),
    "s16": ("i2", 0, 2**15),
    "s32": ("i4", 0, 2**31),
    "flt": ("f4", 0, 1),
    "dbl": ("f8", 0, 1),
}
SAFE_PLANES = 7  # PyAV 18 reads past the list of a planar frame's channels where there are eight or more
BROKEN = (av.FFmpegError, OSError, ValueError, MemoryError)


def decode_mono(source: str | Path | bytes, on_damage: Callable[[], None]) -> Iterator[np.ndarray]:
    """Decode a recording to mono at 16 kHz, a piece at a time, in constant memory.

    Channels are averaged, so that the result depends on no layout's own matrix; then libswresample
    resamples. A recording at 16 kHz keeps its samples as they are.

    Args:
        source: path of a file, or the file's content.
        on_damage: called when something cannot be decoded after audio that could; decoding ends there.

    Yields:
        (n,) float32, n > 0, full scale is 1.

    Raises:
        AudioError: whatever keeps the recording from being analysed.
    """
    with open_source(source) as file, open_container(file) as container:
        yield from resample_stream(iter_mono(container, on_damage))


def open_source(source: str | Path | bytes) -> BinaryIO:
    """Open a recording without telling libav its name, so that the content alone decides how it is read.

    Raises:
        AudioError: there is no such file, it may not be read, or it is empty or no regular file.
    """
    file = io.BytesIO(source) if isinstance(source, bytes) else open_regular(Path(source))
    if not file.read(1):
        file.close()
        raise AudioError("the file is empty (0 bytes); record or export it again")
    file.seek(0)
    return file


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file, or a link to one; pipes and devices, which may block or never end, stay closed."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise AudioError(explain_folder(path))
        if not stat.S_ISREG(mode):
            raise AudioError("this is a pipe, socket or device, not a regular file; save the recording to a file first")
        return os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0)), "rb")
    except FileNotFoundError:
        raise AudioError("there is no such file (or its link leads nowhere); check the path") from None
    except PermissionError:
        raise AudioError("no permission to read this file; change its permissions or use a copy") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise AudioError(f"the file cannot be opened ({why}); check the path") from None


def explain_folder(path: Path) -> str:
    """Explain why a folder is not analysed as if it were a file."""
    if not os.access(path, os.R_OK | os.X_OK):
        return "no permission to look into this folder; change its permissions"
    return "this is a folder, not a recording; choose a file in it"


@contextmanager
def open_container(file: BinaryIO) -> Iterator[InputContainer]:
    """Open a file object with libav, which then can reach no other file and no network.

    Raises:
        AudioError: not audio, or the header is damaged or cut off.
    """
    start = file.read(16)
    file.seek(0)
    try:
        container = av.open(
            file, "r", container_options=CONTAINER_OPTIONS, metadata_errors="replace", io_open=deny_other_files
        )
    except BROKEN:
        raise AudioError(explain_unopened(start)) from None
    with container:
        yield container


def deny_other_files(*_: object) -> Any:
    """Deny libav every file beside the one that it was given."""
    raise PermissionError("a recording names another file")


def explain_unopened(start: bytes) -> str:
    """Explain from its first 16 bytes why libav does not open a file."""
    for name, places in SIGNATURES.items():
        if any(start[at : at + len(mark)] == mark for at, mark in places):
            return f"begins like {name}, but its header is damaged, cut off or makes no sense; export or copy it again"
    return f"not an audio file; expected {SUPPORTED_FORMATS}"


def iter_mono(container: InputContainer, on_damage: Callable[[], None]) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the container's audio as (rate in Hz, (n,) float32), one libav frame each, n > 0.

    What cannot be decoded before the first good frame is passed over, as junk; at the first such
    packet after that, the recording ends, since times would be wrong beyond it.
    """
    heard = failed = False
    for frames in iter_packets(container):
        if frames is None and heard:
            on_damage()
            return
        failed = failed or frames is None
        for frame in frames or ():
            if frame.samples > 0:
                heard = True
                yield check_sample_rate(frame.sample_rate), average_channels(frame)
    if not heard:
        raise AudioError(
            "none of its audio can be decoded; the file is damaged, export or copy it again"
            if failed
            else "the file holds no samples; record or export it again"
        )


def iter_packets(container: InputContainer) -> Iterator[list[av.AudioFrame] | None]:
    """Yield the frames of each packet of the best audio track, None for what cannot be read or decoded."""
    undecoded = container.demux(select_track(container))
    while True:
        try:
            packet = next(undecoded, None)
            if packet is None:
                return
            frames = [f for f in packet.decode() if isinstance(f, av.AudioFrame)]
        except BROKEN:
            yield None
        else:
            yield frames


def select_track(container: InputContainer) -> Stream:
    """Select the best audio track, and discard the others."""
    track = container.streams.best("audio")
    if track is None and any(s.type != "audio" for s in container.streams):
        raise AudioError("the file has no audio track; choose one with sound")
    if track is None:
        raise AudioError("its header names no track, or one without channels; export or copy the file again")
    if not isinstance(track.codec_context, av.AudioCodecContext):
        raise AudioError(f"the audio's codec is unknown here; convert the file to {SUPPORTED_FORMATS}")
    check_sample_rate(track.codec_context.sample_rate)
    for other in container.streams:
        if other is not track:
            other.discard = Discard.all
    return track


def check_sample_rate(rate_hz: int) -> int:
    """Return the sample rate where a recording of speech can have it."""
    if not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
        raise AudioError(
            f"the sample rate is {rate_hz} Hz; expected {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ} Hz: export the file again"
        )
    return rate_hz


def average_channels(frame: av.AudioFrame) -> np.ndarray:
    """Average a frame's channels to (n,) float32.

    Raises:
        AudioError: a sample is not finite, or far beyond full scale.
    """
    planes = frame_to_array(frame)
    samples = planes[0] if len(planes) == 1 else planes.mean(axis=0)
    if not np.abs(samples).max() <= LARGEST_SAMPLE:
        raise AudioError("some samples are NaN, infinite or absurdly large; full scale is 1: export the file again")
    return samples


def frame_to_array(frame: av.AudioFrame) -> np.ndarray:
    """Convert a frame to samples (channels, n) float32, full scale is 1."""
    channels, name = frame.layout.nb_channels, frame.format.packed.name
    if name not in PCM or (frame.format.is_planar and channels > SAFE_PLANES):
        name = name if name in PCM else "dbl"
        frame = av.AudioResampler(format=name, layout=frame.layout, rate=frame.sample_rate).resample(frame)[0]
    dtype, zero, full_scale = PCM[name]
    if frame.format.is_planar:
        raw = frame.to_ndarray()
    else:
        raw = np.frombuffer(bytes(frame.planes[0]), dtype, frame.samples * channels).reshape(-1, channels).T
    with np.errstate(over="ignore", invalid="ignore"):
        return np.ascontiguousarray((raw.astype(np.float32) - np.float32(zero)) / np.float32(full_scale))


def resample_stream(pieces: Iterable[tuple[int, np.ndarray]]) -> Iterator[np.ndarray]:
    """Resample pieces, whose rate may change on the way, to 16 kHz: ceil(n · 16000 / rate) samples of n."""
    for rate_hz, run in groupby(pieces, key=itemgetter(0)):
        if rate_hz == SAMPLE_RATE_HZ:
            yield from (samples for _, samples in run)
            continue
        resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ)
        for _, samples in run:
            frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
            frame.sample_rate = rate_hz
            yield from frames_to_arrays(resampler.resample(frame))
        yield from frames_to_arrays(resampler.resample(None))


def frames_to_arrays(frames: list[av.AudioFrame]) -> Iterator[np.ndarray]:
    """Convert mono frames to (n,) float32."""
    return (frame.to_ndarray()[0] for frame in frames if frame.samples > 0)
