"""Train on several corpora and on joined clips, from the settings to the run folder."""

import json

import numpy as np
import pandas as pd
import pytest
from transformers import WhisperFeatureExtractor

from segser_core.audio.waveform import encode_wav
from segser_core.errors import CorpusError, SettingError
from segser_core.inference.predictor import Predictor
from segser_core.runs.run import read_run
from tests.support.networks import tiny_network
from tests.support.training import quick_settings
from training.corpora.combine import clip_targets, load_combined_fold
from training.runs.evaluation import EvaluateRequest, requested_clips
from training.runs.job import TrainRequest, plan_jobs, train_run

FREQUENCIES = {"neutral": 0.05, "sad": 0.4, "happy": 1.2}


def write_corpus(folder, labels, seed):
    """Write a corpus of 6 speakers, two a split, each with three clips of every label, and votes."""
    folder.mkdir()
    draw, rows = np.random.default_rng(seed), []
    for speaker in range(6):
        for label in labels:
            for take in range(3):
                samples = int(draw.uniform(0.5, 0.9) * 16_000)
                sound = 0.2 * np.sin(np.arange(samples) * FREQUENCIES[label]) + draw.normal(0, 0.01, samples)
                name = f"s{speaker}-{label}-{take}"
                (folder / f"{name}.wav").write_bytes(encode_wav(sound, 0, 2))
                rows.append({"utterance_id": name, "path": f"{name}.wav", "label": label, "speaker": f"s{speaker}",
                             "split": ("train", "train", "dev", "dev", "test", "test")[speaker]})  # fmt: skip
    pd.DataFrame(rows).to_csv(folder / "manifest.csv", index=False)


@pytest.fixture
def corpora(tmp_path):
    """Two corpora whose speakers and clips have the same names; the second one knows no happiness."""
    write_corpus(tmp_path / "one", ("neutral", "sad", "happy"), 0)
    write_corpus(tmp_path / "two", ("neutral", "sad"), 1)
    tiny_network("whisper").save_pretrained(tmp_path / "encoder")
    WhisperFeatureExtractor().save_pretrained(tmp_path / "encoder")
    return tmp_path


def several(folder, **changes):
    parts = [{"name": "manifest", "alias": alias, "protocol": "column:split"} for alias in ("one", "two")]
    return quick_settings(folder, **{"corpora": parts, "joined": {"share": 0.5}, "best_by": "uar+time"} | changes)


def test_speakers_and_clips_of_one_name_are_kept_apart(corpora):
    fold = load_combined_fold(several(corpora), corpora)
    assert fold.labels == ("neutral", "happy", "sad")
    assert fold.manifest["speaker"].nunique() == 12
    assert fold.manifest["utterance_id"].is_unique
    assert set(fold.manifest["corpus"]) == {"one", "two"}
    assert all((corpora / path).is_file() for path in fold.manifest["path"])


def test_clips_of_other_labels_are_left_out_and_counted(corpora, caplog):
    fold = load_combined_fold(several(corpora, labels=["neutral", "sad"]), corpora)
    assert set(fold.manifest["label"]) == {"neutral", "sad"}
    assert "18 clips of one are left out" in caplog.text
    with pytest.raises(CorpusError, match="two has no clip of the labels happy"):
        load_combined_fold(several(corpora, labels=["happy"]), corpora)


def test_a_copy_in_another_split_of_another_corpus_is_refused(corpora):
    (corpora / "two" / "s5-sad-0.wav").write_bytes((corpora / "one" / "s0-sad-0.wav").read_bytes())
    with pytest.raises(CorpusError, match=r"one/s0-sad-0.wav \(train\) and two/s5-sad-0.wav \(test\) are the same"):
        load_combined_fold(several(corpora), corpora)


def test_names_that_differ_in_case_stay_apart_beside_another_corpus(corpora):
    file = corpora / "one" / "manifest.csv"
    table = pd.read_csv(file, dtype=str)
    table.assign(speaker=table["speaker"].replace({"s5": "S0"})).to_csv(file, index=False)
    parts = [
        {"name": "manifest", "alias": alias, "protocol": "column:split", "options": options}
        for alias, options in (("one", {"distinct_speakers": True}), ("two", {}))
    ]
    assert load_combined_fold(several(corpora, corpora=parts), corpora).manifest["speaker"].nunique() == 12
    parts[0]["options"] = {}
    with pytest.raises(CorpusError, match=r"the speakers S0 \(test\), s0 \(train\) differ in case"):
        load_combined_fold(several(corpora, corpora=parts), corpora)


