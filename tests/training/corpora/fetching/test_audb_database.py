"""EMO-DB as a database of audb, published to a folder."""

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from segser_core.errors import DownloadError
from tests.support.publisher_server import short_wav
from training.corpora import corpus_definitions, load_corpus
from training.corpora.fetching.audb_database import AudbDatabase
from training.corpora.fetching.checksums import read_fetched_list

NAMES = ("wav/03a01Fa.wav", "wav/08b02Wb.wav")


def published(folder: Path) -> AudbDatabase:
    """Publish two clips of EMO-DB to a folder; returns the part."""
    audb, audformat = pytest.importorskip("audb"), pytest.importorskip("audformat")
    made = folder / "made"
    (made / "wav").mkdir(parents=True)
    for i, name in enumerate(NAMES):
        (made / name).write_bytes(short_wav(i))
    database = audformat.Database("emodb")
    database.schemes["emotion"] = audformat.Scheme(labels=["anger", "happiness"])
    database["emotion"] = audformat.Table(audformat.filewise_index(list(NAMES)))
    database["emotion"]["emotion"] = audformat.Column(scheme_id="emotion")
    database["emotion"]["emotion"].set(["happiness", "anger"])
    database.save(str(made))
    host = folder / "host"
    (host / "public").mkdir(parents=True)
    audb.publish(str(made), "1.4.1", audb.Repository("public", str(host), "file-system"), verbose=False)
    (part,) = corpus_definitions()["emodb"].source.parts
    return replace(part, clips=2, repository=("public", str(host), "file-system"))


def test_the_recordings_are_loaded_checked_and_nothing_else_stays(tmp_path):
    part = published(tmp_path)
    root = tmp_path / "corpora" / "emodb"
    root.mkdir(parents=True)
    part.fetch(root)
    assert [(root / name).read_bytes() for name in NAMES] == [short_wav(0), short_wav(1)]
    corpus = load_corpus("emodb", root)
    assert corpus.manifest["label"].tolist() == ["happy", "angry"] and corpus.left_out == ()
    assert {p.name for p in root.iterdir()} == {"wav", "fetched-emodb.csv"}
    assert {p.name for p in root.parent.iterdir()} == {"emodb"}
    assert [f.file for f in read_fetched_list(root / "fetched-emodb.csv")] == list(NAMES)


def test_the_users_own_repositories_are_not_asked_and_stay_as_they_are(tmp_path):
    audb = pytest.importorskip("audb")
    part = published(tmp_path)
    before = audb.config.REPOSITORIES
    with pytest.raises(DownloadError, match=r"audb cannot load emodb 9\.9\.9: .*run the command again to go on"):
        replace(part, version="9.9.9").fetch(tmp_path)
    assert audb.config.REPOSITORIES is before


def test_a_recording_of_another_checksum_is_refused(tmp_path, monkeypatch):
    part = published(tmp_path)
    root = tmp_path / "root"
    root.mkdir()
    monkeypatch.setattr(AudbDatabase, "_load", lambda self, audb, beside: damaged(tmp_path / "made", beside))
    with pytest.raises(DownloadError, match=r"wav/03a01Fa\.wav of emodb has the MD5 .*; expected 00, the publisher's"):
        part.fetch(root)
    assert not (root / NAMES[0]).exists() and not (root / "fetched-emodb.csv").exists()


def damaged(made: Path, beside: Path) -> dict[str, str]:
    """Lay the database as audb would, with checksums that no file has."""
    shutil.copytree(made, beside / "database")
    return dict.fromkeys(NAMES, "00")


def test_a_missing_package_is_named_with_its_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "audb", None)
    (part,) = corpus_definitions()["emodb"].source.parts
    with pytest.raises(DownloadError, match=r"`pip install audb`, or `pip install 'segser\[emodb\]'`"):
        part.check_requirements()
