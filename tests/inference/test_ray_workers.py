"""Recordings on Ray, where a worker that is killed loses nothing."""

import os
import signal
import socket
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from segser_core.audio.waveform import encode_wav
from segser_core.errors import ModelError, SettingError
from segser_core.inference import batch, ray_workers
from segser_core.inference.batch import AnalysisJob
from segser_core.inference.console import ProgressConsole


def test_a_cluster_where_nobody_listens_is_refused_at_once():
    pytest.importorskip("ray")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(SettingError, match=f"cannot be reached at {address}"):
        ray_workers.connect_ray(address)


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
