"""Manifests whose rows are stretches of files: loaded, refused, trained, evaluated and heard as such."""

import numpy as np
import pandas as pd
import pytest

from pages.shared.runs.sound import clip_source
from segser_core.audio.excerpt import CLIP_END, CLIP_START, Excerpt
from segser_core.audio.loading import load_audio
from segser_core.audio.waveform import encode_wav
from segser_core.errors import CorpusError
from segser_core.inference.predictor import Predictor
from segser_core.network.pretrained import wrap_encoder
from segser_core.runs.run import read_run
from tests.support.networks import tiny_network
from tests.support.training import CORPUS_LABELS, quick_settings
from training import evaluate, train
from training.config.settings import Augmentation, to_yaml
from training.corpora import load_corpus
from training.corpora.decode_check import drop_undecodable
from training.corpora.fold import Fold
from training.features.batches import ClipDataset, ClipDraw
from training.features.store import FeatureStore

HEADER = "path,start,end,label,speaker\n"


@pytest.fixture
def files(tmp_path):
    """Three files of 2 s, the first second of each noise, the second one a tone."""
    g = np.random.default_rng(0)
    for name in "abc":
        tone = 0.1 * np.sin(np.arange(16_000) * 0.2)
        (tmp_path / f"{name}.wav").write_bytes(encode_wav(np.concatenate([g.normal(0, 0.1, 16_000), tone]), 0, 2))
    return tmp_path


def load(root, rows, header=HEADER):
    (root / "manifest.csv").write_text(header + rows)
    return load_corpus("manifest", root)


def test_a_row_is_a_stretch_of_a_file(files):
    rows = "a.wav,0,0.5,sad,1\na.wav,0.5,,happy,1\nb.wav,,,sad,2\nc.wav,0 days 00:00:00.25,0 days 00:00:01.5,sad,3\n"
    corpus = load(files, rows)
    assert corpus.left_out == ()
    table = corpus.manifest.set_index("utterance_id")
    assert table.index.tolist() == ["a@0-0.5", "a@0.5-end", "b", "c@0.25-1.5"]
    assert table["duration_s"].tolist() == [0.5, 1.5, 2.0, 1.25]
    np.testing.assert_array_equal(table[CLIP_START], [0, 0.5, np.nan, 0.25])
    np.testing.assert_array_equal(table[CLIP_END], [0.5, 2, np.nan, 1.5])
    assert "start" not in table


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("b.wav,0,1,sad,1\na.wav,1.5,1,sad,1\n", r"row 2 of the manifest \(a.wav\): the stretch of 1.5 to 1 s is none"),
        ("a.wav,1,1,sad,1\n", "the stretch of 1 to 1 s is none; expected 0 ≤ start < end, in seconds"),
        ("a.wav,-1,1,sad,1\n", "the stretch of -1 to 1 s is none"),
        ("a.wav,1,2.5,sad,1\n", "the stretch of 1 to 2.5 s lies beyond its file, which lasts 2.00 s; mend the row"),
        ("a.wav,2.5,,sad,1\n", "lies beyond its file"),
        (
            "a.wav,0,1500,sad,1\n",
            "lies beyond its file, which lasts 2.00 s; it would fit in milliseconds: give seconds",
        ),
        ("a.wav,zero,1,sad,1\n", r"manifest.csv, row 1: start is 'zero'; expected seconds"),
    ],
)
def test_a_wrong_stretch_is_refused_in_a_line(files, rows, message):
    with pytest.raises(CorpusError, match=message) as error:
        load(files, rows)
    assert "\n" not in str(error.value)


def test_a_start_without_an_end_is_refused(files):
    with pytest.raises(CorpusError, match="has no column end; a stretch of a file has start and end"):
        load(files, "a.wav,0,sad,1\n", "path,start,label,speaker\n")


