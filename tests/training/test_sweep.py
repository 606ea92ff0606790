"""The command `training.runs.sweeping`, on a made-up corpus with a tiny encoder."""

import json

import pandas as pd
import pytest

from segser_core.errors import CorpusError, SettingError
from segser_core.statistics.metrics import confusion_matrix, uar
from tests.support.training import CORPUS_LABELS, quick_settings
from training import sweep
from training.config.settings import to_yaml
from training.corpora import Corpus
from training.corpora.fold import DevelopmentFold, Fold
from training.runs import job as job_module
from training.runs import sweep_folder, sweeping


@pytest.fixture
def command(corpus, monkeypatch):
    """Calls `training.runs.sweeping` on the made-up corpus; returns its exit status."""
    fold, folder = corpus
    monkeypatch.setattr(job_module, "load_corpus", lambda name, root, *_: Corpus(name, root, fold.manifest))
    monkeypatch.setattr(job_module, "folds", lambda found, protocol, **_: [fold])
    (folder / "a.yaml").write_text(to_yaml(quick_settings(folder, epochs=1)))
    for clip in fold.split("test")["path"]:
        (folder / clip).unlink()  # nothing may ask for them

    def call(what, *options):
        fixed = ["--config", f"{folder}/a.yaml", "--root", f"{folder}", "--out", f"{folder}/found"]
        return sweep.main([what, *fixed, *options])

    return call, folder / "found"


def test_each_value_is_scored_on_development_clips_alone(command, capsys):
    call, out = command
    assert call("segment-size", "--values", "16", "8", "--share", "0.5") == 0
    found = sweep_folder.read_sweep(out)
    assert found["sweep"] == "segment-size"
    assert found["system"] == "seg+tri-w"
    assert found["corpus"] == "ravdess"
    assert (found["training_clips"], found["development_clips"], found["share"]) == (8, 4, 0.5)
    assert "same development clips" in found["epoch"]
    assert "segment_frames" not in found["settings"]
    assert [row["value"] for row in found["values"]] == [8, 16]
    for row in found["values"]:
        rows = pd.read_parquet(out / "predictions" / f"{row['value']:g}-seed-0.parquet")
        assert set(rows["split"]) == {"dev"}
        assert len(rows) == row["clips"] == 4
        assert row["uar"] == uar(confusion_matrix(rows["label"].tolist(), rows["predicted"].tolist(), CORPUS_LABELS))
        assert row["low"] <= row["uar"] <= row["high"]
        assert row["uar_per_seed"] == [row["uar"]]
    table = pd.read_csv(out / "sweep.csv")
    assert table["uar"].tolist() == [row["uar"] for row in found["values"]]
    assert "segment_frames 16, seed 0: development UAR" in capsys.readouterr().out
    assert not out.with_name("found.resume").exists()


def test_what_is_done_is_not_done_again(command, monkeypatch):
    """Two seeds and a further value join; those that are there stay as they are."""
    call, out = command
    assert call("alpha", "--values", "0.5") == 0
    trained, original = [], sweeping.run_job

    def spy(job, store, how, logs):
        trained.append((how.alpha, job.seed))
        original(job, store, how, logs)

    monkeypatch.setattr(sweeping, "run_job", spy)
    assert call("alpha", "--values", "0.1", "0.5", "--seed", "0", "1") == 0
    assert trained == [({"seg+tri-w": 0.1}, 0), ({"seg+tri-w": 0.1}, 1), ({"seg+tri-w": 0.5}, 1)]
    rows = {row["value"]: row for row in sweep_folder.read_sweep(out)["values"]}
    assert rows[0.5]["seeds"] == [0, 1]
    assert len(rows[0.5]["uar_per_seed"]) == 2
    assert rows[0.5]["clips"] == 4
    trained.clear()
    assert call("alpha", "--values", "0.1", "0.5") == 0
    assert trained == []


