"""Folds: sizes, classes, and speakers that no two splits share."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from segser_core.errors import CorpusError
from tests.support.paths import SHARED
from training.corpora import Corpus, corpus_definitions, load_corpus
from training.corpora.describe import describe_counts
from training.corpora.emodb import EMODB_LABELS
from training.corpora.fesc import FESC_LABELS
from training.corpora.fold import Fold, check_disjoint
from training.corpora.protocols import default_protocol, folds
from training.corpora.ravdess import RAVDESS_EMOTIONS, RAVDESS_STYLES

CLASSES = {"ravdess": tuple(RAVDESS_EMOTIONS.values()), "emodb": EMODB_LABELS, "fesc": FESC_LABELS}


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
    assert len(emobox) == 6
    assert all(len(f.manifest) == 1440 and len(f.labels) == 8 for f in emobox)
    assert sorted(i for f in emobox for i in f.split("test").utterance_id) == sorted(emobox[0].manifest.utterance_id)
    (nkululeko,) = folds(ravdess, "ravdess-nkululeko")
    assert nkululeko.manifest.split.value_counts().to_dict() == {"train": 960, "dev": 240, "test": 240}
    emodb = folds(real("emodb"))
    assert [f.index for f in emodb] == list(range(10))
    assert sum(len(f.split("test")) for f in emodb) == 535
    assert [f.split("dev").speaker.iloc[0] for f in emodb] == [f.split("test").speaker.iloc[0] for f in emodb[1:]] + [
        "03"
    ]


def test_the_fixed_protocol_of_emodb_on_the_whole_corpus():
    (fold,) = folds(real("emodb"), "emodb-fixed")
    speakers = {split: sorted(fold.split(split).speaker.unique()) for split in ("train", "dev", "test")}
    assert speakers == {"train": ["03", "08", "09", "10", "11", "12"], "dev": ["13", "14"], "test": ["15", "16"]}
    assert fold.manifest.split.value_counts().to_dict() == {"train": 278, "dev": 130, "test": 127}


def test_calm_joins_neutral_only_in_the_paper_s_protocol():
    corpus = small(actors(), RAVDESS_EMOTIONS.values())
    assert "calm" not in set(folds(corpus, "ravdess-paper", partial=True)[0].manifest.label)
    assert "calm" in set(folds(corpus, "ravdess-nkululeko", partial=True)[0].manifest.label)
    assert "calm" in set(corpus.manifest.label)


def test_song_is_left_out_where_the_protocol_is_of_speech():
    parts = [small(actors(), RAVDESS_EMOTIONS.values(), style=s).manifest for s in RAVDESS_STYLES.values()]
    both = Corpus("ravdess", Path("corpus"), pd.concat(parts))
    assert set(folds(both, "ravdess-emobox", partial=True)[3].manifest["style"]) == {"speech"}
    assert set(folds(both, "ravdess-paper", partial=True)[0].manifest["style"]) == {"speech", "song"}


def test_every_protocol_is_disjoint_by_speaker():
    corpora = {"iemocap": iemocap(), **{name: small(actors(), labels, name=name) for name, labels in CLASSES.items()}}
    protocols = [(corpus, protocol) for corpus in corpora for protocol in corpus_definitions()[corpus].protocols]
    assert len(protocols) == 7
    for name, protocol in protocols:
        for fold in folds(corpora[name], protocol.name, partial=True):
            of = {s: set(fold.split(s).speaker) for s in ("train", "dev", "test")}
            assert all(of.values())
            assert sum(map(len, of.values())) == len(set.union(*of.values()))


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


def speech_of_ravdess() -> Corpus:
    """The complete speech: neutral twice for each of two statements, the others at two intensities, too."""
    parts = []
    for take in range(8):
        labels = [c for c in RAVDESS_EMOTIONS.values() if c != "neutral" or take < 4]
        rows = small(actors(), labels).manifest
        parts.append(rows.assign(utterance_id=rows.utterance_id + f"-{take}", path=f"{take}/" + rows.path))
    whole = {c: 188 if c == "neutral" else 192 if c in ("disgust", "surprised") else 376
             for c in RAVDESS_EMOTIONS.values()}  # fmt: skip
    return Corpus("ravdess", Path("corpus"), pd.concat(parts, ignore_index=True), expected=whole)


def test_speech_alone_is_complete_for_the_protocols_that_use_it_alone():
    corpus = speech_of_ravdess()
    assert len(corpus.manifest) == 1440
    assert len(folds(corpus, "ravdess-emobox")) == 6
    (fold,) = folds(corpus, "ravdess-nkululeko")
    assert fold.manifest.split.value_counts().to_dict() == {"train": 960, "dev": 240, "test": 240}
    enough = "neutral 96 of 188, .*; it is for ravdess-emobox and ravdess-nkululeko; see"
    with pytest.raises(CorpusError, match=enough):
        folds(corpus)


def test_a_lost_recording_of_speech_is_not_hidden():
    corpus = speech_of_ravdess()
    song = corpus.manifest.iloc[:3].assign(style="song", utterance_id=list("abc"), path=list("abc"))
    lossy = replace(corpus, manifest=pd.concat([corpus.manifest.iloc[1:], song], ignore_index=True))
    with pytest.raises(CorpusError, match=r"is not complete: neutral 95 of 96; see"):
        folds(lossy, "ravdess-nkululeko")
    assert describe_counts(corpus)[-4:] == [
        "protocol",
        "  ravdess-paper      not complete",
        "  ravdess-emobox     complete",
        "  ravdess-nkululeko  complete",
    ]


def test_iemocap_is_complete_without_the_labels_that_its_protocol_leaves_out():
    expected = dict.fromkeys(("neutral", "happy", "excited", "sad", "angry", "frustrated", "disgust"), 10)
    corpus = iemocap(expected=expected)
    four = corpus.manifest[corpus.manifest.label != "frustrated"]
    assert len(folds(replace(corpus, manifest=four))) == 5
    with pytest.raises(CorpusError, match="frustrated 0 of 10; it is for iemocap-session"):
        folds(replace(corpus, manifest=four), "column:session")
    with pytest.raises(CorpusError, match="not complete: sad 0 of 10; see"):
        folds(replace(corpus, manifest=four[four.label != "sad"]))


def test_the_paper_s_sizes_are_checked():
    with pytest.raises(CorpusError, match=r"train 160 \(expected 2036\), dev 16 \(expected 208\)"):
        folds(small(actors(), RAVDESS_EMOTIONS.values()))


def test_a_training_part_without_a_class_is_refused():
    rows = small(["1", "2", "3"], ["sad", "happy"]).manifest.assign(
        split=["train", "train", "dev", "dev", "test", "test"]
    )
    assert Fold(0, ("sad", "happy"), rows).labels == ("sad", "happy")
    only_dev = rows[(rows.label == "sad") | (rows.split == "dev")]
    with pytest.raises(CorpusError, match="fold 0 has no utterance of happy for training"):
        Fold(0, ("sad", "happy"), only_dev)


def iemocap(**changes) -> Corpus:
    """Ten speakers in five sessions, seven labels."""
    labels = ("neutral", "happy", "excited", "sad", "angry", "frustrated", "disgust")
    corpus = small([f"Ses0{n}_{letter}" for n in range(1, 6) for letter in "FM"], labels, name="iemocap", **changes)
    return replace(corpus, manifest=corpus.manifest.assign(session=corpus.manifest.speaker.str[4]))


def test_iemocap_leaves_one_session_out_and_the_next_one_validates():
    found = folds(iemocap())
    assert [set(f.split("test").session) for f in found] == [{"1"}, {"2"}, {"3"}, {"4"}, {"5"}]
    assert [set(f.split("dev").session) for f in found] == [{"2"}, {"3"}, {"4"}, {"5"}, {"1"}]
    for fold in found:
        assert fold.labels == ("neutral", "happy", "sad", "angry")
        assert set(fold.split("train").session) == {*"12345"} - set(fold.split("test").session) - set(
            fold.split("dev").session
        )
        assert fold.split("test").label.value_counts().to_dict() == {"neutral": 2, "happy": 4, "sad": 2, "angry": 2}
    without = iemocap()
    without = replace(without, manifest=without.manifest[without.manifest.label != "excited"])
    assert folds(without)[0].split("test").label.value_counts().to_dict() == dict.fromkeys(found[0].labels, 2)


def test_fesc_leaves_one_of_nine_speakers_out():
    labels = ("neutral", "happy", "sad", "angry", "tender")
    nine = folds(small([f"S{n}" for n in range(1, 10)], labels, name="fesc"))
    assert [f.split("test").speaker.unique().tolist() for f in nine] == [[f"S{n}"] for n in range(1, 10)]
    assert [f.split("dev").speaker.unique().tolist() for f in nine] == [[f"S{n}"] for n in (*range(2, 10), 1)]
    assert all(len(f.split("train")) == 7 * 5 for f in nine)
    with pytest.raises(CorpusError, match=r"has 8 speakers; expected 9; .*--partial"):
        folds(small([f"S{n}" for n in range(1, 9)], labels, name="fesc"))


def by(column: str, groups: list[str]) -> Corpus:
    """A manifest of six speakers, two labels each, with one more column, a group a speaker."""
    corpus = small("abcdef", ["sad", "happy", "shy"], name="manifest")
    return replace(corpus, manifest=corpus.manifest.assign(**{column: [g for g in groups for _ in range(3)]}))


def test_any_column_makes_folds():
    three = folds(by("room", ["x", "x", "y", "y", "z", "z"]), "column:room")
    assert [(f.split("test").room.iloc[0], f.split("dev").room.iloc[0]) for f in three] == [
        ("x", "y"),
        ("y", "z"),
        ("z", "x"),
    ]
    assert three[0].labels == ("happy", "sad", "shy")  # the project's order, then what is foreign to it
    assert len(folds(by("room", list("uvwxyz")), "column:speaker")) == 6


def test_the_column_split_is_the_one_fold_that_it_says():
    corpus = by("split", ["train", "train", "train", "dev", "test", "test"])
    (fold,) = folds(corpus)
    assert default_protocol(corpus) == "column:split"
    assert set(fold.split("dev").speaker) == {"d"}
    with pytest.raises(CorpusError, match="holds 'validation'; expected train, dev, test"):
        folds(by("split", ["train", "train", "train", "validation", "test", "test"]))


@pytest.mark.parametrize(
    ("protocol", "groups", "message"),
    [
        ("column:room", ["x", "y", "z", "x", "y", ""], "holds nothing, x, y, z; expected three groups"),
        ("column:room", ["x", "x", "x", "y", "y", "y"], "holds x, y; expected three groups"),
        ("column:hall", ["x", "x", "y", "y", "z", "z"], "no column 'hall'"),
        ("column:label", ["x", "x", "y", "y", "z", "z"], "speaker a is in dev and test"),
        (None, ["x", "x", "y", "y", "z", "z"], "column:speaker to leave one speaker out"),
    ],
)
def test_a_column_that_makes_no_folds_is_refused(protocol, groups, message):
    with pytest.raises(CorpusError, match=message):
        folds(by("room", groups), protocol)


@pytest.mark.parametrize("name", ["nonesuch", "emodb-speaker"])
def test_unknown_protocols_are_refused(name):
    with pytest.raises(CorpusError, match="ravdess-paper, ravdess-emobox"):
        folds(small(actors(), ["sad"]), name)
