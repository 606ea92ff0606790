"""Channels and tracks of a recording: which one is heard, and what is said of the others."""

import io

import av
import numpy as np
import pytest

from segser_core.audio.channels import AudioChoice
from segser_core.audio.levels import LevelMeter
from segser_core.audio.loading import audio_blocks, count_channels, count_tracks, load_audio, predecode
from segser_core.errors import AudioError, SettingError
from tests.support.audio_files import encode_any_wav, make_noise, make_tone, to_pcm16

LEFT, RIGHT = make_tone(16_000, hz=440), make_tone(16_000, hz=1000, amplitude=0.25)


def wav(*channels):
    return encode_any_wav(to_pcm16(np.stack(channels, axis=1)), 16_000)


def two_tracks(first, second, languages=("eng", "deu")):
    """A Matroska file of two tracks, mono at 16 kHz."""
    content = io.BytesIO()
    with av.open(content, "w", format="matroska") as out:
        streams = [out.add_stream("flac", rate=16_000, layout="mono") for _ in languages]
        for stream, samples in zip(streams, (first, second), strict=True):
            frame = av.AudioFrame.from_ndarray(to_pcm16(samples)[None], format="s16", layout="mono")
            frame.sample_rate, frame.pts = 16_000, 0
            for packet in [*stream.encode(frame), *stream.encode(None)]:
                out.mux(packet)
    return content.getvalue()


def warned(content, choice=AudioChoice()):  # noqa: B008
    levels = LevelMeter()
    for block in audio_blocks(content, 1.0, levels=levels, choice=choice):
        levels.add(block)
    return levels.warnings()


@pytest.mark.parametrize(("channel", "expected"), [(1, LEFT), (2, RIGHT), (None, (LEFT + RIGHT) / 2)])
def test_a_channel_is_heard_alone(channel, expected):
    found = load_audio(wav(LEFT, RIGHT), choice=AudioChoice(channel=channel))
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_channels_that_differ_are_said_and_equal_ones_are_not():
    assert warned(wav(LEFT, RIGHT))[0].startswith("The recording has 2 channels that differ; their mean is analysed")
    assert warned(wav(LEFT, LEFT)) == ()
    assert warned(wav(LEFT, RIGHT), AudioChoice(channel=2)) == ()


def test_of_channels_out_of_phase_one_is_taken_and_said():
    speech = make_noise(1.0)
    silence = np.zeros(8000, np.float32)
    content = wav(*(np.concatenate([silence, sign * speech]) for sign in (1, -1)))
    np.testing.assert_allclose(load_audio(content), np.concatenate([silence, speech]), atol=1e-4)
    assert warned(content) == ("The channels cancel one another out (out of phase): channel 1 alone is analysed.",)


def test_one_speaker_of_many_channels_is_not_taken_for_a_cancellation():
    quiet = np.zeros(16_000, np.float32)
    content = wav(LEFT, *[quiet] * 7)
    np.testing.assert_allclose(load_audio(content), LEFT / 8, atol=1e-4)
    assert "out of phase" not in " ".join(warned(content))


def test_a_track_is_heard_by_its_number_and_several_are_said():
    content = two_tracks(LEFT, RIGHT)
    for track, expected in ((1, LEFT), (2, RIGHT)):
        np.testing.assert_allclose(load_audio(content, choice=AudioChoice(track)), expected, atol=1e-4)
    assert warned(content) == ("The file has 2 audio tracks; number 1 is analysed: choose one (track).",)
    assert warned(content, AudioChoice(track=2)) == ()


def test_a_silent_first_track_says_that_there_is_another():
    notes = warned(two_tracks(np.zeros(16_000, np.float32), LEFT))
    assert notes[0].startswith("The recording is silent")
    assert "2 audio tracks" in notes[1]


def test_a_channel_or_track_that_is_not_there():
    with pytest.raises(AudioError, match="channel 3 was asked for, but the recording has 2 channels"):
        load_audio(wav(LEFT, RIGHT), choice=AudioChoice(channel=3))
    with pytest.raises(AudioError, match="channel 2 was asked for, but the recording has one channel"):
        load_audio(wav(LEFT), choice=AudioChoice(channel=2))
    with pytest.raises(AudioError, match="track 3 was asked for, but the file has 2 audio tracks"):
        load_audio(two_tracks(LEFT, RIGHT), choice=AudioChoice(track=3))
    for wrong in (0, -1, 1.5, "2", True):
        with pytest.raises(SettingError, match="expected a whole number from 1"):
            AudioChoice(channel=wrong)


def test_counts():
    assert (count_channels(wav(LEFT, RIGHT)), count_channels(wav(LEFT)), count_channels(LEFT)) == (2, 1, 1)
    assert (count_tracks(two_tracks(LEFT, RIGHT)), count_tracks(wav(LEFT))) == (2, 1)


def test_what_is_decoded_ahead_keeps_its_channel_and_notes(tmp_path):
    (tmp_path / "a").write_bytes(wav(LEFT, RIGHT))
    np.testing.assert_allclose(predecode(tmp_path / "a", AudioChoice(channel=2)).samples, RIGHT, atol=1e-4)
    assert warned(predecode(tmp_path / "a")) == warned(wav(LEFT, RIGHT))
