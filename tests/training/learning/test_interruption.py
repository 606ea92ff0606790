"""Trainings that are killed, find the disk full, may not write, or meet another one on the same run folder."""

import gc
import multiprocessing
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from segser_core.files import write_lock
from segser_core.runs.run import read_run
from tests.support.paths import ROOT
from tests.support.run_folders import make_predictions, write_run_folder
from tests.support.training import quick_settings
from training import train
from training.config.settings import to_yaml

SYSTEM_CALLS = ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "shutil.copyfile")
WRITE_RUN = "from pathlib import Path; from tests.support.run_folders import *; write_run_folder(Path({!r}))"
starting = multiprocessing.get_context("forkserver")  # torch is imported once, and each training starts from there
starting.set_forkserver_preload(
    [
        "training.runs.job",
        "training.learning.dry_run",
        "training.corpora.__main__",
        "pyarrow.dataset",
        "transformers.models.whisper.feature_extraction_whisper",
        "tests.training.learning.test_interruption",
    ]
)


def train_in(folder: Path, *options: str, steps=None, stop_at: int = 0, most_bytes: int = 0) -> None:
    """What a child process does: train on the folder's corpus into its `run`; never returns.

    Args:
        steps: a shared number: how often a file or folder below `folder` was to be written, renamed or removed.
        stop_at: at which of these to die as by `kill -9`.
        most_bytes: no file may become larger, as on a full disk.
    """
    gc.freeze()  # what was imported before is not searched for garbage
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    if most_bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

    def count(event: str, arguments: tuple) -> None:
        if steps is not None and event in SYSTEM_CALLS and str(arguments[0]).startswith(str(folder)):
            if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)):
                return
            steps.value += 1
            if steps.value == stop_at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    with (folder / "said.txt").open("a") as said:
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
        wanted = ["--config", f"{folder}/a.yaml", "--root", f"{folder}", "--out", f"{folder}/out/run", *options]
        status = train.main(wanted)
    os._exit(status)


def begin(folder: Path, *options: str, **how) -> multiprocessing.Process:
    """A training in a process of its own."""
    process = starting.Process(target=train_in, args=(folder, *options), kwargs=how)
    process.start()
    return process


def run(folder: Path, *options: str, **how) -> int:
    """A training to its end; its exit status."""
    process = begin(folder, *options, **how)
    process.join(300)
    return process.exitcode


@pytest.fixture
def place(corpus) -> Path:
    """The made-up corpus with its manifest and settings."""
    fold, folder = corpus
    fold.manifest.to_csv(folder / "manifest.csv", index=False)
    how = quick_settings(folder, corpus="manifest", protocol="column:split")
    (folder / "a.yaml").write_text(to_yaml(how))
    return folder


def said(folder: Path) -> str:
    """What trainings in a folder have said so far."""
    return (folder / "said.txt").read_text()


def weights(folder: Path) -> bytes:
    return (folder / "out" / "run" / "checkpoint" / "model.safetensors").read_bytes()


def check_it_goes_on(place: Path, expected: bytes, **how) -> None:
    """Kill a training, go on, and compare its weights with those of the undisturbed one."""
    steps = starting.Value("i", 0)
    process = begin(place, steps=steps, stop_at=how.get("stop_at", 0))
    if "after_s" in how:
        time.sleep(how["after_s"])
        process.kill()
    process.join(300)
    assert process.exitcode in (-signal.SIGKILL, 0)
    assert run(place, "--resume") == 0, said(place)[-2000:]
    assert weights(place) == expected, how
    assert sorted(p.name for p in (place / "out").iterdir()) == ["run", "tensorboard"], "nothing is left beside it"


def undisturbed(place: Path) -> tuple[bytes, int, float]:
    """The weights of a training to its end, how often it wrote, and its seconds; its folder goes."""
    steps, began = starting.Value("i", 0), time.monotonic()
    assert run(place, steps=steps) == 0, said(place)[-2000:]
    found = weights(place), steps.value, time.monotonic() - began
    shutil.rmtree(place / "out")
    return found


