"""Decoding, refusals and blocks; every input file is made here, by hand or by PyAV."""

import io
import os
import random
import socket
import struct
import threading
import tracemalloc
import wave
import zipfile
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from segser_core.audio import decoding
from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.audio.folders import find_audio_files
from segser_core.audio.levels import LevelMeter
from segser_core.audio.loading import audio_blocks, load_audio, prepare_source
from segser_core.bundled import BUNDLED
from segser_core.errors import AudioError, SettingError
from tests.support.audio_files import (
    TONE_HZ,
    encode_any_wav,
    encode_audio,
    encode_placed,
    encode_video,
    make_tone,
    to_pcm16,
)


def loudest_hz(samples):
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return spectrum.argmax() * SAMPLE_RATE_HZ / len(samples)


def why(source, **options):
    """The one line by which a source is refused."""
    with pytest.raises(AudioError) as refused:
        load_audio(source, **options)
    text = str(refused.value)
    assert text
    assert text.isprintable()
    assert "/" not in text.replace("OGG/Opus", "").replace("M4A/AAC", "")
    return text


# What is heard


def test_samples_at_16_khz_stay_as_they_are():
    values = np.array([0, 1, -1, 16384, -32768, 32767] * 100, "<i2")
    found = load_audio(encode_any_wav(values, 16_000))
    assert found.dtype == np.float32
    assert found.shape == (600,)
    np.testing.assert_array_equal(found[:6], np.array([0, 2**-15, -(2**-15), 0.5, -1, 32767 / 32768], np.float32))


@pytest.mark.parametrize(
    ("kind", "bits", "code", "half"),
    [("u1", 8, 1, 192), ("<i4", 32, 1, 2**30), ("<i8", 64, 1, 2**62), ("<f4", 32, 3, 0.5), ("<f8", 64, 3, 0.5)],
)
def test_every_kind_of_sample_has_the_same_full_scale(kind, bits, code, half):
    np.testing.assert_array_equal(
        load_audio(encode_any_wav(np.full(800, half, kind), 16_000, bits, code)), np.full(800, 0.5)
    )


def test_24_bits():
    data = np.frombuffer(b"\0\0\x40" * 800, "u1")
    content = bytearray(encode_any_wav(data, 16_000, 8))
    content[32:36] = struct.pack("<HH", 3, 24)
    np.testing.assert_array_equal(load_audio(bytes(content)), np.full(800, 0.5))


def test_channels_are_averaged():
    stereo = np.stack([np.full(800, 16384), np.full(800, -8192)], axis=1).astype("<i2")
    np.testing.assert_array_equal(load_audio(encode_any_wav(stereo, 16_000)), np.full(800, 0.125))


def test_64_channels_are_averaged():
    channels = np.tile(np.arange(64, dtype="<i2") * 256, (800, 1))  # their mean is 31.5 * 256
    np.testing.assert_allclose(load_audio(encode_any_wav(channels, 16_000)), 31.5 / 128)


@pytest.mark.parametrize("channels", [2, 6, 8])
@pytest.mark.parametrize(("container", "codec"), [("flac", "flac"), ("mp4", "aac"), ("ogg", "libopus")])
def test_no_layout_has_a_matrix_of_its_own(container, codec, channels):
    """Surround sound, too, is the plain mean, whatever codecs make of its low-frequency channel."""
    found = load_audio(encode_audio(container, codec, make_tone(48_000), 48_000, channels))[4000:12000]
    assert loudest_hz(found) == pytest.approx(TONE_HZ, abs=1)
    assert np.abs(found).max() == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 44_101, 48_000, 96_000, 192_000, 768_000])
def test_any_rate_becomes_16_khz(rate):
    found = load_audio(encode_any_wav(to_pcm16(make_tone(rate)), rate))
    assert len(found) == 16_000
    np.testing.assert_allclose(found[200:-200], make_tone(16_000)[200:-200], atol=1e-4)


def test_what_16_khz_cannot_hold_is_filtered_out():
    assert np.abs(load_audio(encode_any_wav(to_pcm16(make_tone(48_000, hz=12_000)), 48_000))[200:-200]).max() < 1e-3


