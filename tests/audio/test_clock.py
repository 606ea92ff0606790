"""Positions are those of the container's clock, as ffmpeg has it: late starts, gaps, edit lists, chained streams."""

import io
import shutil
import struct
import subprocess

import av
import numpy as np
import pytest

from segser_core.audio.clock import ClockReport, ContainerClock, silence_pieces
from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.audio.levels import LevelMeter
from segser_core.audio.loading import audio_blocks, load_audio
from tests.support.audio_files import encode_audio, encode_placed, make_beeps

TIMED = {  # ending → container, codec, rate
    "mp4": ("mp4", "aac", 48_000),
    "m4a": ("ipod", "aac", 44_100),
    "alac.m4a": ("ipod", "alac", 44_100),
    "mov": ("mov", "aac", 44_100),
    "3gp": ("3gp", "aac", 16_000),
    "webm": ("webm", "libopus", 48_000),
    "mkv": ("matroska", "flac", 48_000),
    "opus": ("ogg", "libopus", 48_000),
    "flv": ("flv", "aac", 44_100),
    "ts": ("mpegts", "aac", 48_000),
    "wma": ("asf", "wmav2", 44_100),
}
WITH_PICTURE = {"mp4", "mov", "3gp", "mkv", "flv", "ts", "wma"}
COUNTED = {
    "wav": ("wav", "pcm_s16le", 44_100),
    "aiff": ("aiff", "pcm_s16be", 44_100),
    "mp3": ("mp3", "libmp3lame", 44_100),
}


def hear(content):
    """The samples of a file, and what is said of it."""
    levels = LevelMeter()
    blocks = list(audio_blocks(content, 1.0, levels=levels))
    for block in blocks:
        levels.add(block)
    return np.concatenate(blocks), levels.warnings()


def onsets_s(samples):
    """When each beep begins, in seconds."""
    loud = np.convolve(np.abs(samples), np.ones(80) / 80, "same") > 0.1
    starts = np.flatnonzero(loud[1:] & ~loud[:-1]) / SAMPLE_RATE_HZ
    return starts[np.insert(np.diff(starts) > 0.5, 0, True)]


def ffmpeg_samples(content):
    """What ffmpeg's own filter plays at each moment of the file's clock."""
    with av.open(io.BytesIO(content)) as container:
        track = container.streams.audio[0]
        graph = av.filter.Graph()
        source = graph.add_abuffer(template=track)
        fill = graph.add("aresample", "async=1:first_pts=0:min_hard_comp=0.05:osr=16000")
        mono = graph.add("aformat", "sample_fmts=flt:channel_layouts=mono")
        sink = graph.add("abuffersink")
        for a, b in ((source, fill), (fill, mono), (mono, sink)):
            a.link_to(b)
        graph.configure()
        for frame in container.decode(track):
            graph.push(frame)
        graph.push(None)
        found = []
        while True:
            try:
                found.append(graph.pull().to_ndarray()[0])
            except (av.EOFError, av.BlockingIOError):
                return np.concatenate(found)


@pytest.mark.parametrize("ending", TIMED)
def test_a_late_start_and_a_gap_are_silence_as_ffmpeg_has_it(ending):
    """Sound from 2 s to 5 s and from 6.5 s to 8.5 s: its beeps are at 3, 4 and 7.5 s of the file's clock."""
    container, codec, rate = TIMED[ending]
    places = [(2.0, make_beeps(3.0, rate)), (6.5, make_beeps(2.0, rate))]
    content = encode_placed(container, codec, places, rate, 9.0 if ending in WITH_PICTURE else 0)
    samples, notes = hear(content)
    found = onsets_s(samples)
    np.testing.assert_allclose(found, [3.0, 4.0, 7.5], atol=0.04)
    np.testing.assert_allclose(found, onsets_s(ffmpeg_samples(content)), atol=0.03)
    said = " ".join(notes)
    assert "The sound begins 2.0" in said or "The sound begins 1.9" in said
    assert "The file has a gap without sound, 1." in said
    assert "damaged" not in said


