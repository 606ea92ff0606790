"""Recordings in turn: decoded ahead and bounded, and on Ray, where a worker that is killed loses nothing."""

import json
import os
import signal
import socket
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from segser_core.audio.levels import LevelMeter as AudioLevels
from segser_core.audio.loading import PREDECODE_MAX_S, DecodedAudio, audio_blocks, predecode
from segser_core.audio.waveform import encode_wav
from segser_core.errors import AudioError, ModelError, SettingError
from segser_core.inference import batch, prefetch, ray_workers
from segser_core.inference.batch import AnalysisJob
from segser_core.inference.console import ProgressConsole
from segser_core.prediction.exports import iter_csv, iter_json, to_csv, to_json
from tests.support.predictions import make_prediction


def test_items_come_in_order_with_what_threads_made_of_them():
    made = prefetch.prefetch(range(50), lambda i: (time.sleep(0.001 * (i % 3)), 2 * i)[1])
    assert [(i, future.result()) for i, future in made] == [(i, 2 * i) for i in range(50)]


def test_a_cluster_where_nobody_listens_is_refused_at_once():
    pytest.importorskip("ray")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(SettingError, match=f"cannot be reached at {address}"):
        ray_workers.connect_ray(address)


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


# Ray


@pytest.fixture
def clips(tmp_path) -> Path:
    """A folder of 160 short recordings, one of them broken."""
    g = np.random.default_rng(0)
    for i in range(159):
        (tmp_path / f"{i:03d}.wav").write_bytes(encode_wav(g.normal(0, 0.1, 16_000), 0, 0.5 + i / 400))
    (tmp_path / "broken.wav").write_text("no sound")
    return tmp_path


def outcome(job: AnalysisJob, capfd) -> tuple[list, list[str]]:
    """The predictions of a job, and the lines on standard error about its recordings."""
    with ProgressConsole() as screen:
        found = list(batch.run_analysis(job, screen))
    return found, [line for line in capfd.readouterr().err.splitlines() if "wav: " in line]


@pytest.mark.slow
def test_ray_gives_the_same_rows(clips, capfd):
    pytest.importorskip("ray", reason="Ray Data is not installed: pip install '.[ray]'")
    job = AnalysisJob((str(clips), str(clips / "absent.wav")), format="json")
    here, there = (outcome(AnalysisJob(job.paths, format="json", engine=engine), capfd) for engine in ("local", "ray"))
    assert len(here[0]) == 159
    assert len(here[1]) == 2
    assert there[1] == here[1]
    for one, other in zip(here[0], there[0], strict=True):
        assert (one.file, one.label, one.warnings) == (other.file, other.label, other.warnings)
        for a, b in zip(one.segments, other.segments, strict=True):
            assert list(a.probabilities) == list(b.probabilities)
            np.testing.assert_allclose([*a.probabilities.values()], [*b.probabilities.values()], atol=1e-6)


def process_and_item(item: int) -> tuple[int, int]:
    time.sleep(0.05)
    return os.getpid(), item


def slow_worker():
    return process_and_item


def refusing_worker():
    raise ModelError("the weights are damaged")


@pytest.mark.slow
def test_a_worker_that_is_killed_loses_nothing():
    pytest.importorskip("ray", reason="Ray Data is not installed: pip install '.[ray]'")
    items = list(range(20 * ray_workers.BLOCK))
    found = []
    for process, item in ray_workers.map_on_ray(items, slow_worker):
        found.append((process, item))
        if len(found) == 1:
            os.kill(process, signal.SIGKILL)
    assert [item for _, item in found] == items
    assert found[0][0] != found[-1][0]
    assert len({process for process, _ in found}) >= 2


@pytest.mark.slow
def test_a_model_that_no_worker_can_load_is_one_error():
    pytest.importorskip("ray", reason="Ray Data is not installed: pip install '.[ray]'")
    with pytest.raises(ModelError, match="the weights are damaged"):
        list(ray_workers.map_on_ray([1, 2], partial(refusing_worker)))
    assert list(ray_workers.map_on_ray([], slow_worker)) == []
