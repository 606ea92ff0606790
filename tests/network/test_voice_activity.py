"""The network that tells speech from the rest is the package's own, in a stream of any blocks."""

import sys
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from segser_core.audio.loading import load_audio
from segser_core.bundled import BUNDLED
from segser_core.errors import ModelError
from segser_core.network import voice_activity
from segser_core.network.voice_activity import MOST_GAIN, SpeechMeter, load_voice_activity

RATE_HZ, WINDOW = 16_000, 512


@pytest.fixture(scope="module")
def speech():
    """The synthetic voice that comes with the project."""
    return load_audio(BUNDLED / "sample.flac")


def listen(*blocks):
    meter = SpeechMeter()
    assert [len(b) for b in meter.watch(iter(blocks))] == [len(b) for b in blocks]
    return meter.finish()


def test_the_probabilities_are_those_of_the_packages_own_network(speech):
    path = Path(find_spec("silero_vad").origin).parent / "data" / "silero_vad.jit"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = torch.jit.load(path)
    loud = speech[: 100 * WINDOW] / np.abs(speech).max()  # which is not amplified
    with torch.no_grad():
        expected = [theirs(torch.from_numpy(loud[i : i + WINDOW]), RATE_HZ).item() for i in range(0, len(loud), WINDOW)]
    np.testing.assert_allclose(listen(loud).p, expected, atol=1e-4)
    assert max(expected) > 0.9


def test_the_package_itself_is_not_imported(speech):
    threads = torch.get_num_threads()
    listen(speech[:RATE_HZ])
    assert "silero_vad" not in sys.modules  # its import sets torch to one thread
    assert torch.get_num_threads() == threads


def test_blocks_of_any_length_give_the_same_bit_for_bit(speech):
    long = np.concatenate([speech] * 4)[: 41 * RATE_HZ + 77]
    whole = listen(long).p
    assert len(whole) == -(-len(long) // WINDOW)
    for block in (1_000, 16_000, 480_000):
        pieces = [long[i : i + block] for i in range(0, len(long), block)]
        assert np.array_equal(listen(*pieces).p, whole)


def test_memory_does_not_grow_with_the_blocks(speech):
    meter = SpeechMeter()
    for _ in range(30):
        meter.add(speech)
        assert len(meter.held) < voice_activity.BATCH_WINDOWS * WINDOW + voice_activity.CONTEXT_SAMPLES


def test_speech_is_speech_at_any_loudness(speech):
    loud = listen(speech / np.abs(speech).max()).speech_s
    assert loud > 0.6 * len(speech) / RATE_HZ
    for gain in (0.1, 1 / MOST_GAIN):
        assert listen(gain * speech).speech_s == pytest.approx(loud, rel=0.1)


@pytest.mark.parametrize("level", [0.0, 1e-4, 1e-2, 0.3])
def test_zeros_noise_a_tone_and_a_chord_are_no_speech(level):
    seconds = np.arange(20 * RATE_HZ) / RATE_HZ
    noise = np.random.default_rng(0).standard_normal(len(seconds))
    chord = sum(np.sin(2 * np.pi * hz * seconds) for hz in (220, 277, 330)) * np.exp(-(seconds % 0.5) * 4) / 3
    for sound in (noise, np.sin(2 * np.pi * 440 * seconds), chord, np.zeros(len(seconds))):
        assert listen((level * sound).astype(np.float32)).speech_s < 0.5


def test_less_than_a_window_and_nothing_are_heard(speech):
    assert len(listen(speech[:100]).p) == 1
    assert len(listen().p) == 0


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(voice_activity, "find_spec", lambda name: None)
    load_voice_activity.cache_clear()
    with pytest.raises(ModelError, match="install silero-vad"):
        load_voice_activity()
