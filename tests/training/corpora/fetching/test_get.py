"""`corpora get` from a publisher on the loopback: what it shows, asks, fetches, checks, leaves alone, and describes."""

import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from segser_core.errors import CorpusError
from segser_core.files import write_lock
from segser_core.runs.corpus_info import FETCH_COMMANDS
from tests.support.publisher_server import PublisherServer, ServedFile, short_wav, zip_of
from training.corpora import __main__ as command_line
from training.corpora import corpus_definitions
from training.corpora.fetching.checksums import read_fetched_list
from training.corpora.fetching.get import Presence, part_states
from training.corpora.fetching.zip_archive import ZipArchive

SPEECH = ("Actor_23/03-01-06-01-02-01-23.wav", "Actor_24/03-01-05-01-02-01-24.wav")
SONG = ("Actor_23/03-02-06-01-02-01-23.wav",)


def as_part(server: PublisherServer, content: bytes, **fields) -> ZipArchive:
    """Make a part of RAVDESS that lies on the server."""
    values = {
        "name": "speech",
        "style": "speech",
        "clips": 2,
        "publisher": server.publisher(),
        "size_bytes": len(content),
        "md5": hashlib.md5(content).hexdigest(),
        "address": f"{server.address}/speech.zip",
        "file_name": "speech.zip",
        "folder": "Speech",
        "most_unpacked_bytes": 10**6,
        "disk_bytes": 10**6,
    }
    return ZipArchive(**(values | fields))


@pytest.fixture
def ravdess(server, monkeypatch):
    """Let RAVDESS be published on the loopback: two clips of speech and one of song. Returns its definition."""
    speech = zip_of(*((name, short_wav(i)) for i, name in enumerate(SPEECH)))
    song = zip_of((SONG[0], short_wav(9)))
    server.files |= {"/speech.zip": ServedFile(speech), "/song.zip": ServedFile(song)}
    parts = {
        "parts": (as_part(server, speech),),
        "song": as_part(
            server,
            song,
            name="song",
            style="song",
            clips=1,
            address=f"{server.address}/song.zip",
            file_name="song.zip",
            folder="Song",
        ),
    }
    return publish(monkeypatch, "ravdess", **parts)


def publish(monkeypatch, name: str, **fields):
    """Change where a corpus is published for the time of a test; returns its definition."""
    definitions = dict(corpus_definitions())
    definitions[name] = replace(definitions[name], source=replace(definitions[name].source, **fields))
    monkeypatch.setattr("training.corpora.corpus_definitions", lambda: definitions)
    return definitions[name]


def get(*arguments: object, answer: str = ""):
    return CliRunner().invoke(command_line.app, ["get", *map(str, arguments)], input=answer)


def files(root: Path) -> set[str]:
    return {p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()}


def test_ravdess_is_fetched_checked_unpacked_and_described(ravdess, server, tmp_path):
    root = tmp_path / "corpora" / "ravdess"
    result = get("ravdess", "--root", root, answer="y\n")
    assert result.exit_code == 0, result.output
    assert files(root) == {*(f"Speech/{name}" for name in SPEECH), "fetched-speech.csv"}
    said = result.stdout
    assert "RAVDESS, from the test server" in said and "licence: CC BY-NC-SA 4.0, not for commercial use" in said
    assert "speech  2 clips" in said and "to fetch" in said and said.count("Download 0.0 MB to") == 1
    assert f"ravdess: 2 clips of 2452 in {root}" in said and "left out: 0 files" in said
    assert not (root / "speech.zip.part").exists()
    assert result.stderr == ""


def test_what_is_there_and_right_is_neither_asked_about_nor_fetched_again(ravdess, server, tmp_path):
    assert get("ravdess", "--root", tmp_path, "--yes").exit_code == 0
    again = get("ravdess", "--root", tmp_path)
    assert again.exit_code == 0 and "there, checked" in again.stdout and "Download" not in again.stdout
    assert len(server.requests) == 1


def test_a_recording_that_was_changed_or_deleted_is_fetched_again(ravdess, server, tmp_path):
    get("ravdess", "--root", tmp_path, "--yes")
    first, second = (tmp_path / "Speech" / name for name in SPEECH)
    first.write_bytes(first.read_bytes()[:-1] + b"?")
    result = get("ravdess", "--root", tmp_path, "--yes")
    assert result.exit_code == 0 and "there in part or changed" in result.stdout
    assert first.read_bytes() == short_wav(0)
    second.unlink()
    get("ravdess", "--root", tmp_path, "--yes")
    assert second.read_bytes() == short_wav(1)
    assert len(server.requests) == 3


def test_songs_are_fetched_where_they_are_asked_for(ravdess, server, tmp_path):
    get("ravdess", "--root", tmp_path, "--yes")
    result = get("ravdess", "--root", tmp_path, "--song", "--yes")
    assert files(tmp_path) >= {f"Speech/{SPEECH[0]}", f"Song/{SONG[0]}"}
    assert "there, checked" in result.stdout and "to fetch" in result.stdout
    assert [path for path, _ in server.requests] == ["/speech.zip", "/song.zip"]


@pytest.mark.parametrize(("answer", "status", "said"), [("n\n", 1, "nothing was downloaded"), ("", 2, "--yes")])
def test_nothing_is_downloaded_without_a_yes(ravdess, server, tmp_path, answer, status, said):
    result = get("ravdess", "--root", tmp_path / "root", answer=answer)
    assert result.exit_code == status and said in result.stderr
    assert server.requests == [] and files(tmp_path) == set()


