"""Databases of audformat, built here; skipped where the package is not installed, but for the error that names it."""

import sys

import pytest

from segser_core.errors import CorpusError
from tests.support.made_corpora import write_hum
from training.corpora import load_corpus
from training.corpora.protocols import folds

SPEAKERS = {"03": {"gender": "male"}, "04": {"gender": "female"}, "05": {"gender": "male"}}


@pytest.fixture
def root(tmp_path):
    """Six files of three speakers: emotions in a table a split, speakers in another, their genders in a scheme."""
    audformat = pytest.importorskip("audformat")
    database = audformat.Database("mine")
    database.schemes["emotion"] = audformat.Scheme(labels=["anger", "joy"])
    database.schemes["speaker"] = audformat.Scheme(labels=SPEAKERS)
    files = [f"{speaker}/{word}.wav" for speaker in SPEAKERS for word in ("anger", "joy")]
    for speaker, split in zip(SPEAKERS, ("train", "dev", "test"), strict=True):
        database.splits[split] = audformat.Split(type=split)
        add(database, f"emotion.{split}", [f for f in files if f.startswith(speaker)], "emotion", split)
    add(database, "files", files, "speaker")
    database.save(str(tmp_path))
    for file in files:
        write_hum(tmp_path / file, 0, 0.2)
    return tmp_path


def add(database, table: str, files: list[str], scheme: str, split: str | None = None) -> None:
    import audformat

    database[table] = audformat.Table(audformat.filewise_index(files), split_id=split)
    database[table][scheme] = audformat.Column(scheme_id=scheme)
    database[table][scheme].set([f[:2] if scheme == "speaker" else f[3:-4] for f in files])


def test_a_database_is_a_corpus(root):
    corpus = load_corpus("audformat", root)
    assert corpus.manifest.label.value_counts().to_dict() == {"angry": 3, "happy": 3}
    row = corpus.manifest.set_index("utterance_id").loc["04/joy"]
    assert row[["speaker", "gender", "label", "split"]].tolist() == ["04", "female", "happy", "dev"]
    assert row["duration_s"] == pytest.approx(0.2)
    (fold,) = folds(corpus)
    assert set(fold.split("test").speaker) == {"05"}
    assert len(folds(corpus, "column:speaker")) == 3


def test_rows_of_segmented_tables_are_stretches_and_lost_files_are_left_out_by_name(root):
    import audformat

    (root / "03" / "joy.wav").unlink()
    database = audformat.Database.load(str(root))
    database["parts"] = audformat.Table(
        audformat.segmented_index(["03/anger.wav", "04/joy.wav"], ["0.05s", "0.1s"], ["0.2s", None])
    )
    database["parts"]["emotion"] = audformat.Column(scheme_id="emotion")
    database["parts"]["emotion"].set(["joy", "anger"])
    database.save(str(root))
    corpus = load_corpus("audformat", root)
    assert {f.path: f.why for f in corpus.left_out} == {"03/joy.wav": "there is no such file"}
    table = corpus.manifest.set_index("utterance_id")
    columns = ["label", "speaker", "clip_start_s", "clip_end_s", "duration_s"]
    assert table.loc["03/anger@0.05-0.2", columns].tolist() == ["happy", "03", 0.05, 0.2, pytest.approx(0.15)]
    assert table.loc["04/joy@0.1-end", columns].tolist() == ["angry", "04", 0.1, pytest.approx(0.2), pytest.approx(0.1)]
    assert table.loc["03/anger", columns[:2]].tolist() == ["angry", "03"]
    assert len(load_corpus("audformat", root, {"tables": "emotion.train,emotion.test"}).manifest) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label": "mood"}, "has 'mood'; its schemes are emotion, speaker"),
        ({"tables": "nonesuch"}, "has 'emotion'; its schemes are"),
    ],
)
def test_what_is_not_in_it_is_refused(root, options, message):
    with pytest.raises(CorpusError, match=message):
        load_corpus("audformat", root, options)


def test_a_broken_header_and_another_folder_are_refused(root, tmp_path_factory):
    (root / "db.yaml").write_text("name: [")
    with pytest.raises(CorpusError, match="cannot be read"):
        load_corpus("audformat", root)
    with pytest.raises(CorpusError, match=r"holds no db\.yaml"):
        load_corpus("audformat", tmp_path_factory.mktemp("other"))


def test_a_pickle_is_not_opened(root):
    (root / "db.files.pkl").write_bytes(b"cos\nsystem\n(S'touch /tmp/never'\ntR.")
    with pytest.raises(CorpusError, match="is a pickle"):
        load_corpus("audformat", root)


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "audformat", None)
    (tmp_path / "db.yaml").write_text("name: mine\n")
    with pytest.raises(CorpusError, match="pip install audformat"):
        load_corpus("audformat", tmp_path)
