"""IEMOCAP's loader on a tree that is built here, with every trap of the real one."""

import subprocess
import sys
from math import isnan

import pytest

from segser_core.errors import CorpusError
from tests.support.made_corpora import label_line, make_iemocap
from tests.support.paths import ROOT
from training.corpora import COLUMNS, Corpus, load_corpus
from training.corpora.iemocap import IEMOCAP_BY_SESSION, IEMOCAP_COUNTS, rater_agreement
from training.corpora.protocols import folds

WAV = "Session1/sentences/wav/Ses01F_impro01"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return make_iemocap(tmp_path_factory.mktemp("corpora") / "iemocap")


@pytest.fixture(scope="module")
def corpus(root) -> Corpus:
    return load_corpus("iemocap", root)


def test_every_labelled_turn_is_there(corpus):
    manifest = corpus.manifest
    assert tuple(manifest.columns[: len(COLUMNS)]) == COLUMNS
    assert manifest.utterance_id.is_monotonic_increasing
    assert manifest.label.value_counts().to_dict() == {
        **dict.fromkeys(("neutral", "happy", "excited", "sad", "angry"), 30),
        **dict.fromkeys(("frustrated", "surprised", "fearful", "disgust"), 1),
    }
    assert manifest.session.value_counts().to_dict() == {"1": 34, "2": 30, "3": 30, "4": 30, "5": 30}
    assert all((corpus.root / path).is_file() for path in manifest.path)


def test_the_speaker_is_who_talks_not_who_wears_the_markers(corpus):
    rows = corpus.manifest.set_index("utterance_id")
    assert rows.loc["Ses01F_impro01_M001", ["speaker", "gender"]].tolist() == ["Ses01_M", "male"]
    assert rows.loc["Ses03M_impro05a_F002", ["speaker", "gender"]].tolist() == ["Ses03_F", "female"]
    assert corpus.manifest.speaker.nunique() == 10
    assert (corpus.manifest.groupby("speaker").session.nunique() == 1).all()


def test_names_with_a_letter_are_read_whole(corpus):
    rows = corpus.manifest.set_index("utterance_id")
    assert rows.loc["Ses05M_script01_1b_F003", ["dialogue", "session", "style", "label"]].tolist() == [
        "Ses05M_script01_1b",
        "5",
        "scripted",
        "sad",
    ]
    assert rows.loc["Ses03M_impro05a_M000", ["dialogue", "style"]].tolist() == ["Ses03M_impro05a", "improvised"]


def test_dimensions_words_and_agreement(corpus):
    row = corpus.manifest.set_index("utterance_id").loc["Ses02F_impro01_F001"]
    assert row[["valence", "activation", "dominance"]].tolist() == [2.5, 3.0, 3.5]
    assert row["text"] == "Line 2."
    assert row["duration_s"] == pytest.approx(0.41)
    assert row["agreement"] == pytest.approx(2 / 3)


def test_agreement_by_hand():
    rows = [
        "C-E1:\tAnger;\t()",
        "C-E2:\tFrustration; Anger;\t(a; b)",
        "C-E3:\tNeutral;\t()",
        "C-M1:\tSadness;\t()",
        "junk",
    ]
    assert rater_agreement("ang", rows) == pytest.approx(2 / 3)
    assert rater_agreement("sad", rows) == 0
    assert isnan(rater_agreement("ang", ["A-E1:\tval 1;\t()"]))
    assert isnan(rater_agreement("ang", []))


