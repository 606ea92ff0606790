"""Cuts of a recording as WAV, and the envelope that is drawn."""

import io
import wave

import numpy as np
import pytest

from segser_core.audio import waveform
from segser_core.audio.waveform import encode_wav


def test_a_cut_has_its_length_and_its_gain():
    samples = np.linspace(-1, 1, 16_000, dtype=np.float32)
    samples[4000:4004] = [0.5, -0.5, 3, -3]
    with wave.open(io.BytesIO(encode_wav(samples, 0.25, 0.75))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate(), file.getnframes()) == (
            1,
            2,
            16_000,
            8000,
        )
        assert np.frombuffer(file.readframes(4), "<i2").tolist() == [16384, -16384, 32767, -32767]


@pytest.mark.parametrize(
    ("start_s", "end_s", "n"), [(-1, 2, 16_000), (0.5, 9, 8000), (2, 3, 0), (0.7, 0.2, 0), (-2, -1, 0), (0, 0, 0)]
)
def test_a_cut_stays_within_the_recording(start_s, end_s, n):
    with wave.open(io.BytesIO(encode_wav(np.zeros(16_000, np.float32), start_s, end_s))) as file:
        assert file.getnframes() == n


def test_the_envelope_keeps_the_extremes_and_the_times():
    samples = np.array([0.0, 0.5, -0.2, 0.1, -0.9, 0.3], np.float32)
    times, values = waveform.waveform_envelope(samples, bins=2)
    assert values == pytest.approx([-0.2, 0.5, -0.9, 0.3])
    assert times == pytest.approx(np.array([0, 0, 3, 3]) / 16_000)
    assert len(waveform.waveform_envelope(samples)[0]) == 2 * len(samples)