def test_each_stretch_has_features_of_its_own(files):
    corpus = load(files, "a.wav,0,1,neutral,1\na.wav,1,2,sad,1\n")
    encoder = wrap_encoder(tiny_network("whisper"), frozen_layers=1)
    for folder in (None, files / "kept"):
        store = FeatureStore(files, folder)
        clips = ClipDataset(corpus.manifest, store, CORPUS_LABELS, encoder, Augmentation(), 0)
        noise, tone = (clips[ClipDraw(k, None, 0.0)].features for k in (0, 1))
        assert len(noise) == len(tone) == 50
        assert not np.allclose(noise, tone)
        np.testing.assert_allclose(store.waveform(clips.clips[1]), load_audio(files / "a.wav")[16_000:], atol=1e-4)


def test_a_stretch_before_the_end_of_a_cut_off_file_is_kept(files):
    rows = "a.wav,0,0.5,sad,1\na.wav,1.5,2,sad,2\nb.wav,0,0.05,sad,3\nb.wav,1,2,sad,2\nc.wav,0,1,sad,3\n"
    rows += "c.wav,1,2,happy,1\n"
    corpus = load(files, rows)
    (files / "a.wav").write_bytes((files / "a.wav").read_bytes()[: 44 + 32_000])  # 1 s of 2
    manifest = corpus.manifest.assign(split=corpus.manifest["speaker"].map({"1": "train", "2": "dev", "3": "test"}))
    (kept,) = drop_undecodable([Fold(0, ("happy", "sad"), manifest)], corpus, partial=True)
    assert {f.path: f.why for f in kept.left_out} == {
        "a.wav#t=1.5,2": "ends at 2.00 s, and the sound of its file at 1.00 s",
        "b.wav#t=0,0.05": "lasts only 50 ms; training takes 100 or more",
    }
    assert kept.manifest["utterance_id"].tolist() == ["a@0-0.5", "b@1-2", "c@0-1", "c@1-2"]


@pytest.fixture
def stretches(corpus):
    """The made-up corpus, its 24 clips one after the other in three files, as a manifest of stretches."""
    fold, folder = corpus
    rows = []
    for split, clips in fold.manifest.groupby("split"):
        samples, at_s = [], 0.0
        for row in clips.to_dict("records"):
            sound = load_audio(folder / row["path"])
            end_s = at_s + len(sound) / 16_000
            rows.append({**row, "path": f"{split}.wav", "start": at_s, "end": end_s, "alone": row["path"]})
            samples.append(sound)
            at_s = end_s
        joined = np.concatenate(samples)
        (folder / f"{split}.wav").write_bytes(encode_wav(joined, 0, 60))
    pd.DataFrame(rows).drop(columns="duration_s").to_csv(folder / "manifest.csv", index=False)
    return folder, {row["utterance_id"]: row["alone"] for row in rows}


def test_stretches_are_trained_and_evaluated_as_clips_of_their_own(stretches):
    folder, alone = stretches
    settings = quick_settings(folder, epochs=1, corpus="manifest", protocol="column:split", system="seg")
    (folder / "a.yaml").write_text(to_yaml(settings))
    places = ["--root", f"{folder}", "--out", f"{folder}/run"]
    assert train.main(["--config", f"{folder}/a.yaml", *places]) == 0
    run = read_run(folder / "run")
    assert len(run.predictions) == 8
    predictor = Predictor.from_pretrained(folder / "run")
    assert (
        evaluate.main(
            [
                "--model",
                f"{folder}/run",
                "--corpus",
                "manifest",
                "--root",
                f"{folder}",
                "--out",
                f"{folder}/scored",
                "--split",
                "all",
            ]
        )
        == 0
    )
    scored = read_run(folder / "scored").predictions
    assert len(scored) == 24
    for row in scored.itertuples():
        fresh = predictor.predict(folder / alone[row.utterance_id], min_speech=0)
        assert row.p_sad == pytest.approx(fresh.probabilities["sad"], abs=1e-4)
        assert row.duration_s == pytest.approx(fresh.duration_s, abs=1e-3)
        heard = clip_source(row, folder / row.path)
        assert isinstance(heard, Excerpt)
        np.testing.assert_allclose(load_audio(heard), load_audio(folder / alone[row.utterance_id]), atol=1e-4)