@pytest.mark.parametrize("ending", TIMED)
def test_without_a_gap_nothing_is_said_and_no_sample_is_put_in(ending):
    container, codec, rate = TIMED[ending]
    content = encode_placed(container, codec, [(0.0, make_beeps(3.0, rate))], rate)
    samples, notes = hear(content)
    np.testing.assert_allclose(onsets_s(samples), [1, 2], atol=0.05)
    assert len(samples) / SAMPLE_RATE_HZ == pytest.approx(3, abs=0.15)
    assert notes == ()


@pytest.mark.parametrize("ending", COUNTED)
def test_formats_that_store_no_times_are_heard_from_their_first_sample(ending):
    container, codec, rate = COUNTED[ending]
    samples, notes = hear(encode_audio(container, codec, make_beeps(3.0, rate), rate))
    np.testing.assert_allclose(onsets_s(samples), [1, 2], atol=0.03)
    assert notes == ()


def without_packets(container, codec, rate, from_s, to_s):
    """A recording of 6 s with beeps, less the packets of a span; the others keep their times."""
    whole, content = io.BytesIO(encode_placed(container, codec, [(0.0, make_beeps(6.0, rate))], rate)), io.BytesIO()
    with av.open(whole) as source, av.open(content, "w", format=container) as out:
        track = source.streams.audio[0]
        copy = out.add_stream_from_template(track)
        for packet in source.demux(track):
            if packet.dts is not None and not from_s <= packet.pts * packet.time_base < to_s:
                packet.stream = copy
                out.mux(packet)
    return content.getvalue()


@pytest.mark.parametrize("ending", ["mp4", "webm", "mkv", "mov", "flv", "ts"])
def test_lost_packets_are_silence(ending):
    samples, notes = hear(without_packets(*TIMED[ending], 2.3, 3.4))
    np.testing.assert_allclose(onsets_s(samples), [1, 2, 4, 5], atol=0.04)
    assert notes[0].startswith("The file has a gap without sound, 1.")


@pytest.mark.parametrize(
    ("container", "codec", "rate", "between"),
    [
        ("mp3", "libmp3lame", 44_100, b""),
        ("mp3", "libmp3lame", 44_100, b"TAG" + b"x" * 125),
        ("mp3", "libmp3lame", 44_100, bytes(3000)),
        ("adts", "aac", 44_100, b"ID3\4\0\0\0\0\1\0" + bytes(128)),
        ("ogg", "libopus", 48_000, b""),
        ("ogg", "flac", 44_100, b""),
        ("flac", "flac", 44_100, b""),
        ("webm", "libopus", 48_000, b""),
        ("matroska", "flac", 48_000, b""),
        ("mpegts", "aac", 48_000, b""),
    ],
)
def test_joined_files_are_heard_to_their_end(container, codec, rate, between):
    """3 s and then 2 s of one format, byte after byte, as players play them."""
    first, second = (encode_audio(container, codec, make_beeps(seconds, rate, 0.5), rate) for seconds in (3, 2))
    samples, notes = hear(first + between + second)
    assert len(samples) / SAMPLE_RATE_HZ == pytest.approx(5, abs=0.2)
    found = onsets_s(samples)
    np.testing.assert_allclose(found[:2], [1, 2], atol=0.06)
    assert found[-1] == pytest.approx(4, abs=0.2)
    assert notes == ()


def test_an_edit_list_that_cuts_the_start_is_obeyed():
    """An edit list of MP4 that skips the first 1.5 s: what a player plays begins with the beep at 2 s, after 0.5 s."""
    content = encode_placed("mov", "pcm_s16le", [(0.0, make_beeps(4.0, 16_000))], 16_000)
    cut = edit_media_time(content, 24_000)
    samples, _ = hear(cut)
    np.testing.assert_allclose(onsets_s(samples), onsets_s(ffmpeg_samples(cut)), atol=0.03)
    np.testing.assert_allclose(onsets_s(samples), [0.5, 1.5], atol=0.03)