def test_a_stopped_value_goes_on(command, monkeypatch):
    call, out = command
    with monkeypatch.context() as patch:
        patch.setattr(sweeping, "score_manifest", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        assert call("alpha", "--values", "0.5") == 130
    assert sweep_folder.read_sweep(out)["values"] == []
    monkeypatch.setattr("training.runs.job.train_fold", lambda *_: pytest.fail("trained again"))
    assert call("alpha", "--values", "0.5") == 0
    assert len(sweep_folder.read_sweep(out)["values"]) == 1


def test_other_settings_do_not_join(command, capsys):
    call, out = command
    assert call("alpha", "--values", "0.5") == 0
    before = (out / "sweep.json").read_bytes()
    assert call("alpha", "--values", "0.1", "--epochs", "2", "--share", "0.5") == 1
    message = capsys.readouterr().err
    assert "epochs 2, there 1" in message
    assert "share 0.5, there 1.0" in message
    assert (out / "sweep.json").read_bytes() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["alpha", "--values", "1.5"], "alpha.seg+tri-w is 1.5"),
        (["alpha", "--system", "seg"], "one with a triplet loss, which α weighs: tri-w"),
        (["segment-size", "--system", "baseline"], "one that learns from segments: seg"),
        (["segment-size", "--values", "7.5"], "whole number of frames"),
        (["segment-size", "--values", "1e400"], "segment_frames is inf; expected a whole number of frames"),
        (["segment-size", "--values", "nan"], "segment_frames is nan; expected a whole number of frames"),
        (["alpha", "--values", "1e400"], "alpha.seg+tri-w is inf; expected 1 or less"),
        (["alpha", "--values", "nan"], "alpha.seg+tri-w is nan"),
        (["alpha", "--encoder", "/nowhere"], "there is no such folder"),
        (["alpha", "--fold", "3"], "fold is 3; expected one of 0"),
        (["alpha", "--share", "0"], "share is 0.0"),
        (["alpha", "--share", "0.01"], "without a clip"),
    ],
)
def test_a_wrong_call_is_one_line_and_leaves_nothing(command, capsys, options, message):
    call, out = command
    assert call(*options) == 2
    assert message in capsys.readouterr().err.splitlines()[-1]
    assert not out.exists()


def test_a_strange_folder_is_left_alone(command, capsys):
    call, out = command
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    assert call("alpha") == 1
    assert "holds no sweep.json" in capsys.readouterr().err
    (out / "sweep.json").write_text(json.dumps({"format": 7, "settings": {}, "values": []}))
    assert call("alpha") == 1
    assert "format 7" in capsys.readouterr().err


def test_a_fold_of_development_cannot_hold_test_clips(corpus):
    fold, _ = corpus
    assert set(fold.without_test().manifest["split"]) == {"train", "dev"}
    with pytest.raises(CorpusError, match="holds test clips"):
        DevelopmentFold(0, CORPUS_LABELS, fold.manifest)


def test_a_share_keeps_classes_and_speakers_in_proportion():
    rows = [
        {"utterance_id": f"{s}{c}{i}", "label": c, "speaker": s, "split": "train"}
        for s, n in (("a", 40), ("b", 20))
        for c, more in (("sad", 1), ("neutral", 3))
        for i in range(n * more)
    ]
    dev = [{"utterance_id": f"dev{i}", "label": "sad", "speaker": "d", "split": "dev"} for i in range(7)]
    whole = Fold(
        0, CORPUS_LABELS, pd.DataFrame([*rows, *dev, {**dev[0], "speaker": "t", "split": "test"}])
    ).without_test()
    part = sweeping.draw_share(whole, 0.25)
    counts = part.split("train").groupby(["speaker", "label"]).size()
    assert counts.to_dict() == {("a", "neutral"): 30, ("a", "sad"): 10, ("b", "neutral"): 15, ("b", "sad"): 5}
    assert part.split("dev").equals(whole.split("dev"))
    assert sweeping.draw_share(whole, 0.25).manifest.equals(part.manifest)
    assert not sweeping.draw_share(whole, 0.25, seed=1).manifest.equals(part.manifest)
    assert sweeping.draw_share(whole, 1.0).manifest.equals(whole.manifest.reset_index(drop=True))
    with pytest.raises(SettingError, match="above 0"):
        sweeping.draw_share(whole, 1.2)
