"""The loader by the names of files: patterns, and the presets of CREMA-D, TESS and SAVEE."""

import pytest

from segser_core.errors import CorpusError, UnknownCorpusError
from tests.support.made_corpora import write_hum
from training.corpora import Corpus, load_corpus, pattern

TESS = {"angry": "angry", "disgust": "disgust", "fear": "fearful", "happy": "happy", "neutral": "neutral"}
TESS |= {"ps": "surprised", "sad": "sad"}


def write(folder, *names):
    for name in names:
        write_hum(folder / name, 0, 0.2)


def rows(corpus: Corpus) -> list[list[str]]:
    return corpus.manifest[["utterance_id", "speaker", "label", "gender"]].values.tolist()


def test_tess(tmp_path):
    write(tmp_path, *(f"OAF_{code}/OAF_back_{code}.wav" for code in TESS), "YAF_sad/YAF_youth_sad.wav")
    write(tmp_path, "OAF_neutral/OA_bite_neutral.wav", "TESS copy/OAF_back_ps.wav", "OAF_back_rage.wav")
    corpus = load_corpus("pattern", tmp_path, {"preset": "tess"})
    labels = {row[0]: row[1:] for row in rows(corpus)}
    assert labels == {
        **{f"OAF_back_{code}": ["OAF", label, "female"] for code, label in TESS.items()},
        "YAF_youth_sad": ["YAF", "sad", "female"],
        "OA_bite_neutral": ["OAF", "neutral", "female"],
    }
    assert {file.path: file.why for file in corpus.left_out} == {
        "OAF_back_rage.wav": "label rage is in no table of spellings; say in `labels` what it stands for",
        "TESS copy/OAF_back_ps.wav": "a second recording of that name; OAF_ps/OAF_back_ps.wav is used",
    }


@pytest.mark.parametrize("name", ["AudioData/DC/{}07.wav", "ALL/DC_{}07.wav"])
def test_savee(tmp_path, name):
    codes = {"a": "angry", "d": "disgust", "f": "fearful", "h": "happy", "n": "neutral", "sa": "sad", "su": "surprised"}
    write(tmp_path, *(name.format(code) for code in codes))
    corpus = load_corpus("pattern", tmp_path, {"preset": "savee"})
    mark = "_" if "_" in name else "/"
    assert rows(corpus) == sorted([f"DC{mark}{code}07", "DC", label, "male"] for code, label in codes.items())
    assert set(corpus.manifest["text"]) == {"07"}


def test_cremad_is_read_as_by_its_own_loader(tmp_path):
    write(tmp_path, "AudioWAV/1001_DFA_ANG_XX.wav", "1002_IEO_FEA_HI.mp3.wav", "1002_IEO_FEA_HI.wav")
    corpus = load_corpus("pattern", tmp_path, {"preset": "cremad"})
    assert rows(corpus) == [["1001_DFA_ANG_XX", "1001", "angry", ""], ["1002_IEO_FEA_HI", "1002", "fearful", ""]]
    assert corpus.manifest["label"].tolist() == load_corpus("cremad", tmp_path).manifest["label"].tolist()


def test_a_pattern_with_labels_of_its_own(tmp_path):
    write(tmp_path, "M1/Wut_01.wav", "M1/c_02.wav", "F2/x_03.wav", "F2/sadness_04.ogg")
    told = {"pattern": pattern.PATTERN_EXAMPLE.replace("[a-z]", "[A-Za-z]"), "labels": {"c": "contempt"}}
    corpus = load_corpus("pattern", tmp_path, told)
    assert rows(corpus) == [
        ["F2/sadness_04", "F2", "sad", "female"],
        ["M1/Wut_01", "M1", "angry", "male"],
        ["M1/c_02", "M1", "contempt", "male"],
    ]
    assert [file.path for file in corpus.left_out] == ["F2/x_03.wav"]
    letters = {"pattern": r"(?P<speaker>\d\d)[ab]\d\d(?P<label>[A-Z])[a-z]", "labels": "emodb"}
    write(tmp_path / "berlin", "03a01Wa.wav", "08b02Tb.wav")
    assert load_corpus("pattern", tmp_path / "berlin", letters).manifest["label"].tolist() == ["angry", "sad"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "got neither a pattern nor a preset; .*--corpus-options.preset cremad|tess|savee"),
        ({"pattern": "(", "preset": "tess"}, "got both a pattern and a preset"),
        ({"preset": "ravdess"}, "preset 'ravdess' is unknown; choose one of cremad, tess, savee"),
        ({"pattern": "("}, "no regular expression"),
        ({"pattern": r"(?P<speaker>\w+)"}, "lacks the group label"),
    ],
)
def test_what_is_told_wrongly_is_a_wrong_call(tmp_path, options, message):
    with pytest.raises(UnknownCorpusError, match=message):
        load_corpus("pattern", tmp_path, options)


def test_a_folder_in_which_nothing_fits_is_refused(tmp_path):
    write(tmp_path, "a.wav")
    with pytest.raises(CorpusError, match=r"no recording.*the first: a.wav: its path does not fit the pattern"):
        load_corpus("pattern", tmp_path, {"preset": "tess"})
