"""CREMA-D's loader and protocols, on the real corpus where it is at hand and on small trees built here."""

import numpy as np
import pandas as pd
import pytest

from segser_core.errors import CorpusError
from tests.support.made_corpora import write_hum
from tests.support.paths import SHARED
from training.corpora import COLUMNS, Corpus, load_corpus
from training.corpora.corpus import Misfit
from training.corpora.cremad import (
    BLANK_RECORDING,
    CREMAD_ACTORS,
    CREMAD_COUNTS,
    CREMAD_LABELS,
    VOTE_COLUMNS,
    parse_cremad_name,
)
from training.corpora.protocols import default_protocol, folds


@pytest.fixture(scope="module")
def whole() -> Corpus:
    folder = SHARED / "data" / "cremad"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not at hand")
    return load_corpus("cremad", folder)


@pytest.fixture
def small(tmp_path) -> Corpus:
    """Three clips, of which raters agree on one, are torn over one and never heard one; and what is left out."""
    for name in ("1001_DFA_ANG_XX", "1002_IEO_HAP_HI", "1040_ITH_SAD_X", BLANK_RECORDING, "1092_DFA_ANG_XX"):
        write_hum(tmp_path / f"{name}.wav", 1, 0.3)
    (tmp_path / "actors.csv").write_text("actor,age,sex\n1001,51,male\n1002,21,female\n")
    (tmp_path / "votes_audio.csv").write_text(
        "file,angry,disgust,fearful,happy,neutral,sad\n1001_DFA_ANG_XX,6,2,0,0,2,0\n1002_IEO_HAP_HI,0,0,0,4,4,1\n"
    )
    return load_corpus("cremad", tmp_path)


def test_the_whole_corpus(whole):
    manifest = whole.manifest
    assert tuple(manifest.columns) == (*COLUMNS, "age", "heard", "agreement", *VOTE_COLUMNS)
    assert len(manifest) == sum(CREMAD_COUNTS.values()) == 7441
    assert manifest["label"].value_counts().to_dict() == whole.expected
    assert manifest.groupby("gender")["speaker"].nunique().to_dict() == {"female": 43, "male": 48}
    assert manifest["text"].nunique() == 12
    assert manifest["style"].value_counts().to_dict() == {"unspecified": 6076, "low": 455, "medium": 455, "high": 455}
    (by_speaker,) = whole.further
    assert {(s,): n for s, n in manifest["speaker"].value_counts().items()} == by_speaker.numbers
    assert [(f.path, f.why) for f in whole.left_out] == [(f"{BLANK_RECORDING}.opus", "blank: it holds no speech")]


def test_acted_and_heard_emotions_differ(whole):
    heard = whole.manifest[whole.manifest["heard"] != ""]
    assert len(heard) == 6796
    assert (heard["heard"] == heard["label"]).sum() == 3099
    assert whole.manifest["agreement"].between(0, 1).sum() == 7440  # nobody rated 1040_ITH_SAD_X


def test_the_fixed_protocol_is_the_default(whole):
    (fold,) = folds(whole)
    assert default_protocol(whole) == "cremad-fixed"
    assert fold.manifest["split"].value_counts().to_dict() == {"train": 5393, "dev": 738, "test": 1310}
    actors = {split: sorted(fold.split(split)["speaker"].unique()) for split in ("train", "dev", "test")}
    assert actors["train"] == [str(a) for a in range(1001, 1067)]
    assert actors["dev"] == [str(a) for a in range(1067, 1076)]
    assert actors["test"] == [str(a) for a in range(1076, 1092)]
    assert fold.labels == CREMAD_LABELS


def test_five_folds_test_every_actor_once(whole):
    five = folds(whole, "cremad-actor")
    tested = [fold.split("test")["speaker"].unique().tolist() for fold in five]
    assert [len(actors) for actors in tested] == [19, 18, 18, 18, 18]
    assert sorted(actor for actors in tested for actor in actors) == list(CREMAD_ACTORS)
    validating = [fold.split("dev")["speaker"].unique().tolist() for fold in five]
    assert validating == [*tested[1:], tested[0]]