def test_recordings_that_are_there_in_full_are_not_fetched(ravdess, server, tmp_path):
    """As one has them from elsewhere, in other folders."""
    for i, name in enumerate(SPEECH):
        (tmp_path / Path(name).name).write_bytes(short_wav(i))
    result = get("ravdess", "--root", tmp_path)
    assert result.exit_code == 0 and "there, not checked" in result.stdout
    assert server.requests == []


def test_an_archive_that_the_user_put_there_is_used_and_kept(ravdess, server, tmp_path):
    (tmp_path / "speech.zip").write_bytes(server.files["/speech.zip"].content)
    assert get("ravdess", "--root", tmp_path, "--yes").exit_code == 0
    assert server.requests == [] and (tmp_path / "speech.zip").is_file()
    assert (tmp_path / "Speech" / SPEECH[0]).read_bytes() == short_wav(0)


def test_an_archive_that_climbs_out_writes_nothing(server, monkeypatch, tmp_path):
    evil = zip_of((SPEECH[0], short_wav(0)), ("../../outside.wav", short_wav(1)))
    server.files["/speech.zip"] = ServedFile(evil)
    publish(monkeypatch, "ravdess", parts=(as_part(server, evil),))
    result = get("ravdess", "--root", tmp_path / "a" / "b", "--yes")
    assert result.exit_code == 1 and "which leads out of the folder; nothing of it is unpacked" in result.stderr
    assert {Path(name).suffix for name in files(tmp_path)} <= {".part"}


def test_a_download_that_breaks_for_good_goes_on_at_the_next_call(ravdess, server, tmp_path):
    served = server.files["/speech.zip"]
    served.breaks_after, served.ranges = 5000, False
    result = get("ravdess", "--root", tmp_path, "--yes")
    assert result.exit_code == 1 and "run the command again later to go on" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    served.breaks_after, served.ranges = 0, True
    assert get("ravdess", "--root", tmp_path, "--yes").exit_code == 0
    assert server.ranges("/speech.zip")[-1] == "bytes=5000-"


def test_a_folder_that_cannot_be_one_and_a_damaged_list_are_said(ravdess, tmp_path):
    (tmp_path / "file").write_text("")
    assert "is a file; expected a folder" in get("ravdess", "--root", tmp_path / "file", "--yes").stderr
    for text in ("nonsense", "file,size_bytes,sha256\n../a.wav,1,00\n", "file,size_bytes,sha256\n/etc/a.wav,1,00\n"):
        (tmp_path / "fetched-speech.csv").write_text(text)
        result = get("ravdess", "--root", tmp_path, "--yes")
        assert result.exit_code == 1 and "delete it, and fetch the corpus again" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["iemocap"], "IEMOCAP cannot be fetched by this command; it fetches cremad, emodb, ravdess"),
        (["nonsense"], "corpus 'nonsense' is unknown"),
        (["emodb", "--song"], "EMO-DB has no songs"),
    ],
)
def test_a_wrong_call_ends_with_2(tmp_path, arguments, said):
    result = get(*arguments, "--root", tmp_path)
    assert result.exit_code == 2 and said in result.stderr


def test_another_process_that_fetches_is_not_disturbed(ravdess, tmp_path):
    command = [sys.executable, "-m", "training.corpora", "get", "ravdess", "--yes", "--root", str(tmp_path)]
    with write_lock(tmp_path):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "another process is writing" in done.stderr


def test_states_of_parts(ravdess, tmp_path):
    parts = ravdess.source.parts
    assert [s.presence for s in part_states(ravdess, parts, tmp_path / "none")] == [Presence.ABSENT]
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / Path(SPEECH[0]).name).write_bytes(short_wav(0))
    assert [s.presence for s in part_states(ravdess, parts, tmp_path)] == [Presence.ABSENT]
    (tmp_path / "a" / Path(SPEECH[1]).name).write_bytes(short_wav(1))
    assert [s.presence for s in part_states(ravdess, parts, tmp_path)] == [Presence.UNCHECKED]
    parts[0].fetch(tmp_path)
    assert [s.presence for s in part_states(ravdess, parts, tmp_path)] == [Presence.CHECKED]
    assert sorted(f.file for f in read_fetched_list(tmp_path / "fetched-speech.csv")) == [f"Speech/{n}" for n in SPEECH]
    with pytest.raises(CorpusError, match="is a file"):
        part_states(ravdess, parts, tmp_path / "fetched-speech.csv")


def test_the_publishers_addresses_are_their_own_and_encrypted():
    for definition in corpus_definitions().values():
        for part in [*definition.source.parts, definition.source.song] if definition.source else []:
            origins = part.publisher.origins if part else ()
            assert all(origin.startswith("https://") for origin in origins)
    ravdess = corpus_definitions()["ravdess"].source
    assert (ravdess.parts[0].size_bytes, ravdess.parts[0].md5) == (208_468_073, "bc696df654c87fed845eb13823edef8a")
    assert ravdess.parts[0].publisher.origins == ("https://zenodo.org",)
    assert ravdess.parts[0].address.startswith("https://zenodo.org/records/1188976/")


def test_pages_name_the_command_of_each_corpus_that_can_be_fetched(monkeypatch):
    assert sorted(FETCH_COMMANDS) == sorted(d.name for d in corpus_definitions().values() if d.source)
    called = []
    monkeypatch.setattr("training.corpora.fetching.get.part_states", lambda d, parts, root: called.append(d.name) or [])
    monkeypatch.setattr("training.corpora.fetching.get.describe_source", lambda *_: [])
    for command in FETCH_COMMANDS.values():
        program, group, *arguments = command.split()
        assert (program, group) == ("segser", "corpora")
        CliRunner().invoke(command_line.app, arguments)
    assert called == list(FETCH_COMMANDS)
