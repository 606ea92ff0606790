"""`training.evaluate` on recordings whose emotion changes: what it writes, against `analyze`, and after a stop."""

import json

import numpy as np
import pandas as pd
import pytest

from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.audio.loading import load_audio
from segser_core.inference.predictor import Predictor
from segser_core.network.model import SegmentEmotionModel
from segser_core.prediction.stretches import stretches_from_json
from segser_core.runs.run import read_run
from segser_core.statistics.diarization_report import diarization_to_json
from segser_core.statistics.emotion_diarization import diarization_by_context
from tests.support.training import CORPUS_LABELS, quick_settings
from training import evaluate, train
from training.config.settings import to_yaml
from training.corpora import load_corpus
from training.corpora.join_changing import ChangingSettings, join_changing
from training.corpora.protocols import clips_of_split
from training.runs import evaluation, scoring
from training.runs.job import save_checkpoint


@pytest.fixture(params=["seg", "baseline"])
def command(corpus, monkeypatch, request):
    """Calls `training.evaluate` on 7 made recordings in parts of 3; returns its exit status."""
    fold, folder = corpus
    fold.manifest.assign(speaker=fold.manifest["split"]).to_csv(folder / "manifest.csv", index=False)
    short = load_corpus("manifest", folder)
    made = folder / "made"
    join_changing(short, clips_of_split(short, "test"), ChangingSettings(recordings=7, most=3), made)
    model = SegmentEmotionModel.from_encoder(
        str(folder / "encoder"), labels=list(CORPUS_LABELS), system=request.param, segment_frames=16, stride_frames=8
    )
    model.head.weight.data *= 40  # so that labels differ from segment to segment
    save_checkpoint(model, folder / "model")
    monkeypatch.setattr(evaluation, "PART", 3)

    def call(*options, out="run"):
        places = ["--model", f"{folder}/model", "--root", str(made), "--out", f"{folder}/{out}"]
        return evaluate.main([*places, "--corpus", "manifest", *options])

    return call, folder


def stop_after_four(patch: pytest.MonkeyPatch) -> None:
    """From now on an interrupt comes after the fourth recording: one part is whole, the second is not."""
    real, heard = scoring.score_stretches, []

    def score(*what):
        if len(heard) == 4:
            raise KeyboardInterrupt
        heard.append(what)
        return real(*what)

    patch.setattr(scoring, "score_stretches", score)


def test_the_run_holds_what_analyze_says_of_the_whole_and_of_each_stretch(command):
    call, folder = command
    assert call() == 0
    run, predictor = read_run(folder / "run"), Predictor.from_pretrained(folder / "model")
    assert len(run.predictions) == 7
    for row in run.predictions.to_dict("records"):
        samples = load_audio(folder / "made" / row["path"])
        stretches = stretches_from_json(row["stretches"])
        of = run.stretches[run.stretches["utterance_id"] == row["utterance_id"]].to_dict("records")
        assert [(r["start_s"], r["end_s"], r["label"]) for r in of] == [
            (s.start_s, s.end_s, s.label) for s in stretches
        ]
        segments = run.segments[run.segments["utterance_id"] == row["utterance_id"]]
        for context, side, column in (("clip", "p", "alone"), ("segment", "i", "alone_isolated")):
            whole = predictor.predict(samples, context=context, min_speech=0)
            expected = [[s.probabilities[c] for c in run.labels] for s in whole.segments]
            np.testing.assert_allclose(segments[[f"{side}_{c}" for c in run.labels]], expected, atol=1e-5)
            for found in of:
                start, end = (round(found[name] * SAMPLE_RATE_HZ) for name in ("start_s", "end_s"))
                alone = predictor.predict(samples[start:end], context=context, min_speech=0)
                assert found[column] == alone.label
                assert [found[f"{side}_{c}"] for c in run.labels] == pytest.approx(list(alone.probabilities.values()))


def test_metrics_json_holds_both_contexts(command):
    call, folder = command
    assert call() == 0
    run = read_run(folder / "run")
    when = json.loads((folder / "run" / "metrics.json").read_text())["when"]
    assert when == json.loads(json.dumps(diarization_to_json(diarization_by_context(run), run.labels)))
    assert list(when) == ["clip", "segment"]
    assert when["clip"]["share_of_time"]["value"] + when["clip"]["eder"]["value"] == pytest.approx(1)
    assert when["clip"]["recordings"] == 7
    assert when["clip"]["ceiling"] is not None


