"""Seeds and folds that join a run later, by the command `training.train` with a tiny encoder."""

import dataclasses
import json
import shutil

import numpy as np
import pytest

from segser_core.network.model import SegmentEmotionModel, encoder_origin
from segser_core.runs.run import Run, read_run
from segser_core.runs.writing import write_run
from segser_core.statistics.scores import compute_metrics
from tests.support.training import quick_settings
from training import train
from training.config.settings import to_yaml
from training.corpora import Corpus
from training.corpora.fold import fold_by_speaker
from training.runs import add_seeds, job


@pytest.fixture
def command(corpus, monkeypatch):
    """Calls `training.train` on the made-up corpus, in two folds; returns its exit status."""
    fold, folder = corpus
    clips, pairs = fold.manifest.drop(columns="split"), ({"dev0", "dev1"}, {"test0", "test1"})
    divided = [fold_by_speaker(i, fold.labels, clips, pairs[i], pairs[1 - i]) for i in (0, 1)]
    monkeypatch.setattr(job, "load_corpus", lambda name, root, *_: Corpus(name, root, clips))
    monkeypatch.setattr(job, "folds", lambda found, protocol, **_: divided)
    (folder / "a.yaml").write_text(to_yaml(quick_settings(folder, epochs=1)))

    def call(*options):
        return train.main(["--config", f"{folder}/a.yaml", "--root", f"{folder}", "--out", f"{folder}/run", *options])

    return call, folder, divided


def meta_of(run: Run) -> dict:
    return json.loads((run.path / "run.json").read_text())


def head(folder) -> np.ndarray:
    return SegmentEmotionModel.from_folder(folder).head.weight.detach().numpy()


def test_a_seed_joins_as_if_it_had_been_there_from_the_start(command):
    call, folder, _ = command
    assert call("--fold", "0", "--seed", "0", "1") == 0
    (folder / "run").rename(folder / "at once")
    assert call("--fold", "0") == 0
    vectors, seconds = read_run(folder / "run").embeddings(), meta_of(read_run(folder / "run"))["seconds"]
    assert call("--fold", "0", "--seed", "1") == 0

    once, later = read_run(folder / "at once"), read_run(folder / "run")
    assert later.predictions.equals(once.predictions)
    assert later.segments.equals(once.segments)
    assert later.seeds == (0, 1)
    assert meta_of(later)["seeds"] == [0, 1]
    assert meta_of(later)["seconds"] >= seconds
    assert [added["seeds"] for added in meta_of(later)["added"]] == [[1]]
    for name, array in vars(vectors).items():
        np.testing.assert_array_equal(getattr(later.embeddings(), name), array)
    metrics = json.loads((later.path / "metrics.json").read_text())
    assert metrics == compute_metrics(later.predictions, later.labels)
    assert len(metrics["uar"]["per_seed"]) == 2
    for seed in (0, 1):
        place = f"checkpoint/seed-{seed}/fold-0"
        np.testing.assert_array_equal(head(later.path / place), head(once.path / place))
    assert not (later.path / "checkpoint" / "config.json").exists()
    assert (later.path / "config.yaml").read_text() == (once.path / "config.yaml").read_text()
    assert not (folder / "run.resume").exists()


def test_folds_and_then_a_seed_of_all_of_them(command, capsys):
    call, folder, _ = command
    assert call("--fold", "1") == 0
    assert call("--fold", "0") == 0
    run = read_run(folder / "run")
    assert add_seeds.trainings_of(run) == [(0, 0), (0, 1)]
    assert len(run.embeddings().utterance) == len(run.predictions)
    before = (run.path / "predictions.parquet").read_bytes()
    assert call("--fold", "0", "--seed", "1") == 1
    assert "no seed 1 fold 1" in capsys.readouterr().err
    assert (run.path / "predictions.parquet").read_bytes() == before
    assert call("--seed", "1", "0") == 0
    run = read_run(folder / "run")
    assert add_seeds.trainings_of(run) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert len(json.loads((run.path / "metrics.json").read_text())["uar"]["per_fold"]) == 2
    assert len(list(run.path.glob("checkpoint/seed-*/fold-*/model.safetensors"))) == 4


def test_a_run_without_weights_vectors_or_segments_takes_a_seed(command):
    call, folder, _ = command
    assert call("--fold", "0") == 0
    shutil.rmtree(folder / "run" / "checkpoint")
    (folder / "run" / "embeddings.npz").unlink()
    (folder / "run" / "segments.parquet").unlink()
    assert call("--fold", "0", "--seed", "1") == 0
    run = read_run(folder / "run")
    assert run.seeds == (0, 1)
    assert run.embeddings() is None
    assert run.segments is None
    assert [f.parent.name for f in run.path.glob("checkpoint/*/fold-0")] == ["seed-1"]