@pytest.mark.parametrize(
    ("path", "why"),
    [
        (f"{WAV}/Ses01F_impro01_M100.wav", "agreed on no label"),
        (f"{WAV}/Ses01F_impro01_M101.wav", "another emotion"),
        (f"{WAV}/Ses01F_impro01_F200.wav", "there is no such file"),
        (f"{WAV}/Ses01F_impro01_F201.wav", "not a readable recording"),
        (f"{WAV}/Ses01F_impro01_F000.wav", "a second line for this turn"),
        (f"{WAV}/Ses01F_impro02_F000.wav", "none of the dialogue Ses01F_impro01"),
        (f"{WAV}/Ses01F_impro01_F999.wav", "no label line names it"),
        (f"{WAV}/._Ses01F_impro01_F000.wav", "a hidden file"),
        ("Session1/dialog/EmoEvaluation/._Ses01F_impro01.txt", "a hidden file"),
        ("Session1/dialog/EmoEvaluation/Ses01F_impro01.txt", "line 93 is not"),
    ],
)
def test_what_is_left_out_is_named(corpus, path, why):
    assert why in {f.path: f.why for f in corpus.left_out}[path]
    assert len(corpus.left_out) == 10


def test_the_second_line_of_a_turn_changes_nothing(corpus):
    assert corpus.manifest.set_index("utterance_id").loc["Ses01F_impro01_F000", "agreement"] == pytest.approx(2 / 3)


def test_excited_in_and_out(root, corpus):
    """In: excited joins happy in the protocol. Out: it is left out by name."""
    out = load_corpus("iemocap", root, {"excited": "out"})
    assert "excited" not in set(out.manifest.label)
    assert "excited" not in out.expected
    assert sum(f.why == "excited, which is left out as asked" for f in out.left_out) == 30
    for found, happy in ((corpus, 12), (out, 6)):
        test = folds(found, partial=True)[0].split("test")
        assert test.label.value_counts().to_dict() == {"neutral": 6, "happy": happy, "sad": 6, "angry": 6}
    with pytest.raises(CorpusError, match="excited is 'maybe'; expected in or out"):
        load_corpus("iemocap", root, {"excited": "maybe"})


def test_the_complete_corpus_is_known(corpus):
    """The cells add up to what is known of the labels, the sessions and the speakers."""
    cells, sessions, speakers = corpus.further
    for label in cells.labels:
        assert sum(n for (_, c), n in cells.numbers.items() if c == label) == IEMOCAP_COUNTS[label]
    assert list(sessions.numbers.values()) == [1085, 1023, 1151, 1031, 1241]
    assert sum(speakers.numbers.values()) == sum(sessions.numbers.values()) == 5531
    assert all(sum(by_label) == sum(by_actor) for by_label, by_actor in IEMOCAP_BY_SESSION.values())
    assert sum(IEMOCAP_COUNTS.values()) == 10039 - 2507 - 3


def test_an_incomplete_corpus_is_refused(corpus):
    with pytest.raises(CorpusError, match=r"neutral 30 of 1708.*describe iemocap.*--partial"):
        folds(corpus)


def test_describe_prints_everything_beside_the_expected(root):
    command = [sys.executable, "-m", "training.corpora", "describe", "iemocap", "--root", str(root)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert lines[0].startswith("iemocap: 154 clips of 7529 in")
    assert "excited 30 of 1041 DIFFERS" in lines
    assert "1 sad 6 of 194 DIFFERS" in lines
    assert "Ses05_M 15 of 651 DIFFERS" in lines
    assert "1 30 of 1085 DIFFERS" in lines
    assert "Ses01_M 19" in lines
    assert "left out: 10 files" in lines
    assert f"{WAV}/Ses01F_impro01_M100.wav: its raters agreed on no label (xxx)" in lines
    done = subprocess.run([*command, "--corpus-options.excited", "out"], capture_output=True, text=True, cwd=ROOT)
    assert "30 × excited, which is left out as asked" in done.stdout
    done = subprocess.run([*command, "--corpus-options.merge", "yes"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2
    assert "'merge' is unknown for iemocap; known: excited" in done.stderr


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="give the folder that holds Session1 to Session5"):
        load_corpus("iemocap", tmp_path)
    (tmp_path / "Session1" / "dialog" / "EmoEvaluation").mkdir(parents=True)
    (tmp_path / "Session1" / "dialog" / "EmoEvaluation" / "Ses01F_impro01.txt").write_text(
        label_line("Ses01F_impro01_F000", "neu")
    )
    with pytest.raises(CorpusError, match=r"\(1 left out\)"):
        load_corpus("iemocap", tmp_path)