@pytest.mark.parametrize(
    ("container", "codec", "rate", "channels"),
    [
        ("wav", "pcm_s16le", 44_100, 2),
        ("wav", "pcm_mulaw", 8_000, 1),
        ("flac", "flac", 44_100, 2),
        ("mp3", "libmp3lame", 44_100, 2),
        ("ogg", "libopus", 48_000, 1),
        ("ogg", "vorbis", 44_100, 2),
        ("ipod", "aac", 44_100, 2),
        ("ipod", "alac", 44_100, 1),
        ("adts", "aac", 22_050, 1),
        ("webm", "libopus", 48_000, 2),
        ("aiff", "pcm_s16be", 44_100, 1),
        ("matroska", "flac", 48_000, 1),
    ],
)
def test_every_format(container, codec, rate, channels):
    found = load_audio(encode_audio(container, codec, make_tone(rate), rate, channels))
    assert len(found) / SAMPLE_RATE_HZ == pytest.approx(1, abs=0.1)
    assert loudest_hz(found) == pytest.approx(TONE_HZ, abs=1.5)
    assert np.abs(found[2000:-2000]).max() == pytest.approx(0.5, abs=0.06)


def test_the_sound_of_a_video():
    found = load_audio(encode_video(with_sound=True))
    assert loudest_hz(found) == pytest.approx(TONE_HZ, abs=3)
    assert len(found) > 7000


def test_a_path_bytes_and_an_array_are_the_same(tmp_path):
    content = encode_any_wav(to_pcm16(make_tone(16_000)), 16_000)
    path = tmp_path / "tone.of.any.ending"
    path.write_bytes(content)
    whole = load_audio(content)
    for source in (path, str(path), whole, whole.astype(np.float64)):
        np.testing.assert_array_equal(load_audio(source), whole)


def test_tags_in_another_encoding_do_no_harm():
    tag = b"TIT2" + struct.pack(">IH", 5, 0) + b"\x03\xff\xfe\xe4\xc3"
    content = (
        b"ID3\x03\0\0\0\0\0" + bytes([len(tag)]) + tag + encode_audio("mp3", "libmp3lame", make_tone(16_000), 16_000)
    )
    assert len(load_audio(content)) > 15_000


# Blocks


@pytest.mark.parametrize("block_s", [0.001, 0.3, 0.5, 1.0, 20.0])
@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_blocks_are_the_whole(block_s, rate):
    content = encode_any_wav(to_pcm16(make_tone(rate, 2.1)), rate)
    blocks = list(audio_blocks(content, block_s))
    n = round(block_s * SAMPLE_RATE_HZ)
    assert all(len(b) == n for b in blocks[:-1])
    assert 0 < len(blocks[-1]) <= n
    np.testing.assert_array_equal(np.concatenate(blocks), load_audio(content))


def test_memory_does_not_grow_with_the_recording(tmp_path):
    path = tmp_path / "long.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 44_100, 0, "NONE", ""))
        for _ in range(40):
            file.writeframes(bytes(44_100 * 4))
    tracemalloc.start()
    n = sum(len(b) for b in audio_blocks(path, 1.0))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert n == 40 * SAMPLE_RATE_HZ
    assert peak < 1e6  # whole, it would take 2.6 MB


def test_a_block_holds_at_least_a_sample():
    with pytest.raises(SettingError, match="holds no sample"):
        audio_blocks(b"", 0.0)


def test_a_length_that_a_header_claims_is_not_believed():
    content = encode_any_wav(to_pcm16(make_tone(16_000)), 16_000, claim=0xFFFFFFF0)
    assert len(load_audio(content)) == 16_000


# What is refused


def test_what_is_no_audio():
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("a.wav", encode_any_wav(to_pcm16(make_tone(16_000)), 16_000))
    noise = random.Random(0).randbytes(64_000)
    for content in (
        zipped.getvalue(),
        b"PK\3\4" + noise,
        noise,
        b"<script>alert(1)</script>" * 99,
        b"bad",
        b"\x80\4N.",
    ):
        assert why(content).startswith("not an audio file; expected WAV, FLAC, MP3")


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("FLAC", b"fLaC"),
        ("Ogg", b"OggS"),
        ("MP4 or M4A", b"\0\0\0\x20ftypM4A "),
        ("WebM or Matroska", b"\x1aE\xdf\xa3"),
    ],
)
def test_a_header_that_lies(name, start):
    content = start + random.Random(0).randbytes(64_000)
    assert why(content).startswith(f"begins like {name}, but its header is damaged, cut off")


