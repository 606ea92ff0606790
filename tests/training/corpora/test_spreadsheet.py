"""Manifests as spreadsheets write them: read right where it is certain, else refused with cause and remedy."""

import pytest

from segser_core.errors import CorpusError, UnknownCorpusError
from tests.support.made_corpora import write_hum
from training.corpora import Corpus, load_corpus

PATHS = ("wav/ä.wav", "wav/b.wav")
TEXT = "path,label,speaker\nwav/ä.wav,Ärger,Jürgen\nwav/b.wav,Freude,02\n"
ROWS = [("wav/ä.wav", "angry", "Jürgen"), ("wav/b.wav", "happy", "02")]


@pytest.fixture
def folder(tmp_path):
    for path in PATHS:
        write_hum(tmp_path / path, 0, 0.3)
    return tmp_path


def load(folder, content: str | bytes, name: str = "manifest.csv", **options) -> Corpus:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_corpus("manifest", folder, options)


def rows(corpus: Corpus) -> list[tuple[str, ...]]:
    return list(corpus.manifest[["path", "label", "speaker"]].itertuples(index=False, name=None))


def in_order(found):
    return sorted(found, key=lambda row: row[2])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (TEXT, ""),
        (TEXT.encode("utf-8-sig"), ""),
        (TEXT.encode("utf-16"), ""),
        (TEXT.encode("utf-16-le"), ""),
        (TEXT.encode("cp1252"), "manifest.csv is read in Windows-1252"),
        (TEXT.encode("mac_roman"), "manifest.csv is read in Mac Roman"),
        (TEXT.replace(",", ";"), "manifest.csv is read with the separator semicolon"),
        (TEXT.replace(",", "\t").encode("utf-16"), "manifest.csv is read with the separator tab"),
        ("sep=|\n" + TEXT.replace(",", "|"), "manifest.csv is read with the separator bar"),
        (TEXT.replace(",", ";").encode("cp1252"), "Windows-1252, since it is no UTF-8"),
        (TEXT.replace("\n", "\r\n"), ""),
        (TEXT.replace("\n", "\r"), ""),
        (TEXT.replace("path,label,speaker", " Path ,LABEL,\xa0Speaker"), ""),
        (TEXT.replace("\n", ",\n").replace("speaker,", "speaker"), ""),
        (TEXT.replace("\n", ",,\n"), ""),
        (TEXT.replace("\n", "\n,,\n\n"), ""),
        (
            TEXT.replace("path,", "file,").replace("label", "emotion"),
            "columns are read so: file as path, emotion as label",
        ),
        (TEXT.replace("wav/", "wav\\"), "2 paths have backslashes, read as /"),
        (TEXT.replace("wav/", ".\\wav\\"), "2 paths have backslashes"),
        (TEXT.replace("wav/b.wav", "WAV/B.wav"), "1 paths differ from their file in case or accents alone"),
        (TEXT.replace("wav/ä", "wav/a\u0308"), "1 paths differ from their file in case or accents alone"),
    ],
)
def test_what_is_certain_is_read_and_a_guess_is_said_once(folder, caplog, content, said):
    corpus = load(folder, content)
    assert in_order(rows(corpus)) == in_order(ROWS)
    assert corpus.left_out == ()
    other = [line for line in caplog.messages if not line.startswith("labels are read so: ")]
    assert len(other) == bool(said)
    assert said in "".join(other)


def test_a_polish_table_is_read_by_its_words(folder, caplog):
    content = TEXT.replace("Ärger", "złość").replace("ä.wav", "b.wav").encode("cp1250")
    assert rows(load(folder, content))[0][1] == "angry"
    assert "Windows-1250" in caplog.text


def test_a_column_without_a_name_is_no_column(folder):
    numbered = "".join(f"{i or ''},{line}\n" for i, line in enumerate(TEXT.splitlines()))
    assert in_order(rows(load(folder, numbered))) == in_order(ROWS)


def test_a_decimal_comma_beside_semicolons(folder):
    content = "path;label;speaker;valence\nwav/b.wav;sad;1;2,5\n"
    assert load(folder, content).manifest["valence"].tolist() == [2.5]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            TEXT.replace("Freude", "Freude, laut"),
            "line 3: 4 cells, but the header has 3; put a cell that holds a comma",
        ),
        (TEXT.replace("Freude", '"Freude'), "line 3: .*look at the quotation marks"),
        (TEXT.replace("speaker", "path"), "the column path twice"),
        (TEXT.replace("path", "Path,path"), "the header has 4 names, but no row has more than 3 cells"),
        (TEXT.replace("label", "Path"), "the column path twice"),
        (TEXT.replace("path", "track"), "no column path; it has track, label, speaker"),
        ("file,filename,label,speaker\na,b,c,d\n", "no column path; .*; file and filename could be meant: keep one"),
        (b"PK\x03\x04rest", "is an Excel or LibreOffice workbook, whatever its ending; save it as CSV in UTF-8"),
        (b"\xff\xfea", "is damaged: it is no UTF-16"),
        (b"path,label\0", "no text|damaged"),
    ],
)
def test_what_is_not_certain_is_refused_with_its_cause(folder, content, message):
    with pytest.raises(CorpusError, match=message):
        load(folder, content)


