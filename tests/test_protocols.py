"""Folds: sizes, classes, and speakers that no two splits share."""

from pathlib import Path

import pandas as pd
import pytest

from segser_core.errors import CorpusError
from tests.conftest import SHARED
from training.corpora import Corpus, load_corpus
from training.corpora.ravdess import EMOTIONS, STYLES
from training.protocols import EMODB_LABELS, PROTOCOLS, Fold, check_disjoint, folds


def real(name: str) -> Corpus:
    folder = SHARED / "data" / name
    if not folder.is_dir():
        pytest.skip(f"{folder} is not at hand")
    return load_corpus(name, folder)


def small(speakers, labels, name="ravdess", style="speech", expected=None) -> Corpus:
    rows = [(f"{s}-{c}", f"{s}/{c}.wav", s, "", "male", c, 1.0, "", style) for s in speakers for c in labels]
    columns = ["utterance_id", "path", "speaker", "session", "gender", "label", "duration_s", "text", "style"]
    return Corpus(name, Path("corpus"), pd.DataFrame(rows, columns=columns), expected=expected or {})


def actors() -> list[str]:
    return [f"{n:02d}" for n in range(1, 25)]


def test_ravdess_paper_on_the_whole_corpus():
    (fold,) = folds(real("ravdess"))
    assert fold.manifest.split.value_counts().to_dict() == {"train": 2036, "dev": 208, "test": 208}
    assert fold.labels == ("neutral", "happy", "sad", "angry", "fearful", "disgust", "surprised")
    test = fold.split("test")
    assert set(test.speaker) == {"23", "24"}
    assert test.label.value_counts().to_dict() == {
        "neutral": 48, "happy": 32, "sad": 32, "angry": 32, "fearful": 32, "disgust": 16, "surprised": 16,
    }  # fmt: skip


def test_the_other_protocols_on_the_whole_corpora():
    ravdess = real("ravdess")
    emobox = folds(ravdess, "ravdess-emobox")
    assert len(emobox) == 6 and all(len(f.manifest) == 1440 and len(f.labels) == 8 for f in emobox)
    assert sorted(i for f in emobox for i in f.split("test").utterance_id) == sorted(emobox[0].manifest.utterance_id)
    (nkululeko,) = folds(ravdess, "ravdess-nkululeko")
    assert nkululeko.manifest.split.value_counts().to_dict() == {"train": 960, "dev": 240, "test": 240}
    emodb = folds(real("emodb"))
    assert [f.index for f in emodb] == list(range(10)) and sum(len(f.split("test")) for f in emodb) == 535
    assert [f.split("dev").speaker.iloc[0] for f in emodb] == [f.split("test").speaker.iloc[0] for f in emodb[1:]] + [
        "03"
    ]


def test_calm_joins_neutral_only_in_the_paper_s_protocol():
    corpus = small(actors(), EMOTIONS.values())
    assert "calm" not in set(folds(corpus, "ravdess-paper", partial=True)[0].manifest.label)
    assert "calm" in set(folds(corpus, "ravdess-nkululeko", partial=True)[0].manifest.label)
    assert "calm" in set(corpus.manifest.label)


def test_song_is_left_out_where_the_protocol_is_of_speech():
    parts = [small(actors(), EMOTIONS.values(), style=s).manifest for s in STYLES.values()]
    both = Corpus("ravdess", Path("corpus"), pd.concat(parts))
    assert set(folds(both, "ravdess-emobox", partial=True)[3].manifest["style"]) == {"speech"}
    assert set(folds(both, "ravdess-paper", partial=True)[0].manifest["style"]) == {"speech", "song"}


def test_every_protocol_is_disjoint_by_speaker():
    for name in PROTOCOLS:
        corpus = small(actors(), ("neutral", "happy"), name=name.split("-")[0])
        for fold in folds(corpus, name, partial=True):
            of = {s: set(fold.split(s).speaker) for s in ("train", "dev", "test")}
            assert all(of.values()) and sum(map(len, of.values())) == len(set.union(*of.values()))


def test_a_shared_speaker_is_refused_by_name():
    manifest = pd.DataFrame({"speaker": ["01", "02", "02"], "split": ["train", "train", "test"], "label": "sad"})
    with pytest.raises(CorpusError, match="speaker 02 is in test and train"):
        check_disjoint(manifest)
    with pytest.raises(CorpusError, match="speaker 02"):
        Fold(0, ("sad",), manifest)


@pytest.mark.parametrize("unknown", [None, "", "  "])
def test_an_unknown_speaker_is_refused(unknown):
    manifest = pd.DataFrame({"speaker": ["01", unknown, "03"], "split": ["train", "dev", "test"], "label": "sad"})
    with pytest.raises(CorpusError, match="without a speaker"):
        check_disjoint(manifest)


def test_a_strange_label_and_an_empty_split_are_refused():
    manifest = pd.DataFrame({"speaker": ["1", "2", "3"], "split": ["train", "dev", "test"], "label": "sad"})
    with pytest.raises(CorpusError, match="sad"):
        Fold(0, ("happy",), manifest)
    with pytest.raises(CorpusError, match="no utterance for train"):
        folds(small(["21", "23"], ["sad"]), partial=True)


def test_an_incomplete_corpus_is_refused_unless_partial():
    corpus = small(actors(), EMODB_LABELS, name="emodb", expected={"sad": 25, "happy": 24})
    with pytest.raises(CorpusError, match=r"sad 24 of 25; .*describe emodb"):
        folds(corpus)
    assert len(folds(corpus, partial=True)) == 24


def test_the_paper_s_sizes_are_checked():
    with pytest.raises(CorpusError, match=r"train 20 \(expected 2036\), dev 2 \(expected 208\)"):
        folds(small(actors(), ["sad"]))


@pytest.mark.parametrize("name", ["nonesuch", "emodb-speaker"])
def test_unknown_protocols_are_refused(name):
    with pytest.raises(CorpusError, match="ravdess-paper, ravdess-emobox"):
        folds(small(actors(), ["sad"]), name)