@pytest.mark.parametrize(
    ("container", "codec"),
    [("wav", "pcm_s16le"), ("flac", "flac"), ("ogg", "libopus"), ("mp4", "aac"), ("webm", "libopus")],
)
def test_a_header_cut_off(container, codec):
    content = encode_audio(container, codec, make_tone(48_000), 48_000)
    assert "its header is damaged, cut off" in why(content[:30])


def test_an_empty_file(tmp_path):
    (tmp_path / "empty.wav").touch()
    assert why(tmp_path / "empty.wav") == why(b"") == "the file is empty (0 bytes); record or export it again"


def test_no_samples():
    assert "holds no samples" in why(encode_any_wav(np.zeros(0, "<i2"), 16_000))


@pytest.mark.parametrize(("rate", "n"), [(16_000, 1), (16_000, 399), (8_000, 199), (48_000, 1197)])
def test_shorter_than_a_frame(rate, n):
    assert "at least 25 ms are needed" in why(encode_any_wav(np.zeros(n, "<i2"), rate))


@pytest.mark.parametrize(("rate", "n"), [(16_000, 400), (8_000, 200), (48_000, 1200)])
def test_exactly_a_frame(rate, n):
    assert len(load_audio(encode_any_wav(np.zeros(n, "<i2"), rate))) == 400


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_samples_that_are_no_numbers(value, rate):
    samples = make_tone(rate, 0.5)
    samples[-3] = value
    assert "NaN, infinite or absurdly large" in why(encode_any_wav(samples, rate, 32, code=3))


def test_doubles_beyond_single_precision():
    assert "NaN, infinite or absurdly large" in why(encode_any_wav(np.full(800, 1e300), 16_000, 64, code=3))


@pytest.mark.parametrize("rate", [1, 999, 768_001, 2**31 - 1])
def test_rates_that_speech_does_not_have(rate):
    text = why(encode_any_wav(np.zeros(64_000, "<i2"), rate))
    assert f"{rate} Hz; expected 1000 to 768000 Hz" in text


@pytest.mark.parametrize(("rate", "channels"), [(0, 1), (16_000, 0), (2**32 - 1, 1)])
def test_headers_of_no_rate_or_channel(rate, channels):
    content = bytearray(encode_any_wav(np.zeros(64_000, "<i2"), 16_000))
    content[22:28] = struct.pack("<HI", channels, rate)
    assert "header" in why(bytes(content))


def test_no_track_at_all():
    ebml = b"\x1aE\xdf\xa3\x88B\x82\x85webm\0"
    assert "header" in why(ebml + b"\x18S\x80g\x80")


def test_no_audio_track():
    assert why(encode_video(with_sound=False)) == "the file has no audio track; choose one with sound"


def test_longer_than_allowed():
    content = encode_any_wav(to_pcm16(make_tone(16_000, 2)), 16_000)
    assert why(content, max_duration_s=1.5).startswith("longer than the 1.5 s allowed")
    assert len(load_audio(content, max_duration_s=2)) == 32_000


def test_no_more_is_decoded_than_needed_to_know_it_is_too_long(monkeypatch):
    decoded, to_mono = [], decoding.average_channels
    monkeypatch.setattr(decoding, "average_channels", lambda frame: decoded.append(frame.samples) or to_mono(frame))
    why(encode_any_wav(np.zeros(16_000 * 600, "<i2"), 16_000), max_duration_s=1)
    assert sum(decoded) < 2 * 16_000


def test_paths_that_lead_nowhere(tmp_path):
    (tmp_path / "link.wav").symlink_to(tmp_path / "gone.wav")
    (tmp_path / "round.wav").symlink_to(tmp_path / "round.wav")
    for path in (tmp_path / "absent.wav", tmp_path / "link.wav"):
        assert why(path).startswith("there is no such file")
    for odd in (tmp_path / "round.wav", "a\0b.wav", "x" * 5000):
        assert why(odd).startswith("the file cannot be opened")


