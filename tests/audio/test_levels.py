"""Levels, warnings of silence and clipping, and the first and last seconds of a clip."""

import numpy as np
import pytest
from scipy.signal import butter, resample_poly, sosfilt

from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.audio.levels import LevelMeter, measure_level, trim_to_end
from segser_core.audio.loading import load_audio
from tests.support.audio_files import encode_any_wav, make_tone, to_pcm16
from tests.support.paths import SAMPLE


def warned(samples):
    levels = LevelMeter()
    for block in np.array_split(samples, 3):
        levels.add(block)
    return levels.warnings()


def test_levels_by_hand():
    levels = LevelMeter()
    levels.add(np.array([0.1, -0.5, 0.2]))
    levels.add(np.array([]))
    levels.add(np.array([1.0, -1.0]))
    assert (levels.n_samples, levels.peak, levels.n_clipped) == (5, 1.0, 2)


def test_silence_is_told_and_quiet_speech_is_not():
    assert warned(np.zeros(1600)) == (
        "The recording is silent (all its samples are zero): what is shown says nothing about a voice.",
    )
    assert "its peak is -66 dBFS" in warned(make_tone(16_000, amplitude=0.0005))[0]
    assert warned(make_tone(16_000, amplitude=0.0045)) == ()


def test_clipping_is_told():
    assert warned(np.clip(make_tone(16_000, amplitude=2.0), -1, 1))[0].startswith("The recording is clipped: 66.")
    samples = make_tone(16_000)
    samples[:16] = 1  # a share of 1 in 1000 is let pass
    assert warned(samples) == ()
    samples[16] = -1
    assert warned(samples) == ("The recording is clipped: 0.1 % of its samples are at full scale.",)


def test_the_first_and_last_seconds_of_a_clip():
    samples = np.arange(10 * SAMPLE_RATE_HZ)
    assert trim_to_end(samples, "first", 3).tolist() == samples[:48_000].tolist()
    assert trim_to_end(samples, "last", 3).tolist() == samples[-48_000:].tolist()
    assert len(trim_to_end(samples, "first", 60)) == len(trim_to_end(samples, "last", 60)) == len(samples)


def tone(seconds: float, peak: float) -> np.ndarray:
    return (peak * np.sin(np.arange(int(seconds * SAMPLE_RATE_HZ)) * 0.5)).astype(np.float32)


def test_the_level_of_a_tone_is_3_db_below_its_peak():
    assert measure_level(tone(2, 0.1), 0, 2).rms_db == pytest.approx(-23.01, abs=0.05)
    assert measure_level(tone(2, 0.1), 0, 2).silent_share == 0


def test_silence_is_what_is_far_below_the_loudest_piece_whatever_the_gain():
    for gain in (1.0, 0.01):
        samples = gain * np.concatenate([tone(1, 0.5), tone(1, 0.5 * 10 ** (-40 / 20))])
        assert measure_level(samples, 0, 1).silent_share == 0
        assert measure_level(samples, 0, 2).silent_share == pytest.approx(0.5)
        assert measure_level(samples, 1, 2).silent_share == 1


@pytest.mark.parametrize(
    ("samples", "stretch"),
    [(np.zeros(16_000, np.float32), (0, 1)), (tone(1, 0.1), (5, 6)), (tone(1, 0.1), (0.5, 0.5))],
    ids=["zeros", "beyond the end", "empty"],
)
def test_where_there_is_nothing_to_hear_all_is_silent(samples, stretch):
    level = measure_level(samples, *stretch)
    assert level.silent_share == 1
    assert level.rms_db == -120


def test_a_stretch_shorter_than_a_piece_has_a_level():
    assert measure_level(tone(1, 0.1), 0.5, 0.505).silent_share == 0
    assert -25 < measure_level(tone(0.01, 0.1), 0, 1).rms_db < -21


def test_a_telephone_is_narrow_band_and_full_band_speech_is_not():
    """Speech through 300 to 3400 Hz, as `phone.wav` of a telephone line; the same speech without it."""
    speech = load_audio(SAMPLE)
    telephone = sosfilt(butter(12, [300, 3400], "bandpass", fs=SAMPLE_RATE_HZ, output="sos"), speech)
    assert warned(speech) == ()
    assert warned(telephone)[0].startswith("The recording is narrow band, as from a telephone (nothing above 3.4 kHz")


def test_speech_at_8_khz_is_narrow_band():
    pcm = to_pcm16(resample_poly(load_audio(SAMPLE), 1, 2))
    assert "narrow band" in warned(load_audio(encode_any_wav(pcm, 8_000)))[0]