def test_after_a_stop_the_run_is_the_same(command, monkeypatch):
    call, folder = command
    assert call() == 0
    with monkeypatch.context() as patch:
        stop_after_four(patch)
        assert call(out="stopped") == 130
    assert call("--resume", out="stopped") == 0
    one, other = read_run(folder / "run"), read_run(folder / "stopped")
    for name in ("predictions", "segments", "stretches"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))


def test_parts_of_another_truth_are_not_taken(command, monkeypatch):
    call, folder = command
    with monkeypatch.context() as patch:
        stop_after_four(patch)
        assert call() == 130
    table = pd.read_csv(folder / "made" / "manifest.csv", dtype=str, keep_default_na=False)
    table.loc[0, "stretches"] = '[[0, 0.3, "sad"], [0.3, 0.6, "neutral"]]'
    table.to_csv(folder / "made" / "manifest.csv", index=False)
    assert call("--resume") == 0
    assert stretches_from_json(read_run(folder / "run").predictions["stretches"][0])[0].end_s == 0.3


def test_recordings_that_cannot_be_scored_are_left_out(command, caplog):
    """A label that the model does not know, and a stretch too short to be heard; a clip without stretches stays."""
    call, folder = command
    table = pd.read_csv(folder / "made" / "manifest.csv", dtype=str, keep_default_na=False)
    table.loc[0, "stretches"] = '[[0, 0.3, "bored"], [0.3, 0.6, "sad"]]'
    table.loc[1, "stretches"] = '[[0, 0.3, "sad"], [0.3, 0.31, "neutral"]]'
    table.loc[2:4, "stretches"] = ""
    table.to_csv(folder / "made" / "manifest.csv", index=False)
    assert call() == 0
    assert "1 clips have a label that the model does not know" in caplog.text
    assert "lasts only 10 ms" in caplog.text
    run = read_run(folder / "run")
    assert len(run.predictions) == 5
    assert run.stretches["utterance_id"].nunique() == 2
    assert not run.segments["i_sad"].isna().any()
    assert json.loads((folder / "run" / "metrics.json").read_text())["when"]["clip"]["recordings"] == 2


def test_a_corpus_without_stretches_has_none(command):
    call, folder = command
    table = pd.read_csv(folder / "made" / "manifest.csv", dtype=str, keep_default_na=False)
    table.assign(stretches="").to_csv(folder / "made" / "manifest.csv", index=False)
    assert call() == 0
    run = read_run(folder / "run")
    assert run.stretches is None
    assert "stretches" not in run.predictions
    assert "i_sad" not in run.segments
    assert "when" not in json.loads((folder / "run" / "metrics.json").read_text())


def test_a_training_scores_the_stretches_of_its_own_test_clips(corpus, caplog):
    """Two of the test clips have stretches, one of them of a label that is no class."""
    fold, folder = corpus
    stretches = ["", '[[0, 0.2, "sad"], [0.2, 0.4, "neutral"]]', '[[0, 0.4, "bored"]]', ""]
    fold.manifest.assign(stretches=[""] * 20 + stretches).to_csv(folder / "manifest.csv", index=False)
    settings = quick_settings(folder, corpus="manifest", protocol="column:split", epochs=1)
    (folder / "a.yaml").write_text(to_yaml(settings))
    assert train.main(["--config", f"{folder}/a.yaml", "--root", f"{folder}", "--out", f"{folder}/run"]) == 0
    assert "1 clips have stretches of a label that the model does not know" in caplog.text
    run = read_run(folder / "run")
    assert (run.predictions["stretches"] != "").sum() == 1
    assert len(run.stretches) == 2
    assert json.loads((folder / "run" / "metrics.json").read_text())["when"]["segment"]["recordings"] == 1


@pytest.mark.slow
def test_ray_gives_the_same_rows(command):
    pytest.importorskip("ray", reason="Ray Data is not installed: pip install '.[ray]'")
    call, folder = command
    assert call() == 0
    assert call("--engine", "ray", out="ray") == 0
    one, other = read_run(folder / "run"), read_run(folder / "ray")
    for name in ("predictions", "segments", "stretches"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), atol=1e-6)