def test_votes_heard_label_and_agreement(small):
    rows = small.manifest.set_index("utterance_id")
    clear, torn, unrated = (rows.loc[name] for name in ("1001_DFA_ANG_XX", "1002_IEO_HAP_HI", "1040_ITH_SAD_X"))
    assert (clear["heard"], clear["agreement"], clear["votes_disgust"]) == ("angry", 0.6, 2)
    assert torn["heard"] == ""
    assert torn["agreement"] == pytest.approx(4 / 9)
    assert unrated["heard"] == ""
    assert np.isnan(unrated[["agreement", *VOTE_COLUMNS]].astype(float)).all()


def test_actors_sentences_and_levels(small):
    rows = small.manifest.set_index("utterance_id")
    known = ["speaker", "gender", "age", "label", "text", "style"]
    assert rows.loc["1002_IEO_HAP_HI", known].tolist() == ["1002", "female", 21, "happy", "It's eleven o'clock", "high"]
    assert rows.loc["1040_ITH_SAD_X", ["gender", "label", "style"]].tolist() == ["", "sad", "unspecified"]


def test_tables_are_no_recordings_and_the_blank_one_is_named(small):
    assert {f.path: f.why.partition(";")[0] for f in small.left_out} == {
        f"{BLANK_RECORDING}.wav": "blank: it holds no speech",
        "1092_DFA_ANG_XX.wav": "actor 1092 does not exist here",
    }


def test_a_corpus_without_its_tables_is_read(tmp_path):
    write_hum(tmp_path / "AudioWAV" / "1001_DFA_ANG_XX.wav", 1, 0.3)
    row = load_corpus("cremad", tmp_path).manifest.iloc[0]
    assert (row["label"], row["gender"], row["heard"]) == ("angry", "", "")
    assert pd.isna(row["age"])
    assert pd.isna(row["agreement"])


def test_votes_that_name_no_clip_are_counted(small, tmp_path, caplog):
    """Those on the blank recording, which is left out by name, are none of them."""
    votes = tmp_path / "votes_audio.csv"
    votes.write_text(votes.read_text() + f"{BLANK_RECORDING},0,0,0,0,9,0\n1003_DFA_ANG_XX,9,0,0,0,0,0\nx,0,0,0,0,0,1\n")
    caplog.clear()
    load_corpus("cremad", tmp_path)
    assert caplog.messages == [
        "2 of 5 rows of votes_audio.csv name no clip of the corpus and are passed over, 1003_DFA_ANG_XX among them"
    ]


def test_votes_that_all_name_clips_are_no_matter(small, tmp_path, caplog):
    load_corpus("cremad", tmp_path)
    assert not caplog.messages


def test_a_table_that_lacks_a_column_is_refused(tmp_path):
    write_hum(tmp_path / "1001_DFA_ANG_XX.wav", 1, 0.3)
    (tmp_path / "actors.csv").write_text("actor,age\n1001,51\n")
    with pytest.raises(CorpusError, match=r"actors\.csv has no column sex; it has actor, age"):
        load_corpus("cremad", tmp_path)


@pytest.mark.parametrize(
    ("stem", "why"),
    [
        ("notes", "not actor, sentence, emotion, level"),
        ("1001_DFA_ANG", "not actor, sentence, emotion, level"),
        ("1000_DFA_ANG_XX", "actor 1000"),
        ("1001_ABC_ANG_XX", "sentence ABC"),
        ("1001_DFA_SUR_XX", "emotion SUR"),
        ("1001_DFA_ANG_ZZ", "level ZZ"),
        (BLANK_RECORDING, "blank"),
    ],
)
def test_a_name_that_is_none_is_refused(stem, why):
    with pytest.raises(Misfit, match=why):
        parse_cremad_name(stem)