def test_a_folder(tmp_path):
    assert why(tmp_path) == "this is a folder, not a recording; choose a file in it"


def test_no_permission(tmp_path, monkeypatch):
    """Simulated, since whoever is root may read everything."""

    def forbidden(*_):
        raise PermissionError(13, "Permission denied", "secret path")

    (tmp_path / "mine.wav").write_bytes(b"x")
    monkeypatch.setattr(decoding.os, "open", forbidden)
    assert why(tmp_path / "mine.wav").startswith("no permission to read this file")
    monkeypatch.setattr(decoding.os, "access", lambda *_: False)
    assert why(tmp_path).startswith("no permission to look into this folder")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipes_and_devices_stay_closed(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe.wav")
    monkeypatch.setattr(decoding.os, "open", lambda *_: pytest.fail("it was opened"))
    assert why(tmp_path / "pipe.wav").startswith("this is a pipe, socket or device")
    assert why("/dev/zero").startswith("this is a pipe, socket or device")


@pytest.mark.parametrize("samples", [np.zeros((2, 800), np.float32), np.zeros(800, np.int16), np.zeros(800, complex)])
def test_arrays_of_another_kind(samples):
    with pytest.raises(AudioError, match=r"expected \(N,\) floats at 16 kHz"):
        load_audio(samples)


def test_arrays_are_checked_like_files():
    assert "not finite" in why(np.array([np.nan] * 800))
    assert "at least 25 ms are needed" in why(np.zeros(0))
    assert "longer than" in why(np.zeros(16_001), max_duration_s=1)


# What is damaged


def test_a_file_that_breaks_keeps_what_is_good():
    content = bytearray(
        encode_audio(
            "flac", "flac", make_tone(16_000, 3) + 0.01 * np.random.default_rng(0).random(48_000, np.float32), 16_000
        )
    )
    middle = len(content) // 2
    content[middle : middle + 40] = bytes(40)
    levels = LevelMeter()
    for block in audio_blocks(bytes(content), 1.0, levels=levels):
        levels.add(block)
    assert levels.n_samples == 3 * SAMPLE_RATE_HZ  # libav finds its way back after the hole, which is silence
    assert any("The file has a gap without sound, 0.07 s in all" in note for note in levels.warnings())


def test_damage_is_told(monkeypatch):
    """The third packet cannot be decoded: what came before stays, what follows is left out."""
    real = decoding.iter_packets
    monkeypatch.setattr(decoding, "iter_packets", lambda c: (None if i == 2 else p for i, p in enumerate(real(c))))
    levels = LevelMeter()
    blocks = list(audio_blocks(encode_any_wav(to_pcm16(make_tone(16_000)), 16_000), 1.0, levels=levels))
    assert levels.damaged
    assert 400 <= sum(map(len, blocks)) < 16_000
    levels.add(blocks[0])
    assert levels.warnings() == (
        f"The file is damaged after {len(blocks[0]) / 16_000:.2f} s: what follows was left out.",
    )


def test_junk_before_the_first_frame_is_passed_over(monkeypatch):
    real = decoding.iter_packets
    monkeypatch.setattr(decoding, "iter_packets", lambda c: iter([None, None, *real(c)]))
    assert len(load_audio(encode_any_wav(to_pcm16(make_tone(16_000)), 16_000))) == 16_000


def test_nothing_that_can_be_decoded(monkeypatch):
    monkeypatch.setattr(decoding, "iter_packets", lambda c: iter([None, None]))
    assert why(encode_any_wav(to_pcm16(make_tone(16_000)), 16_000)).startswith("none of its audio can be decoded")


@pytest.mark.parametrize(
    ("container", "codec"),
    [
        ("wav", "pcm_s16le"),
        ("flac", "flac"),
        ("mp3", "libmp3lame"),
        ("ogg", "libopus"),
        ("mp4", "aac"),
        ("webm", "libopus"),
    ],
)
def test_broken_copies_are_read_or_refused(container, codec, capfd):
    """Bytes changed at random, every other copy cut off: audio or one clear line, and no word from libav."""
    source = encode_audio(container, codec, make_tone(48_000, 0.5), 48_000)
    g = random.Random(1)
    for i in range(30):
        broken = bytearray(source[: g.randrange(1, len(source))] if i % 2 else source)
        for _ in range(g.choice([1, 5, 20])):
            broken[g.randrange(len(broken))] = g.randrange(256)
        try:
            assert np.isfinite(load_audio(bytes(broken), max_duration_s=60)).all()
        except AudioError as refused:
            assert str(refused).isprintable()
    assert capfd.readouterr() == ("", "")


# What it cannot reach


def test_a_recording_opens_no_other_file(tmp_path, monkeypatch):
    inner = tmp_path / "inner.wav"
    inner.write_bytes(encode_any_wav(to_pcm16(make_tone(16_000)), 16_000))
    monkeypatch.chdir(tmp_path)
    scripts = {
        "concat.wav": f"ffconcat version 1.0\nfile '{inner}'\n",
        "relative.wav": "ffconcat version 1.0\nfile inner.wav\n",
        "list.wav": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{inner}\n#EXT-X-ENDLIST\n",
        "session.wav": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
    }
    for name, text in scripts.items():
        (tmp_path / name).write_text(text)
        assert why(tmp_path / name).startswith("not an audio file")


@pytest.mark.parametrize(
    "name", ["concat:inner.wav", "file:inner.wav", "http:127.0.0.1", "pipe:0", "data:audio,x", "-"]
)
def test_a_name_is_no_address(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inner.wav").write_bytes(encode_any_wav(to_pcm16(make_tone(16_000)), 16_000))
    assert why(name).startswith("there is no such file")


def test_a_recording_reaches_no_network(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.3)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/a.wav"
        calls = []
        listener = threading.Thread(target=lambda: calls.append(accept(server)))
        listener.start()
        for start in ("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n", "ffconcat version 1.0\nfile "):
            why(f"{start}{address}\n#EXT-X-ENDLIST\n".encode())
        with pytest.raises(AudioError):
            load_audio(address)
        listener.join()
    assert calls == [False]


def accept(server):
    try:
        server.accept()
    except TimeoutError:
        return False
    return True


def test_libav_is_refused_any_file_beside_its_own():
    with pytest.raises(PermissionError):
        decoding.deny_other_files("http://example.org", 1, {})


# Real recordings


def test_ravdess_keeps_every_sample(shared):
    """The length that each clip's own header gives, in samples, at 16 kHz."""
    clips = list(find_audio_files(Path(shared, "data", "ravdess", "Audio_Speech_Actors_01-24", "Actor_23")))[::6]
    assert len(clips) == 10
    for clip in clips:
        header = clip.read_bytes()[:26]  # STREAMINFO: 20 bits of rate, 3 of channels, 5 of depth, 36 of samples
        fields = int.from_bytes(header[18:26], "big")
        assert (fields >> 44, (fields >> 41 & 7) + 1) == (16_000, 1)
        samples = load_audio(clip)
        assert len(samples) == fields & (1 << 36) - 1
        levels = LevelMeter()
        levels.add(samples)
        assert levels.warnings() == ()


def test_the_sample_that_ships_is_fine():
    path = BUNDLED / "sample.flac"
    samples = load_audio(path)
    levels = LevelMeter()
    levels.add(samples)
    assert 5 < len(samples) / SAMPLE_RATE_HZ < 6
    assert levels.warnings() == ()
    assert path.stat().st_size < 300_000
    with av.open(str(path)) as container:
        assert "Synthetic" in container.metadata["comment"]


# Other formats, told by their content


@pytest.mark.parametrize(
    ("container", "codec", "rate"),
    [
        ("caf", "pcm_s16be", 16_000),
        ("caf", "alac", 16_000),
        ("au", "pcm_s16be", 16_000),
        ("w64", "pcm_s16le", 16_000),
        ("3gp", "aac", 16_000),
        ("mp2", "mp2", 44_100),
        ("avi", "libmp3lame", 44_100),
        ("ac3", "ac3", 48_000),
        ("wv", "wavpack", 44_100),
        ("tta", "tta", 44_100),
        ("voc", "pcm_u8", 16_000),
        ("mpegts", "aac", 48_000),
        ("mpeg", "mp2", 44_100),
        ("flv", "aac", 44_100),
    ],
)
def test_what_dictaphones_phones_and_cameras_write(container, codec, rate, tmp_path):
    (tmp_path / "named wrongly.txt").write_bytes(encode_audio(container, codec, make_tone(rate), rate))
    found = load_audio(tmp_path / "named wrongly.txt")
    assert len(found) / SAMPLE_RATE_HZ == pytest.approx(1, abs=0.1)
    assert loudest_hz(found) == pytest.approx(TONE_HZ, abs=4)  # a VOC file rounds its rate


def test_windows_media():
    found = load_audio(encode_placed("asf", "wmav2", [(0.0, make_tone(44_100, 2))], 44_100))
    assert loudest_hz(found) == pytest.approx(TONE_HZ, abs=1.5)


@pytest.mark.parametrize(
    ("start", "named"),
    [
        (b"\3ds2", "DS2"),
        (b"\0\0\0\x24ftypaax ", "Audible AAX"),
        (b".RMF", "RealAudio"),
        (b"MThd", "MIDI"),
        (b"PK\3\4", "ZIP"),
    ],
)
def test_a_format_that_is_not_read_is_named_with_the_way_out(start, named):
    text = why(start + bytes(4000))
    assert named in text
    assert "convert" in text


# Samples in other forms


def test_samples_of_any_rate_and_form():
    tone = make_tone(44_100)
    expected = load_audio(encode_any_wav(tone, 44_100, 32, code=3))
    for samples in (tone, tone.tolist(), tuple(tone.tolist()), torch.from_numpy(tone), tone.astype(np.float64)):
        np.testing.assert_allclose(prepare_source(samples, 44_100), expected, atol=1e-6)
    np.testing.assert_array_equal(prepare_source(torch.from_numpy(tone).bfloat16(), 16_000).shape, (44_100,))
    assert len(load_audio([0.0] * 16_000)) == 16_000


def test_an_open_file_is_read_wherever_it_stands(tmp_path):
    content = encode_any_wav(to_pcm16(make_tone(16_000)), 16_000)
    (tmp_path / "a.wav").write_bytes(content)
    written = io.BytesIO()
    written.write(content)
    with (tmp_path / "a.wav").open("rb") as file:
        for source in (io.BytesIO(content), written, file, bytearray(content), memoryview(content)):
            np.testing.assert_array_equal(load_audio(source), load_audio(content))
    assert "open it as binary" in why(io.StringIO("text"))


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (np.array([0, 1200.0, -30_000] * 800), "the samples reach 30000, as 16-bit integers do"),
        (np.array([0, 2.0, -3.0] * 800), "the samples reach 3, as 16-bit integers do"),
        (np.array([0, 100.5] * 800), "the samples reach 100.5"),
        ([0, 1200, -30_000] * 800, "divide 16-bit integers by 32768"),
        (torch.zeros(800, dtype=torch.int16), "divide 16-bit integers by 32768"),
        (torch.zeros(2, 800), "choose a channel"),
        ([[0.0], [0.0, 0.1]], "got a list; expected a path"),
        (["a.wav"], "got a list; expected a path"),
        (None, "got a NoneType; expected a path"),
        ({"array": [0.0]}, "got a dict; expected a path"),
        (3.5, "an array of shape ()"),
    ],
)
def test_samples_that_are_none_are_refused_with_the_reason(samples, reason):
    with pytest.raises(AudioError) as refused:
        load_audio(samples)
    assert reason in str(refused.value)


def test_floats_a_little_beyond_full_scale_are_samples():
    assert load_audio(make_tone(16_000, amplitude=1.9)).max() == pytest.approx(1.9, abs=0.01)


def test_a_sample_rate_is_for_samples(tmp_path):
    for source in (tmp_path / "a.wav", b"RIFF"):
        with pytest.raises(SettingError, match="leave sample_rate out"):
            prepare_source(source, 16_000)
    for wrong in (0, 10, 10**7):
        with pytest.raises(AudioError, match="the sample rate is"):
            prepare_source(make_tone(16_000), wrong)
    with pytest.raises(SettingError, match="whole number of samples a second"):
        prepare_source(make_tone(16_000), 22_050.5)