def test_a_workbook_beside_no_manifest_is_named(folder):
    (folder / "Kurs.xlsx").write_bytes(b"PK")
    with pytest.raises(CorpusError, match=r"holds no manifest; .*; save Kurs\.xlsx as manifest\.csv"):
        load_corpus("manifest", folder)


def test_a_path_of_another_machine_and_one_that_climbs_out_are_left_out(folder):
    text = "path,label,speaker\nwav/b.wav,sad,1\nC:\\data\\a.wav,sad,1\n..\\a.wav,sad,1\nwav/../../a.wav,sad,1\n"
    why = {file.path: file.why for file in load(folder, text).left_out}
    assert why == {
        "C:\\data\\a.wav": "its path is one of another machine; write it relative to the corpus's folder",
        "..\\a.wav": "its path leads out of the corpus's folder",
        "wav/../../a.wav": "its path leads out of the corpus's folder",
    }


def test_an_absolute_path_below_the_folder_is_made_relative(folder):
    assert rows(load(folder, f"file,emotion,speaker\n{folder}/wav/b.wav,sad,1\n")) == [("wav/b.wav", "sad", "1")]


def test_links_are_followed_wherever_they_lead(folder, tmp_path_factory):
    disk = tmp_path_factory.mktemp("disk")
    write_hum(disk / "c.wav", 1, 0.3)
    (folder / "linked.wav").symlink_to(disk / "c.wav")
    (folder / "disk").symlink_to(disk)
    (folder / "nowhere.wav").symlink_to(disk / "gone.wav")
    corpus = load(folder, "path,label,speaker\nlinked.wav,sad,1\ndisk/c.wav,sad,1\nnowhere.wav,sad,1\n")
    assert corpus.manifest["path"].tolist() == ["disk/c.wav", "linked.wav"]
    assert [(file.path, file.why) for file in corpus.left_out] == [("nowhere.wav", "a link that leads nowhere")]


def test_columns_can_be_named(folder):
    content = "path,label,mood,who\nwav/b.wav,x,sad,7\n"
    assert rows(load(folder, content, label="mood", speaker="who")) == [("wav/b.wav", "sad", "7")]
    with pytest.raises(CorpusError, match="no column tone, which label names; it has path, label, mood, who"):
        load(folder, content, label="tone")


def test_durations_of_another_unit_are_refused_and_the_recordings_own_count(folder, caplog):
    head = "path,label,speaker,duration_s\n"
    with pytest.raises(CorpusError, match=r"2 of 2 rows .* 300 s for wav/b.wav, which lasts 0.30 s \(milliseconds\?\)"):
        load(folder, head + "wav/b.wav,sad,1,300\nwav/ä.wav,sad,1,300\n")
    names = [f"wav/{i}.wav" for i in range(10)]
    for name in names:
        write_hum(folder / name, 1, 0.3)
    content = head + "".join(f"{name},sad,1,{3 if i == 4 else 0.31}\n" for i, name in enumerate(names))
    assert load(folder, content).manifest["duration_s"].tolist() == pytest.approx([0.3] * 10)
    assert "1 of 10 rows have a duration_s that is far off, as 3 s for wav/4.wav" in caplog.text


def test_labels_in_two_cases_are_one_class_and_nothing_is_none(folder, caplog):
    names = [f"wav/{i}.wav" for i in range(8)]
    for name in names:
        write_hum(folder / name, 1, 0.3)
    labels = ("Contempt", "contempt", "mixed-up", "mixed up", "mixed up", "nan", "N/A", "Wutt")
    content = "path,label,speaker\n" + "".join(f"{n},{label},1\n" for n, label in zip(names, labels, strict=True))
    corpus = load(folder, content, labels={"Wutt": "anger", "Zorno": "anger"})
    assert corpus.manifest["label"].tolist() == ["contempt", "contempt", *["mixed up"] * 3, "angry"]
    assert [file.why for file in corpus.left_out] == ["it has no label"] * 2
    assert (
        "labels are read so: Wutt as angry; Contempt, contempt as contempt; mixed up, mixed-up as mixed up"
        in caplog.text
    )
    assert "classes of their own: mixed up 3, contempt 2; say what they stand for" in caplog.text
    assert "no label is spelled Zorno" in caplog.text


def test_the_codes_of_a_corpus_are_meant_by_its_name(folder):
    content = "path,label,speaker\nwav/b.wav,W,1\nwav/ä.wav,T,1\n"
    assert load(folder, content, labels="emodb").manifest["label"].tolist() == ["angry", "sad"]
    assert load(folder, content).manifest["label"].tolist() == ["w", "t"]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("nonesuch", "labels is 'nonesuch'; expected what spellings stand for, .*ravdess, cremad, tess, savee, emodb"),
        (["sad"], "expected what spellings stand for"),
        ({"W": "<b>"}, "labels has '<b>'"),
        ({"W": "angry", "w": "sad"}, "labels has w twice, as angry and as sad"),
    ],
)
def test_a_wrong_option_is_a_wrong_call(folder, labels, message):
    with pytest.raises(UnknownCorpusError, match=message):
        load(folder, TEXT, labels=labels)
