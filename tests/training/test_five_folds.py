"""The paper's experiment by one command, on the built IEMOCAP with a tiny wav2vec2: five folds, one run."""

import json

import pytest
from transformers import Wav2Vec2FeatureExtractor

from segser_core.inference.predictor import Predictor
from segser_core.runs.run import read_run
from tests.support.made_corpora import make_iemocap
from tests.support.networks import tiny_network
from tests.support.paths import ROOT
from training import train
from training.runs import job

CONFIG = str(ROOT / "training" / "configs" / "iemocap.yaml")
SMALL = ["--segment-frames", "8", "--stride-frames", "4", "--epochs", "1"]  # of hums that are half a second long


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with the corpus, an encoder, and a run of `seg+tri-s` in the place that is meant where none is named."""
    place = tmp_path_factory.mktemp("place")
    make_iemocap(place / "iemocap")
    tiny_network("wav2vec2").save_pretrained(place / "encoder")
    Wav2Vec2FeatureExtractor().save_pretrained(place / "encoder")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        asked = ["--config", CONFIG, "--system", "seg+tri-s", "--root", "iemocap", "--encoder", "encoder", "--partial"]
        assert train.main([*asked, *SMALL]) == 0
    return place


@pytest.fixture(scope="module")
def run(place):
    """The run, as the app reads it."""
    return read_run(place / "runs" / "iemocap" / "seg+tri-s")


def test_every_session_is_tested_once(run):
    test = run.predictions[run.predictions["split"] == "test"]
    assert run.labels == ("neutral", "happy", "sad", "angry")
    assert run.system == "seg+tri-s"
    assert test["utterance_id"].is_unique
    assert len(test) == 150
    assert [set(test.loc[test["fold"] == k, "session"]) for k in range(5)] == [{str(k + 1)} for k in range(5)]
    dev = run.predictions[run.predictions["split"] == "dev"]
    assert [set(dev.loc[dev["fold"] == k, "session"]) for k in range(5)] == [{"2"}, {"3"}, {"4"}, {"5"}, {"1"}]
    for k in range(5):
        assert not {*dev.loc[dev["fold"] == k, "speaker"]} & {*test.loc[test["fold"] == k, "speaker"]}
    assert test["label"].value_counts()["happy"] == 60  # excited among them
    assert (run.segments["segment"] > 0).any()


def test_metrics_are_pooled_and_by_fold(place, run):
    metrics = json.loads((run.path / "metrics.json").read_text())
    for name in ("uar", "accuracy", "macro_f1"):
        assert len(metrics[name]["per_fold"]) == 5
        assert metrics[name]["mean_of_folds"] == pytest.approx(sum(metrics[name]["per_fold"]) / 5)
    test = run.predictions[run.predictions["split"] == "test"]
    assert metrics["accuracy"]["pooled"] == pytest.approx((test["label"] == test["predicted"]).mean())
    recalls = [(rows["predicted"] == label).mean() for label, rows in test.groupby("label")]
    assert metrics["uar"]["pooled"] == pytest.approx(sum(recalls) / 4)


def test_what_was_left_out_is_recorded(run):
    meta = json.loads((run.path / "run.json").read_text())
    assert meta["protocol"] == "iemocap-session"
    assert meta["corpus_options"] == {"excited": "in"}
    assert meta["left_out"]["there is no such file"] == [
        "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F200.wav"
    ]
    assert sum(len(paths) for paths in meta["left_out"].values()) == 10
    config = (run.path / "config.yaml").read_text()
    assert "partial: true" in config
    assert "segment_frames: 8" in config


def test_each_fold_s_model_hears_as_it_was_scored(place, run):
    clip = run.predictions[(run.predictions["fold"] == 3) & (run.predictions["split"] == "test")].iloc[0]
    predictor = Predictor.from_pretrained(run.path / "checkpoint" / "seed-0" / "fold-3")
    fresh = predictor.predict(place / "iemocap" / clip["path"], min_speech=0)
    assert fresh.label == clip["predicted"]
    assert fresh.confidence == clip["confidence"]


def test_an_incomplete_corpus_is_refused_before_anything_is_written(place, capsys, monkeypatch):
    monkeypatch.chdir(place)
    asked = ["--config", CONFIG, "--system", "seg", "--root", "iemocap", "--encoder", "encoder", *SMALL]
    assert train.main(asked) == 1
    assert "neutral 30 of 1708" in capsys.readouterr().err
    assert not (place / "runs" / "iemocap" / "seg").exists()


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["--fold", "0", "7"], 2, "fold is [0, 7]; expected 0 to 4"),
        (["--seed", "0", "-1"], 2, "seed is -1; expected 0 or more"),
        (["--protocol", "column:style"], 1, "column style holds improvised, scripted; expected three groups"),
        (["--protocol", "column:dialogue"], 1, "speaker Ses01_F is in"),
        (["--corpus-options.excited", "perhaps"], 2, "excited is 'perhaps'; expected in or out"),
        (["--corpus-options.sessions", "5"], 2, "'sessions' is unknown for iemocap; known: excited"),
    ],
)
def test_a_wrong_call_is_one_line_before_the_first_step(place, capsys, monkeypatch, options, status, message):
    monkeypatch.chdir(place)
    monkeypatch.setattr(job, "run_job", lambda *_: pytest.fail("a training began"))
    asked = ["--config", CONFIG, "--system", "seg", "--root", "iemocap", "--encoder", "encoder", "--partial"]
    assert train.main([*asked, *options]) == status
    assert message in capsys.readouterr().err.splitlines()[-1]