def test_a_folder_cannot_be_in_two_splits_at_once(corpora):
    table = pd.read_csv(corpora / "one" / "manifest.csv", dtype=str)
    other = {"s0": "test", "s1": "test", "s2": "dev", "s3": "dev", "s4": "train", "s5": "train"}
    table.assign(other=table["speaker"].map(other)).to_csv(corpora / "one" / "manifest.csv", index=False)
    parts = [
        {"name": "manifest", "alias": "one", "protocol": "column:split"},
        {"name": "manifest", "alias": "again", "root": "./one", "protocol": "column:other"},
    ]
    with pytest.raises(CorpusError, match=r"54 recordings are in two splits, one/s0-happy-0\.wav among them"):
        load_combined_fold(several(corpora, corpora=parts), corpora)


def test_votes_for_a_class_that_a_corpus_lacks_do_not_count():
    rows = pd.DataFrame({"label": ["sad", "sad"], "corpus": ["a", "b"],
                         "votes_sad": [1, 1], "votes_happy": [3, 3]})  # fmt: skip
    targets = clip_targets(rows, ["happy", "sad"], {"a": ["sad"]}, {"a": 1.0, "b": 1.0})
    assert targets.known.tolist() == [[False, True], [True, True]]
    assert targets.shares.tolist() == [[0.0, 1.0], [0.75, 0.25]]


@pytest.mark.parametrize("system", ["seg+tri-w", "seg+tri-s", "seg"])
def test_a_system_trains_on_several_corpora_and_joined_clips(system, corpora):
    settings = several(corpora, system=system, average_decay=0.9, calibrated=True, epochs=3,
                       joined={"share": 0.5, "triplet_weight": 1.0})  # fmt: skip
    request = TrainRequest(settings=settings, root=corpora, out=corpora / "run")
    train_run(request, plan_jobs(request))
    run = read_run(corpora / "run")
    assert run.corpus == "one+two"
    assert run.protocol == "column:split+column:split"
    assert run.predictions.groupby("corpus").size().to_dict() == {"one": 36, "two": 24}
    clips = {"train": {"clips": 18, "speakers": 2}}
    assert run.meta["corpora"]["one"] == clips | dict.fromkeys(("dev", "test"), clips["train"])
    assert run.meta["longest_training_clip_s"] > 0.9
    history = json.loads((run.path / "history.json").read_text())["trainings"][0]
    assert [row["epoch"] for row in history["epochs"]] == [1, 2, 3]
    figures = {"development_uar_one", "development_uar_two", "development_share_of_time", "nll", "learning_rate"}
    assert figures <= set(history["epochs"][0])
    best = max(history["epochs"], key=lambda row: row["development_uar+time"])
    assert history["kept_epoch"] == best["epoch"]
    assert Predictor.from_pretrained(run.path).model.config.calibration_temperature != 1.0


def test_a_model_of_several_corpora_is_evaluated_on_its_own_fold_of_one(corpora):
    """Else the speakers that trained it would be scored, too."""
    parts = [{"name": "manifest", "alias": "one", "protocol": "column:speaker", "fold": 4},
             {"name": "manifest", "alias": "two", "protocol": "column:split"}]  # fmt: skip
    request = TrainRequest(settings=several(corpora, corpora=parts, epochs=1), root=corpora, out=corpora / "run")
    train_run(request, plan_jobs(request))
    run = read_run(corpora / "run")
    own = run.predictions[(run.predictions["corpus"] == "one") & (run.predictions["split"] == "test")]
    how = {"model": str(run.path), "corpus": "manifest", "root": corpora / "one", "protocol": "column:speaker"}
    scored = requested_clips(EvaluateRequest(**how, out=corpora / "there"), run.labels)
    assert set(scored["speaker"]) == {name.removeprefix("one/") for name in own["speaker"]}
    assert len(scored) == len(own) == 9


def test_a_baseline_cannot_learn_from_joined_clips(corpora):
    with pytest.raises(SettingError, match=r"joined\.share is 0\.5; expected 0 for baseline"):
        several(corpora, system="baseline")
