"""Recordings in turn, decoded ahead and bounded."""

import json
import threading
import time

import numpy as np
import pytest

from segser_core.audio.levels import LevelMeter as AudioLevels
from segser_core.audio.loading import PREDECODE_MAX_S, DecodedAudio, audio_blocks, predecode
from segser_core.audio.waveform import encode_wav
from segser_core.errors import AudioError
from segser_core.inference import prefetch
from segser_core.prediction.exports import iter_csv, iter_json, to_csv, to_json
from tests.support.predictions import make_prediction


def test_items_come_in_order_with_what_threads_made_of_them():
    made = prefetch.prefetch(range(50), lambda i: (time.sleep(0.001 * (i % 3)), 2 * i)[1])
    assert [(i, future.result()) for i, future in made] == [(i, 2 * i) for i in range(50)]


def test_only_so_many_are_made_ahead():
    taken = []

    def items():
        for i in range(100):
            taken.append(i)
            yield i

    first = next(prefetch.prefetch(items(), lambda i: i))
    assert first[0] == 0
    assert len(taken) <= prefetch.MAX_PREFETCHED + 1


def test_nothing_is_made_any_more_once_nobody_listens():
    before = threading.active_count()
    made = []
    source = prefetch.prefetch(range(100), made.append)
    next(source)
    source.close()
    time.sleep(0.05)
    assert len(made) <= prefetch.MAX_PREFETCHED + 1
    assert threading.active_count() == before


def test_what_goes_wrong_in_a_thread_is_raised_in_its_turn():
    made = list(prefetch.prefetch([1, 0, 2], lambda i: 1 / i))
    assert made[0][1].result() == 1
    assert made[2][1].result() == 0.5
    with pytest.raises(ZeroDivisionError):
        made[1][1].result()


def test_a_short_recording_is_decoded_ahead_and_a_long_one_is_not(tmp_path):
    for name, seconds in (("short", 1.0), ("long", PREDECODE_MAX_S + 0.1)):
        samples = np.sin(np.arange(int(seconds * 16_000)) / 5).astype(np.float32)
        (tmp_path / name).write_bytes(encode_wav(samples, 0, seconds))
    short = predecode(tmp_path / "short")
    assert isinstance(short, DecodedAudio)
    assert len(short.samples) == 16_000
    assert not short.damaged
    assert predecode(tmp_path / "long") == tmp_path / "long"
    with pytest.raises(AudioError, match="no such file"):
        predecode(tmp_path / "absent")


def test_what_was_decoded_ahead_is_heard_like_the_file(tmp_path):
    levels = AudioLevels()
    samples = np.linspace(-0.5, 0.5, 32_000, dtype=np.float32)
    blocks = list(audio_blocks(DecodedAudio(samples, damaged=True), 0.75, levels=levels))
    assert np.array_equal(np.concatenate(blocks), samples)
    assert levels.damaged
    assert len(blocks) == 3
    with pytest.raises(AudioError, match="longer than"):
        list(audio_blocks(DecodedAudio(samples, damaged=False), 1, max_duration_s=1.5))


@pytest.mark.parametrize("n", [0, 1, 3])
def test_pieces_are_the_whole_text(n):
    predictions = [make_prediction(f"{i}.wav") for i in range(n)]
    assert "".join(iter_json(iter(predictions))) == to_json(predictions)
    assert to_json(predictions) == json.dumps([p.to_dict() for p in predictions], indent=2) + "\n"
    assert "".join(iter_csv(iter(predictions))) == to_csv(predictions)
