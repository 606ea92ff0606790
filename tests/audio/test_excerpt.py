"""Stretches of files: the samples are those of the file between two times, and no others."""

import numpy as np
import pytest

from segser_core.audio import excerpt
from segser_core.audio.excerpt import ClipLocation, Excerpt
from segser_core.audio.loading import DecodedAudio, load_audio, predecode
from segser_core.audio.waveform import encode_wav
from segser_core.errors import AudioError


@pytest.fixture(params=["short", "long"])
def ramp(request, tmp_path, monkeypatch):
    """A file of 3 s whose samples count upwards, decoded once or, as a long one, anew for each stretch."""
    if request.param == "long":
        monkeypatch.setattr(excerpt, "MOST_KEPT_S", 1)
    excerpt._decode_short.cache_clear()
    path = tmp_path / "ramp.wav"
    path.write_bytes(encode_wav(np.arange(48_000) / 48_000, 0, 3))
    return path


@pytest.mark.parametrize(("start_s", "end_s"), [(0.0, 3.0), (0.5, 1.25), (2.9, 3.0), (2.5, 3.05)])
def test_a_stretch_holds_the_samples_between_its_times(ramp, start_s, end_s):
    whole = load_audio(ramp)
    found = load_audio(Excerpt(ramp, start_s, end_s))
    np.testing.assert_array_equal(found, whole[round(start_s * 16_000) : round(end_s * 16_000)])
    decoded = predecode(Excerpt(ramp, start_s, end_s))
    assert isinstance(decoded, DecodedAudio)
    np.testing.assert_array_equal(decoded.samples, found)


def test_a_stretch_beyond_the_file_is_refused(ramp):
    with pytest.raises(AudioError, match="lasts only 0 ms"):
        load_audio(Excerpt(ramp, 4.0, 5.0))
    with pytest.raises(AudioError, match="no such file"):
        load_audio(Excerpt(ramp.with_name("none.wav"), 0.0, 1.0))


def test_a_changed_file_is_read_again(ramp):
    before = load_audio(Excerpt(ramp, 0.5, 1.0))
    ramp.write_bytes(encode_wav(np.zeros(32_000), 0, 2))
    assert before.any()
    assert not load_audio(Excerpt(ramp, 0.5, 1.0)).any()


def test_a_location_names_its_stretch(tmp_path):
    clip = ClipLocation("a/b.wav", 0.5, 2.0)
    assert (clip.key, clip.source(tmp_path)) == ("a/b.wav#t=0.5,2", Excerpt(tmp_path / "a/b.wav", 0.5, 2.0))
    assert ClipLocation("a/b.wav").source(tmp_path) == tmp_path / "a/b.wav"
