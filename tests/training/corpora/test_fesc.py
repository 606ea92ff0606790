"""FESC's loader by pattern and by manifest, as its documentation shows them."""

import dataclasses

import pytest
import yaml

from segser_core.errors import CorpusError
from tests.support.made_corpora import make_fesc, write_hum
from training.corpora import fesc, load_corpus
from training.corpora.protocols import folds

COUNTS = dict.fromkeys(("neutral", "happy", "sad", "angry", "tender"), 18)
TOLD = {"pattern": fesc.PATTERN_EXAMPLE, "labels": {"t": "tenderness"}}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return make_fesc(tmp_path_factory.mktemp("corpora") / "fesc")


def test_the_documented_pattern(root):
    """All of the 90 files, in the project's spelling, and nine folds."""
    documented = yaml.safe_load("\n".join(line[4:] for line in fesc.__doc__.splitlines()[8:11]))["corpus_options"]
    assert documented == {"pattern": fesc.PATTERN_EXAMPLE, "labels": {"t": "tenderness"}} == TOLD
    corpus = load_corpus("fesc", root, documented)
    assert corpus.manifest.label.value_counts().to_dict() == COUNTS
    assert corpus.left_out == ()
    assert corpus.manifest.groupby("gender").speaker.nunique().to_dict() == {"female": 4, "male": 5}
    row = corpus.manifest.set_index("utterance_id").loc["F2/t_02"]
    assert row[["speaker", "label", "text", "gender"]].tolist() == ["F2", "tender", "02", "female"]
    assert len(folds(corpus)) == 9


def test_the_documented_manifest(tmp_path):
    lines = [line.strip() for line in fesc.__doc__.splitlines()[-3:]]
    (tmp_path / "manifest.csv").write_text("\n".join(lines))
    for line in lines[1:]:
        write_hum(tmp_path / line.split(",")[0], 0, 0.2)
    corpus = load_corpus("fesc", tmp_path)
    assert corpus.name == "fesc"
    assert corpus.left_out == ()
    assert corpus.manifest[["speaker", "label", "gender"]].values.tolist() == [
        ["F2", "tender", "female"],
        ["M1", "sad", "male"],
    ]


def test_files_outside_the_pattern_are_named(root, tmp_path):
    write_hum(tmp_path / "M1" / "joy_01.wav", 0, 0.2)
    write_hum(tmp_path / "M1" / "rage_01.wav", 0, 0.2)
    write_hum(tmp_path / "M1" / "take2.wav", 0, 0.2)
    corpus = load_corpus("fesc", tmp_path, {"pattern": fesc.PATTERN_EXAMPLE})
    whys = {f.path: f.why for f in corpus.left_out}
    assert corpus.manifest.label.tolist() == ["happy"]
    assert len(whys) == 2
    assert "label rage is none of neutral" in whys["M1/rage_01.wav"]
    assert "`labels`" in whys["M1/rage_01.wav"]
    assert whys["M1/take2.wav"] == "its path does not fit the pattern"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, r"no manifest.csv, and no pattern .*--corpus-options.pattern '\(\?P<speaker>"),
        ({"pattern": "("}, "no regular expression"),
        ({"pattern": r"(?P<speaker>\w+)"}, "lacks the group label"),
        ({"pattern": r"(?P<speaker>\w+)_(?P<label>\w+)_(?P<take>\d)"}, "unknown group take; known are utterance_id"),
        ({"pattern": r"(?P<speaker>\d)(?P<label>\d)"}, "no recording .* fits"),
        ({"labels": "tenderness"}, "no manifest.csv"),
        ({"regex": "x"}, "'regex' is unknown for fesc; known: pattern, labels"),
    ],
)
def test_what_is_told_wrongly_is_refused(root, options, message):
    with pytest.raises(CorpusError, match=message):
        load_corpus("fesc", root, options)


def test_a_manifest_with_a_label_that_is_none_of_fesc_s(tmp_path):
    write_hum(tmp_path / "a.wav", 0, 0.2)
    (tmp_path / "manifest.csv").write_text("path,label,speaker\na.wav,boredom,M1\n")
    with pytest.raises(CorpusError, match="the label bored; FESC has neutral"):
        load_corpus("fesc", tmp_path)


def test_a_partial_fesc_is_refused_unless_it_is_asked_for(root):
    corpus = load_corpus("fesc", root, TOLD)
    eight = dataclasses.replace(corpus, manifest=corpus.manifest[corpus.manifest.speaker != "M1"])
    with pytest.raises(CorpusError, match="8 speakers"):
        folds(eight)
    assert len(folds(eight, partial=True)) == 8