@pytest.mark.slow
def test_a_training_killed_at_any_of_20_moments_goes_on_to_the_same_weights(place):
    """At 12 of the places where it writes, among them each save and the end, and at 8 times of the clock."""
    expected, writes, lasts_s = undisturbed(place)
    g = random.Random(0)
    moments = [{"stop_at": n} for n in g.sample(range(1, writes + 1), 12)]
    moments += [{"after_s": g.uniform(0, lasts_s)} for _ in range(8)]
    for moment in moments:
        check_it_goes_on(place, expected, **moment)
        shutil.rmtree(place / "out")


def test_a_training_killed_in_the_middle_goes_on_to_the_same_weights(place):
    expected, writes, _ = undisturbed(place)
    check_it_goes_on(place, expected, stop_at=writes // 2)


@pytest.mark.slow
def test_a_full_disk_leaves_the_last_run_as_it_was_and_says_so(place):
    """Simulated by a limit on the size of a file, met by the log, the weights and the optimiser's state."""
    assert run(place) == 0
    before = {p: p.read_bytes() for p in (place / "out" / "run").rglob("*") if p.is_file()}
    for most_bytes in (5_000, 60_000, 150_000):
        (place / "said.txt").unlink()
        assert run(place, "--seed", "1", most_bytes=most_bytes) == 1
        assert re.search(r"run cannot be written .*what was there before is as it was\n", said(place))
        assert {p: p.read_bytes() for p in (place / "out" / "run").rglob("*") if p.is_file()} == before
    assert run(place, "--seed", "1", "--resume") == 0
    assert read_run(place / "out" / "run").seeds == (0, 1)


def test_two_trainings_on_one_run_folder_do_not_mix(place):
    first = begin(place)
    while not (place / "out" / "run.resume").exists():
        time.sleep(0.01)
    os.kill(first.pid, signal.SIGSTOP)  # it would be done before the other one begins
    assert run(place, "--seed", "1") == 1
    assert "another process is writing" in said(place)
    os.kill(first.pid, signal.SIGCONT)
    first.join(300)
    assert first.exitcode == 0
    assert read_run(place / "out" / "run").seeds == (0,)


def test_a_killed_writer_holds_up_nobody_and_what_it_left_is_cleared_away(tmp_path):
    """Killed between moving the old run aside and putting the new one in its place."""
    path = write_run_folder(tmp_path / "a")
    code = f"""
import os, signal; from pathlib import Path; from tests.support.run_folders import write_run_folder
rename = Path.rename
Path.rename = lambda self, to: os.kill(os.getpid(), 9) if self.name.endswith(".new") else rename(self, to)
write_run_folder(Path({str(path)!r}))
"""
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == -signal.SIGKILL
    assert not path.exists()
    with write_lock(path):
        assert len(read_run(path).predictions) == 60
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_run_is_written_by_one_process_at_a_time(tmp_path):
    path = write_run_folder(tmp_path / "a")
    code = WRITE_RUN.format(str(path))
    with write_lock(path), write_lock(path):
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert "RunError: another process is writing" in done.stderr
    write_run_folder(path, predictions=make_predictions(seeds=(0, 1)))
    assert read_run(path).seeds == (0, 1)
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


WITHOUT_POWER = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]


def test_a_place_that_may_not_be_written_is_said(tmp_path):
    """Really so, for root too, who for once has no power over permissions."""
    path = write_run_folder(tmp_path / "closed" / "a")
    (tmp_path / "closed").chmod(0o555)
    code = WRITE_RUN.format(str(path))
    power = WITHOUT_POWER if os.geteuid() == 0 else []
    if power and shutil.which("setpriv") is None:
        pytest.skip("whoever is root may write everything, and there is no setpriv to change that")
    done = subprocess.run([*power, sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert "RunError: " in done.stderr
    assert "cannot be written ([Errno 13] Permission denied" in done.stderr
    assert read_run(path).seeds == (0,)
