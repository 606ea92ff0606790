"""The commands `train` and `evaluate`, on a made-up corpus with a tiny encoder."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml

from segser_core.errors import ModelError
from segser_core.inference.predictor import Predictor
from segser_core.network.model import SegmentEmotionModel
from segser_core.runs.run import read_run
from tests.support.training import CORPUS_LABELS, quick_settings
from training import evaluate, train
from training.config.settings import to_yaml
from training.corpora import Corpus
from training.runs import evaluation, job


@pytest.fixture
def command(corpus, monkeypatch):
    """Call `train` on the made-up corpus; returns its exit status."""
    fold, folder = corpus
    monkeypatch.setattr(job, "load_corpus", lambda name, root, *_: Corpus(name, root, fold.manifest))
    monkeypatch.setattr(job, "folds", lambda found, protocol, **_: [fold])
    (folder / "a.yaml").write_text(to_yaml(quick_settings(folder, epochs=1)))

    def call(*options):
        return train.main(["--config", f"{folder}/a.yaml", "--root", f"{folder}", "--out", f"{folder}/run", *options])

    return call, folder


def test_a_run_folder_is_complete(command):
    call, folder = command
    assert call("--system", "seg") == 0
    run = read_run(folder / "run")
    assert run.system == "seg"
    assert run.labels == CORPUS_LABELS
    assert run.corpus == "ravdess"
    assert run.seeds == (0,)
    assert set(run.predictions["split"]) == {"dev", "test"}
    assert len(run.predictions) == 8
    rows = run.predictions.set_index("utterance_id")
    clip = rows.loc["21"]
    fresh = Predictor.from_pretrained(folder / "run").predict(folder / "21.wav", min_speech=0)
    assert clip["predicted"] == fresh.label
    assert clip["confidence"] == fresh.confidence
    assert clip["u_sad"] == fresh.utterance["sad"]
    assert clip["p_sad"] == fresh.probabilities["sad"]
    segments = run.segments[run.segments["utterance_id"] == "21"]
    assert segments["p_sad"].tolist() == [s.probabilities["sad"] for s in fresh.segments]
    vectors = run.embeddings()
    assert vectors.utterance.shape == (8, 32)
    assert len(vectors.segment) == len(run.segments)
    assert yaml.safe_load((folder / "run" / "config.yaml").read_text())["epochs"] == 1
    meta = json.loads((folder / "run" / "run.json").read_text())
    assert meta["aggregate"] == "max"
    assert meta["protocol"] == "ravdess-paper"
    assert meta["training_clips"] == 16
    assert not (folder / "run.resume").exists()


@pytest.mark.parametrize("system", ["layer-average", "p-tapt"])
def test_what_each_model_learned_stands_in_the_record_and_seeds_join(command, system):
    call, folder = command
    assert call("--system", system) == 0
    assert call("--system", system, "--seed", "1") == 0
    run = read_run(folder / "run")
    assert run.seeds == (0, 1)
    assert run.system == system
    assert run.meta["aggregate"] == "utterance"
    if system == "layer-average":
        weights = np.array(run.meta["layer_weights"])
        assert weights.shape == (2, 4)
        assert np.allclose(weights.sum(axis=1), 1)
        assert not np.allclose(*weights)
    else:
        first, second = run.meta["stages"]
        assert first["frozen"] == second["frozen"] == "both convolutions"
        assert "wav2vec v1" in first["stage_1"]
        assert first["tuned"]["loss"] != second["tuned"]["loss"]


def test_two_seeds_make_one_run(command):
    call, folder = command
    assert call("--seed", "0", "1") == 0
    run = read_run(folder / "run")
    assert run.seeds == (0, 1)
    assert len(run.predictions) == 16
    assert len(run.embeddings().utterance) == 8  # of the first seed
    models = [SegmentEmotionModel.from_folder(folder / f"run/checkpoint/seed-{s}/fold-0") for s in (0, 1)]
    assert (models[0].head.weight != models[1].head.weight).any()


def test_what_was_done_is_not_done_again(command, monkeypatch):
    """Stopped between training and evaluation: the next call only evaluates."""
    call, folder = command
    with monkeypatch.context() as patch:
        patch.setattr(job, "write_trained_run", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        assert call() == 130
    monkeypatch.setattr(job, "train_fold", lambda *_: pytest.fail("trained again"))
    assert call("--resume") == 0
    assert (folder / "run" / "run.json").exists()


def test_what_was_begun_with_other_settings_does_not_go_on(command, monkeypatch, capsys):
    call, _ = command
    with monkeypatch.context() as patch:
        patch.setattr(job, "write_trained_run", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        assert call("--system", "baseline") == 130
    assert call("--system", "seg", "--segment_frames", "60", "--stride_frames", "30", "--resume") == 1
    assert "begun with another system, segment_frames, stride_frames" in capsys.readouterr().err
    assert call("--system", "baseline", "--resume") == 0


def test_a_training_whose_loss_is_lost_ends_at_once(command, capsys):
    call, _ = command
    assert call("--learning_rate", "1e30", "--head_learning_rate", "1e30", "--gradient_clip", "1e30") == 1
    assert "the loss is no number any more at step" in capsys.readouterr().err


def test_a_dry_run_prints_the_plan_and_writes_nothing(command, capsys):
    call, folder = command
    assert call("--dry-run") == 0
    printed = capsys.readouterr().out
    assert "   0     16     4     4" in printed
    assert "parameters" in printed
    assert "GB" in printed
    assert not (folder / "run").exists()
    assert not (folder / "run.resume").exists()


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["--epochs", "0"], 2, "epochs is 0"),
        (["--fold", "7"], 2, "fold is [7]; expected 0 to 0"),
        (
            ["--encoder", "/nowhere/at/all"],
            2,
            "the encoder '/nowhere/at/all' cannot be loaded: there is no such folder",
        ),
        (["--encoder", "./nowhere"], 2, "the encoder './nowhere' cannot be loaded: there is no such folder"),
        (["--layer", "9"], 2, "layers 1 to 3"),
    ],
)
def test_a_wrong_call_is_one_line(command, capsys, options, status, message):
    call, folder = command
    assert call(*options) == status
    assert message in capsys.readouterr().err.splitlines()[-1]
    assert not (folder / "run.resume").exists()


def test_what_was_trained_is_kept_where_a_later_job_is_refused(command, monkeypatch):
    """An encoder that is gone after the first seed."""
    call, folder = command
    trained = job.train_fold

    def train_once(fold, store, settings, seed, *places):
        if seed:
            raise ModelError("the encoder is gone")
        return trained(fold, store, settings, seed, *places)

    monkeypatch.setattr(job, "train_fold", train_once)
    assert call("--seed", "0", "1") == 1
    assert (folder / "run.resume" / "seed-0" / "fold-0" / "checkpoint").is_dir()
    assert (folder / "run.resume" / "settings.yaml").is_file()


def test_evaluation_of_another_corpus(command, monkeypatch, caplog):
    """A clip that is broken and one of a foreign label are left out by name."""
    call, folder = command
    assert call() == 0
    clips = pd.DataFrame(
        {
            "utterance_id": ["a", "b", "c"],
            "path": ["1.wav", "broken.wav", "2.wav"],
            "label": ["sad", "neutral", "bored"],
            "speaker": ["s"] * 3,
        }
    )
    (folder / "broken.wav").write_text("no sound")
    monkeypatch.setattr(evaluation, "load_corpus", lambda name, root, *_: Corpus(name, root, clips))
    asked = ["--model", f"{folder}/run", "--corpus", "emodb", "--root", f"{folder}", "--split", "all"]
    assert evaluate.main([*asked, "--out", f"{folder}/other"]) == 0
    run = read_run(folder / "other")
    assert run.predictions["utterance_id"].tolist() == ["a"]
    assert run.corpus == "emodb"
    assert "broken.wav is left out" in caplog.text
    assert "1 clips have a label" in caplog.text
    np.testing.assert_allclose(run.predictions[["p_neutral", "p_sad"]].sum(axis=1), 1)
