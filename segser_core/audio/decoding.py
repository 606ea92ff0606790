"""Decode a recording with libav, out of reach of other files and the network, to mono at 16 kHz."""

import io
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np
from av.container import InputContainer
from av.stream import Discard, Stream

from segser_core.audio.channels import DEFAULT_CHOICE, AudioChoice, ChannelMixer, ChannelReport, average_channels
from segser_core.audio.clock import ClockReport, ContainerClock, silence_pieces
from segser_core.audio.formats import (
    DEMUXERS,
    HEADER_BYTES,
    SELF_SYNCHRONISING,
    SUPPORTED_FORMATS,
    explain_unopened,
)
from segser_core.errors import AudioError

SAMPLE_RATE_HZ = 16_000
LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 1_000, 768_000
CONTAINER_OPTIONS = {"format_whitelist": DEMUXERS, "protocol_whitelist": "none"}
TAGS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICSBEGIN")
BROKEN = (av.FFmpegError, OSError, ValueError, MemoryError)


@dataclass
class DecodingReport:
    """Findings about a file that its samples do not show.

    Attributes:
        clock: of its time.
        channels: of its channels.
        n_tracks: how many audio tracks it has.
        track: which of them is decoded, from 1.
    """

    clock: ClockReport = field(default_factory=ClockReport)
    channels: ChannelReport = field(default_factory=ChannelReport)
    n_tracks: int = 1
    track: int = 1

    def notes(self, choice: AudioChoice) -> tuple[str, ...]:
        """List what a listener should know, each a plain sentence; empty where all is well."""
        found = self.clock.notes()
        if self.n_tracks > 1 and choice.track is None:
            found.append(
                f"The file has {self.n_tracks} audio tracks; number {self.track} is analysed: choose one (track)."
            )
        found += self.channels.notes(choice)
        return tuple(found)


def decode_mono(
    source: str | Path | bytes,
    on_damage: Callable[[], None],
    choice: AudioChoice = DEFAULT_CHOICE,
    report: DecodingReport | None = None,
) -> Iterator[np.ndarray]:
    """Decode a recording to mono at 16 kHz, a piece at a time, in constant memory.

    Channels are averaged, so that the result depends on no layout's own matrix; then libswresample
    resamples. A recording at 16 kHz keeps its samples as they are. Time is the container's: a late start
    and a gap are silence.

    Args:
        source: path of a file, or the file's content.
        on_damage: called when something cannot be decoded after audio that could; decoding ends there.
        choice: of the track and the channel.
        report: takes note of what was found; complete after the last piece.

    Yields:
        (n,) float32, n > 0, full scale is 1.

    Raises:
        AudioError: whatever keeps the recording from being analysed.
    """
    report = DecodingReport() if report is None else report
    with open_source(source) as file, open_container(file) as container:
        track = select_track(container, choice, report)
        mixer = ChannelMixer(choice, report.channels)
        yield from resample_stream(iter_mono(track, on_damage, mixer, report))


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
    start = file.read(HEADER_BYTES)
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


def iter_mono(
    track: Stream, on_damage: Callable[[], None], mixer: ChannelMixer, report: DecodingReport
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield a track's audio as (rate in Hz, (n,) float32), at most a libav frame each, n > 0.

    What cannot be decoded before the first good frame is passed over, as junk; at the first such
    packet after that, the recording ends, since times would be wrong beyond it.
    """
    container: Any = track.container
    clock, heard, failed = ContainerClock(container, report.clock), False, False
    for frames in iter_packets(track):
        if frames is None and heard:
            on_damage()
            return
        failed = failed or frames is None
        for frame in frames or ():
            if frame.samples > 0:
                heard = True
                yield from iter_placed(frame, clock, mixer)
    if not heard:
        raise AudioError(
            "none of its audio can be decoded; the file is damaged, export or copy it again"
            if failed
            else "the file holds no samples; record or export it again"
        )


def iter_placed(frame: av.AudioFrame, clock: ContainerClock, mixer: ChannelMixer) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the silence before a frame, and what of the frame does not overlap what came before."""
    rate_hz = check_sample_rate(frame.sample_rate)
    is_mono = frame.layout.nb_channels == 1 and mixer.choice.channel in (None, 1)
    samples = average_channels(frame) if is_mono else mixer.mix(frame)
    silent, left_out = clock.place(frame)
    yield from ((rate_hz, piece) for piece in silence_pieces(silent, rate_hz))
    if left_out < len(samples):
        yield rate_hz, samples[left_out:]


def iter_packets(track: Stream) -> Iterator[list[av.AudioFrame] | None]:
    """Yield the frames of each packet of a track, None for what cannot be read or decoded.

    Junk between the frames of an MP3 or AAC stream, such as the tag at the joint of two files, has no frames.
    """
    container: Any = track.container
    undecoded = container.demux(track)
    while True:
        packet = None
        try:
            packet = next(undecoded, None)
            if packet is None:
                return
            frames = [f for f in packet.decode() if isinstance(f, av.AudioFrame)]
        except BROKEN:
            yield [] if packet is not None and is_junk(packet, track) else None
        else:
            yield frames


def is_junk(packet: av.Packet, track: Stream) -> bool:
    """Check for a packet between the frames of a self-synchronising stream: zeros, a tag, or both."""
    rest = bytes(packet).lstrip(b"\0")
    return track.container.format.name in SELF_SYNCHRONISING and (not rest or rest.startswith(TAGS))


def select_track(container: InputContainer, choice: AudioChoice, report: DecodingReport) -> Stream:
    """Select the audio track that was chosen, or the best one, and discard the others.

    Raises:
        AudioError: there is no such track, or it cannot be decoded.
    """
    tracks = list(container.streams.audio)
    if choice.track is not None and tracks:
        if choice.track > len(tracks):
            has = "one audio track" if len(tracks) == 1 else f"{len(tracks)} audio tracks"
            raise AudioError(f"track {choice.track} was asked for, but the file has {has}; choose another")
        track: Stream | None = tracks[choice.track - 1]
    else:
        track = container.streams.best("audio")
    if track is None and any(s.type != "audio" for s in container.streams):
        raise AudioError("the file has no audio track; choose one with sound")
    if track is None:
        raise AudioError("its header names no track, or one without channels; export or copy the file again")
    if not isinstance(track.codec_context, av.AudioCodecContext):
        raise AudioError(f"the audio's codec is unknown here; convert the file to {SUPPORTED_FORMATS}")
    check_sample_rate(track.codec_context.sample_rate)
    report.n_tracks, report.track = len(tracks), 1 + [t.index for t in tracks].index(track.index)
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
