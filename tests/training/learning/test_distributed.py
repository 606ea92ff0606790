"""Training in several processes, as `torchrun` starts them: the numbers of one process, and one run."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from segser_core.errors import SettingError
from segser_core.network.model import SegmentEmotionModel
from segser_core.runs.run import read_run
from tests.support.paths import ROOT
from tests.support.training import quick_settings
from training.config.settings import to_yaml
from training.features.batches import BalancedBatches
from training.learning.distributed import BatchShare, gather_rows
from training.learning.trainer import check_processes

NAMES = ("nll", "triplet", "divergence", "eval/uar")


@pytest.mark.parametrize("of", [1, 2, 3])
def test_shares_together_are_the_batches(of):
    targets, durations_s = [0, 1] * 25, np.random.default_rng(0).uniform(1, 6, 50)
    whole = BalancedBatches(targets, durations_s, 12, 1, 0)
    shares = [BatchShare(BalancedBatches(targets, durations_s, 12, 1, 0), k, of) for k in range(of)]
    for epoch in (0, 3):
        for batches in (whole, *shares):
            batches.set_epoch(epoch)
        joined = [[draw for part in parts for draw in part] for parts in zip(*shares, strict=True)]
        assert joined == list(whole)
        assert {len(share) for share in shares} == {len(whole)}
    sizes = [len(part) for share in shares for part in share]
    assert max(sizes) - min(sizes) <= 1


def test_one_process_keeps_its_rows():
    rows = torch.randn(3, 2)
    assert gather_rows(rows) is rows


def test_a_batch_has_two_clips_for_each_process(tmp_path):
    check_processes(quick_settings(tmp_path, batch_size=1), 1)
    check_processes(quick_settings(tmp_path, batch_size=4), 2)
    with pytest.raises(SettingError, match="batch_size is 4; expected 6 or more for 3 processes"):
        check_processes(quick_settings(tmp_path, batch_size=4), 3)


def train(folder: Path, processes: int, out: str, *options: str) -> subprocess.CompletedProcess:
    """The training command in so many processes on this machine, on the CPU."""
    start = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    places = ["--config", "a.yaml", "--root", ".", "--out", out]
    return subprocess.run(
        [sys.executable, *start, "-m", "training.train", *places, *options],
        cwd=folder, capture_output=True, text=True, timeout=600,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
    )  # fmt: skip


def logged(folder: Path, out: str) -> dict[str, list[float]]:
    """What TensorBoard was told of each epoch, by name."""
    (place,) = (folder / "tensorboard" / out).iterdir()
    events = EventAccumulator(str(place))
    events.Reload()
    tags = {tag: tag.removeprefix("train/") for tag in events.Tags()["scalars"]}
    return {name: [event.value for event in events.Scalars(tag)] for tag, name in tags.items() if name in NAMES}


@pytest.mark.slow
@pytest.mark.parametrize("batch_size", [4, 5])
def test_two_processes_train_as_one(corpus, batch_size):
    """At the same global batch, of which each hears half (or 2 and 3 clips), loss and weights are one process's."""
    fold, folder = corpus
    fold.manifest.to_csv(folder / "manifest.csv", index=False)
    how = quick_settings(folder, corpus="manifest", epochs=2, batch_size=batch_size, consistency=0.5)
    (folder / "a.yaml").write_text(to_yaml(how))
    for processes, out in ((1, "one"), (2, "two")):
        done = train(folder, processes, out)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("test UAR") == 1
    one, two = logged(folder, "one"), logged(folder, "two")
    assert set(one) == set(two) == set(NAMES)
    assert len(one["nll"]) == 2
    for name in NAMES:
        np.testing.assert_allclose(two[name], one[name], atol=1e-5)
    assert [p.name for p in sorted((folder / "two" / "checkpoint").iterdir())] == [
        "config.json", "model.safetensors", "preprocessor_config.json"]  # fmt: skip
    assert not (folder / "two.resume").exists()
    models = [SegmentEmotionModel.from_folder(folder / out / "checkpoint").state_dict() for out in ("one", "two")]
    for name, weight in models[0].items():
        torch.testing.assert_close(models[1][name], weight, atol=2e-3, rtol=2e-3)  # they are kept in half precision
    runs = [read_run(folder / out).predictions for out in ("one", "two")]
    assert len(runs[1]) == 8
    np.testing.assert_allclose(runs[1]["confidence"], runs[0]["confidence"], atol=5e-3)


@pytest.mark.slow
def test_two_processes_go_on_after_a_stop(corpus):
    """What is there of one epoch, and the half of a checkpoint, are taken by both alike."""
    fold, folder = corpus
    fold.manifest.to_csv(folder / "manifest.csv", index=False)
    (folder / "a.yaml").write_text(to_yaml(quick_settings(folder, corpus="manifest", epochs=2)))
    assert train(folder, 2, "whole").returncode == 0
    stop = "from training.learning import trainer\nreal = trainer.MarkComplete.on_save\n"
    stop += "def on_save(self, args, state, control, **k):\n    real(self, args, state, control, **k)\n    exit(3)\n"
    stop += "trainer.MarkComplete.on_save = on_save\n"
    (folder / "stopped.py").write_text(stop + "import sys; from training.train import main; sys.exit(main())")
    start = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "stopped.py"]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    call = [sys.executable, *start, "--config", "a.yaml", "--root", ".", "--out", "run"]
    assert subprocess.run(call, cwd=folder, capture_output=True, env=env, timeout=600).returncode != 0
    steps = folder / "run.resume" / "seed-0" / "fold-0" / "steps"
    assert [p.name for p in steps.iterdir() if (p / "complete").exists()] == ["checkpoint-4"]
    (steps / "checkpoint-8").mkdir()
    done = train(folder, 2, "run", "--resume")
    assert done.returncode == 0, done.stderr
    models = [SegmentEmotionModel.from_folder(folder / out / "checkpoint").state_dict() for out in ("whole", "run")]
    assert all(torch.equal(weight, models[1][name]) for name, weight in models[0].items())