@pytest.fixture
def there(command, monkeypatch):
    """The same call with a run of seed 0 and fold 0 in place, in which nobody may train; and its fold."""
    call, folder, (fold, _) = command
    rows = fold.manifest[fold.manifest["split"] != "train"].assign(seed=0, fold=0)
    write_run(
        folder / "run",
        meta={"system": "seg+tri-w", "labels": list(fold.labels), "encoder": encoder_origin(f"{folder}/encoder", None)},
        config_yaml=(folder / "a.yaml").read_text(),
        metrics={},
        predictions=rows.assign(predicted=rows["label"], confidence=1.0, p_neutral=0.5, p_sad=0.5),
    )
    monkeypatch.setattr(job, "run_job", lambda *_: pytest.fail("trained"))
    return call, folder / "run", fold


def test_a_seed_that_is_there_stays_as_it_is(there, capsys):
    call, run, _ = there
    before = {file: file.read_bytes() for file in run.iterdir()}
    assert call("--fold", "0") == 0
    assert "has seed 0 (fold 0) already" in capsys.readouterr().out
    assert before == {file: file.read_bytes() for file in run.iterdir()}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--epochs", "2"], "epochs 2, there 1"),
        (["--system", "tri-w"], "system 'tri-w', there 'seg+tri-w'"),
        (["--alpha.seg+tri-w", "0.3"], "alpha 0.3, there None"),
        (["--corpus", "emodb"], "corpus 'emodb', there 'ravdess'"),
        (["--encoder", "elsewhere"], "encoder 'elsewhere', there"),
        (["--fold", "1"], "no seed 0 fold 1, seed 1 fold 0"),
    ],
)
def test_what_does_not_fit_is_refused_before_training(there, capsys, options, message):
    call, _, _ = there
    assert call("--seed", "1", *(options if "--fold" in options else ["--fold", "0", *options])) == 1
    assert message in capsys.readouterr().err.splitlines()[-1]


def test_another_corpus_under_the_same_name_is_refused(there, capsys, monkeypatch):
    call, _, fold = there
    clips = fold.manifest
    for changed, message in (
        (clips[clips["utterance_id"] != "20"], "1 development and test clips of fold 0, 20 among them"),
        (clips.assign(label=clips["label"].where(clips["utterance_id"] != "21", "neutral")), "21 among them"),
    ):
        other = dataclasses.replace(fold, manifest=changed.reset_index(drop=True))
        monkeypatch.setattr(job, "folds", lambda *_, other=other, **__: [other])
        assert call("--seed", "1") == 1
        assert message in capsys.readouterr().err
    monkeypatch.setattr(job, "folds", lambda *_, **__: [dataclasses.replace(fold, labels=fold.labels[::-1])])
    assert call("--seed", "1") == 1
    assert "labels sad, neutral, there neutral, sad" in capsys.readouterr().err


def test_an_encoder_is_known_by_its_weights_wherever_it_lies(there, capsys):
    call, run, _ = there
    encoder = run.parent / "encoder"
    shutil.copytree(encoder, run.parent / "moved")
    assert call("--fold", "0", "--encoder", f"{run.parent}/moved") == 0
    data = bytearray((encoder / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (encoder / "model.safetensors").write_bytes(data)
    assert call("--fold", "0") == 1
    assert "with other weights" in capsys.readouterr().err


def test_a_run_of_another_making_is_left_alone(there, capsys):
    call, run, _ = there
    (run / "config.yaml").write_text("model: seg+tri-w\n")
    assert call("--fold", "0", "--seed", "1") == 1
    assert "not written by training.train" in capsys.readouterr().err


def test_who_prepares_batches_is_no_difference(tmp_path):
    here, there = (quick_settings(tmp_path, data_workers=n) for n in (0, 3))
    assert add_seeds.comparable_settings(here) == add_seeds.comparable_settings(there)
    assert add_seeds.comparable_settings(here) != add_seeds.comparable_settings(quick_settings(tmp_path, epochs=9))


@pytest.mark.parametrize("damaged", ["{", '{"trainings": 3}'])
def test_a_damaged_history_is_said_before_the_training(command, damaged, capsys):
    call, folder, _ = command
    assert call("--fold", "0") == 0
    (folder / "run" / "history.json").write_text(damaged)
    capsys.readouterr()
    assert call("--fold", "0", "--seed", "1") == 1
    assert "history.json" in capsys.readouterr().err
    assert not (folder / "run.resume").exists()