def edit_media_time(content, media_time):
    """Let the edit list of an MP4 or MOV with one track begin at a sample, or add one that does."""
    at = content.find(b"elst")
    assert at > 0 and struct.unpack(">I", content[at + 8 : at + 12])[0] == 1
    return content[: at + 16] + struct.pack(">i", media_time) + content[at + 20 :]


class Frame:
    """A frame of 1024 samples at 16 kHz with a time in seconds."""

    samples, sample_rate = 1024, 16_000

    def __init__(self, time_s):
        self.pts, self.time_base = time_s * 1000, 1e-3


class Container:
    """A container by its format's name, first time and length in seconds."""

    def __init__(self, name, start_s=0.0, length_s=None):
        self.format = type("", (), {"name": name})
        self.start_time, self.duration = start_s * 1e6, None if length_s is None else length_s * 1e6


def placed(container, times_s):
    report = ClockReport()
    clock = ContainerClock(container, report)
    return [clock.place(Frame(t)) for t in times_s], report


def test_placing_by_hand():
    places, report = placed(Container("mov,mp4", 0, 9), [1.0, 1.064, 2.128, 2.15])
    assert places == [(16_000, 0), (0, 0), (16_000, 0), (0, 0)]
    assert (report.late_start_s, report.n_gaps, report.overlap_s) == (1.0, 1, 0.0)
    assert report.gap_s == pytest.approx(1.0)
    assert report.first_gap_s == pytest.approx(1.128)


def test_sound_that_overlaps_is_left_out_and_said():
    places, report = placed(Container("matroska,webm"), [0.0, 0.064, 0.068, 0.128])
    assert places == [(0, 0), (0, 0), (0, 960), (0, 0)]
    places, report = placed(Container("matroska,webm"), [0.0, 0.004, 0.008, 0.02])
    assert [left_out for _, left_out in places] == [0, 960, 960, 832]
    assert report.overlap_s == pytest.approx((960 + 960 + 832) / 16_000)
    assert "0.17 s of sound overlap" in report.notes()[0]


def test_a_clock_that_would_cut_most_of_the_sound_is_not_believed():
    """Times at half the pace of the sound: at most a second of 64 is left out."""
    places, report = placed(Container("matroska,webm"), [0.032 * i for i in range(1000)])
    assert sum(left_out for _, left_out in places) <= 16_000
    assert "runs slower than its sound" in report.notes()[-1]


def test_a_time_beyond_the_file_is_not_believed():
    for container in (Container("mov,mp4", 0, 5), Container("matroska,webm")):
        places, report = placed(container, [0.0, 0.064, 90_000.0, 90_000.064])
        assert places == [(0, 0)] * 4
        assert "jumps ahead by 89999.9 s at 0.13 s" in report.notes()[0]


def test_a_piece_of_a_stream_begins_with_its_sound():
    places, report = placed(Container("ogg", 5000.0, 3.0), [5000.0, 5000.064])
    assert places == [(0, 0), (0, 0)]
    assert report.notes() == ["The file's clock begins at 5000.0 s: times count from there."]
    assert placed(Container("mpegts", 1.4, 3.0), [1.4, 1.464])[0] == [(0, 0), (0, 0)]


def test_silence_comes_in_pieces_of_one_second():
    assert sum(map(len, silence_pieces(8_000 * 3600 + 1, 8_000))) == 8_000 * 3600 + 1


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="the program ffmpeg is not installed")
@pytest.mark.parametrize("ending", sorted(WITH_PICTURE - {"ts"}))
def test_the_program_ffmpeg_hears_the_same_times(ending, tmp_path):
    container, codec, rate = TIMED[ending]
    (tmp_path / "a").write_bytes(encode_placed(container, codec, [(2.0, make_beeps(3.0, rate))], rate, 6.0))
    how = "-vn -af aresample=async=1:first_pts=0 -ar 16000 -ac 1 -f f32le -"
    played = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", tmp_path / "a", *how.split()], capture_output=True, check=True
    )
    found = onsets_s(load_audio(tmp_path / "a"))
    np.testing.assert_allclose(found, onsets_s(np.frombuffer(played.stdout, "<f4")), atol=0.03)
