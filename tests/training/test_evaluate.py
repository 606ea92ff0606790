"""`training.evaluate` over a long corpus: in parts that outlast a stop, here or on Ray."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from segser_core.network.model import SegmentEmotionModel
from segser_core.runs.run import read_run
from tests.support.training import CORPUS_LABELS
from training import evaluate
from training.runs import evaluation, scoring
from training.runs.job import save_checkpoint


@pytest.fixture
def command(corpus, monkeypatch):
    """Calls `training.evaluate` on 24 clips in parts of 5, by a model that learned nothing; returns its exit status."""
    fold, folder = corpus
    fold.manifest.to_csv(folder / "manifest.csv", index=False)
    model = SegmentEmotionModel.from_encoder(
        str(folder / "encoder"), labels=list(CORPUS_LABELS), system="seg", segment_frames=16, stride_frames=8
    )
    save_checkpoint(model, folder / "model")
    monkeypatch.setattr(evaluation, "PART", 5)

    def call(*options, out="run", model="model"):
        places = ["--model", f"{folder}/{model}", "--root", f"{folder}", "--out", f"{folder}/{out}"]
        return evaluate.main([*places, "--corpus", "manifest", "--split", "all", *options])

    return call, folder


def stop_after(n: int, monkeypatch) -> list[str]:
    """From now on the n-th clip is the last before an interrupt; returns the paths that were scored, as they come."""
    heard, real = [], scoring.score_clip

    def score(predictor, path, decoded, speaker):
        if len(heard) == n:
            raise KeyboardInterrupt
        heard.append(path)
        return real(predictor, path, decoded, speaker)

    monkeypatch.setattr(scoring, "score_clip", score)
    return heard


def assert_equal(one, other):
    """Two runs hold the same rows in the same order, and the same vectors."""
    pd.testing.assert_frame_equal(one.predictions, other.predictions)
    pd.testing.assert_frame_equal(one.segments, other.segments)
    for name, array in vars(one.embeddings()).items():
        np.testing.assert_array_equal(array, vars(other.embeddings())[name])


def test_after_a_stop_only_the_rest_is_scored(command, monkeypatch):
    call, folder = command
    assert call() == 0
    with monkeypatch.context() as patch:
        stop_after(13, patch)
        assert call(out="stopped") == 130
    assert not (folder / "stopped").exists()
    assert [p.name for p in sorted((folder / ".stopped.parts").iterdir())] == ["000000", "000001"]
    heard = stop_after(99, monkeypatch)
    assert call("--resume", out="stopped") == 0
    assert len(heard) == 14
    assert not (folder / ".stopped.parts").exists()
    assert_equal(read_run(folder / "run"), read_run(folder / "stopped"))


@pytest.mark.parametrize("file", ["predictions.parquet", "embeddings.npz", "run.json"])
def test_a_torn_part_is_scored_again(command, monkeypatch, file):
    call, folder = command
    with monkeypatch.context() as patch:
        stop_after(13, patch)
        assert call() == 130
    torn = folder / ".run.parts" / "000001" / file
    torn.write_bytes(torn.read_bytes()[:-40])
    heard = stop_after(99, monkeypatch)
    assert call("--resume") == 0
    assert len(heard) == 19
    assert read_run(folder / "run").predictions["utterance_id"].is_unique


@pytest.mark.parametrize("change", ["model", "clips", "no --resume"])
def test_parts_of_another_evaluation_are_not_taken(command, monkeypatch, change):
    call, folder = command
    with monkeypatch.context() as patch:
        stop_after(13, patch)
        assert call() == 130
    if change == "model":
        model = SegmentEmotionModel.from_folder(folder / "model")
        model.head.weight.data += 0.1
        save_checkpoint(model, folder / "model")
    if change == "clips":
        pd.read_csv(folder / "manifest.csv", dtype=str).iloc[1:].to_csv(folder / "manifest.csv", index=False)
    heard = stop_after(99, monkeypatch)
    assert call(*([] if change == "no --resume" else ["--resume"])) == 0
    assert len(heard) == (23 if change == "clips" else 24)


def test_clips_that_cannot_be_read_are_left_out(command, caplog):
    """A part of nothing else, too."""
    call, folder = command
    names = pd.read_csv(folder / "manifest.csv", dtype=str)
    order = sorted(names["utterance_id"])
    for name in order[5:10]:
        (folder / f"{name}.wav").write_text("no sound")
    assert call() == 0
    assert read_run(folder / "run").predictions["utterance_id"].tolist() == order[:5] + order[10:]
    assert caplog.text.count("is left out") == 5
    for name in order:
        (folder / f"{name}.wav").write_text("no sound")
    assert call(out="none") == 1
    assert not (folder / "none").exists()


def test_a_model_of_a_fold_is_tested_on_that_fold_alone(command):
    """The test clips of the other folds are of speakers whom it was trained on."""
    call, folder = command
    place = folder / "trained" / "checkpoint" / "seed-0" / "fold-1"
    shutil.copytree(folder / "model", place)
    told = {"corpus": "manifest", "protocol": "column:speaker", "labels": CORPUS_LABELS}
    (folder / "trained" / "run.json").write_text(json.dumps(told))
    asked = ("--split", "test", "--protocol", "column:speaker", "--one-class")  # each speaker has one
    assert call(*asked, model=place.relative_to(folder)) == 0
    assert call(*asked, out="new") == 0
    one, all_of_them = (read_run(folder / name).predictions["speaker"].unique() for name in ("run", "new"))
    assert list(one) == [sorted(all_of_them)[1]]
    assert len(all_of_them) > 2


@pytest.mark.slow
def test_ray_gives_the_same_rows(command, caplog):
    pytest.importorskip("ray", reason="Ray Data is not installed: pip install '.[ray]'")
    call, folder = command
    (folder / "3.wav").write_text("no sound")
    assert call() == 0
    assert call("--engine", "ray", out="ray") == 0
    one, other = read_run(folder / "run"), read_run(folder / "ray")
    assert list(one.predictions) == list(other.predictions)
    assert len(other.predictions) == 23
    pd.testing.assert_frame_equal(one.predictions, other.predictions, atol=1e-6)
    pd.testing.assert_frame_equal(one.segments, other.segments, atol=1e-6)
    np.testing.assert_allclose(one.embeddings().segment, other.embeddings().segment, atol=1e-3)
    assert caplog.text.count("3.wav is left out") == 2


def relabel(folder, labels):
    """Write other labels into the manifest, one after the other."""
    table = pd.read_csv(folder / "manifest.csv", dtype=str)
    table["label"] = [labels[i % len(labels)] for i in range(len(table))]
    table.to_csv(folder / "manifest.csv", index=False)


def test_labels_that_the_model_does_not_know_are_named_with_their_counts(command, caplog, capsys):
    call, folder = command
    relabel(folder, ["neutral", "Trauer", "Wut", "wutt"])
    assert call() == 0
    assert (
        "12 clips have a label that the model does not know (of 24): angry 6, wutt 6; it knows neutral, sad"
        in caplog.text
    )
    assert "over 2 classes, accuracy" in capsys.readouterr().out
    assert call("--corpus-options.labels", "{Wut: sad, wutt: neutral}", out="told") == 0
    assert len(read_run(folder / "told").predictions) == 24
    assert "does not know" not in caplog.text.split("labels are read so")[-1]


def test_a_score_over_one_class_is_refused_unless_it_is_asked_for(command, capsys):
    call, folder = command
    relabel(folder, ["neutral", "Neid"])
    assert call() == 1
    assert (
        capsys.readouterr().err.splitlines()[-1].startswith("only neutral 12 is left to score, and a recall over one")
    )
    assert not (folder / "run").exists()
    assert call("--one-class") == 0
    assert "over 1 of 2 classes (neutral), accuracy" in capsys.readouterr().out
    relabel(folder, ["Neid"])
    assert call("--one-class", out="none") == 1
    assert "no clip of manifest" in capsys.readouterr().err


def test_labels_are_those_of_the_model_however_it_spells_them(command):
    call, folder = command
    model = SegmentEmotionModel.from_encoder(
        str(folder / "encoder"), labels=["Neutral", "sadness"], system="seg", segment_frames=16, stride_frames=8
    )
    save_checkpoint(model, folder / "other")
    assert call(model="other") == 0
    assert read_run(folder / "run").predictions["label"].value_counts().to_dict() == {"Neutral": 12, "sadness": 12}


def test_an_unknown_model_or_corpus_is_a_wrong_call(command, capsys):
    call, folder = command
    assert call(model="absent") == 2
    assert "absent' is no model" in capsys.readouterr().err
    assert call("--corpus", "nonesuch") == 2
    assert "corpus 'nonesuch' is unknown" in capsys.readouterr().err
    assert not (folder / "run").exists()
