"""CREMA-D from a repository on the loopback: pointers, large files, tables."""

import hashlib
from dataclasses import replace

import pytest

from segser_core.errors import CorpusError, DownloadError
from tests.support.publisher_server import PublisherServer, ServedFile, short_wav, zip_of
from training.corpora import corpus_definitions, load_corpus
from training.corpora.cremad import actors_from_demographics, votes_from_tabulated
from training.corpora.fetching.get import Presence, part_states
from training.corpora.fetching.git_lfs import GitLfsFolder

NAMES = ("1001_DFA_ANG_XX", "1002_IEO_SAD_HI", "1003_TSI_NEU_XX")
CLIPS = {f"AudioWAV/{name}.wav": short_wav(i) for i, name in enumerate(NAMES)}
DEMOGRAPHICS = (
    b'"ActorID","Age","Sex","Race","Ethnicity"\n1001,51,"Male","Caucasian","Not Hispanic"\n1002,21,"Female","",""\n'
)
VOTES = (
    b'"","A","D","F","H","N","S","fileName","numResponses"\n'
    b'"100062",6,2,0,0,1,0,"1001_DFA_ANG_XX",9\n'
    b'"200062",9,0,0,0,0,0,"1001_DFA_ANG_XX",9\n'
    b'"300062",0,9,0,0,0,0,"1001_DFA_ANG_XX",9\n'
    b'"100003",0,0,0,0,1,8,"1002_IEO_SAD_HI",9\n'
)


def pointer(content: bytes, **fields) -> bytes:
    digest, size = fields.get("digest", hashlib.sha256(content).hexdigest()), fields.get("size", len(content))
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {size}\n".encode()


def repository(pointers: dict[str, bytes]) -> bytes:
    """Pack a repository as GitHub does: everything in one folder, pointers in place of recordings."""
    members = {
        **pointers,
        "VideoFlash/1001_DFA_ANG_XX.flv": pointer(b"video"),
        "README.md": b"...",
        "VideoDemographics.csv": DEMOGRAPHICS,
        "processedResults/tabulatedVotes.csv": VOTES,
    }
    return zip_of(*((f"CREMA-D-master/{name}", content) for name, content in members.items()))


def serve(server: PublisherServer, pointers: dict[str, bytes] | None = None) -> GitLfsFolder:
    """Serve three clips of CREMA-D; returns the part."""
    archive = repository({name: pointer(c) for name, c in CLIPS.items()} if pointers is None else pointers)
    server.files["/archive.zip"] = ServedFile(archive)
    server.files |= {f"/media/{name}": ServedFile(content) for name, content in CLIPS.items()}
    (part,) = corpus_definitions()["cremad"].source.parts
    return replace(
        part,
        publisher=server.publisher(),
        clips=3,
        size_bytes=sum(map(len, CLIPS.values())),
        archive_address=f"{server.address}/archive.zip",
        media_address=f"{server.address}/media/",
    )


def test_recordings_come_by_their_pointers_and_the_tables_are_made(server, tmp_path):
    part = serve(server)
    part.fetch(tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in CLIPS} == CLIPS
    corpus = load_corpus("cremad", tmp_path)
    assert corpus.left_out == () and corpus.manifest["utterance_id"].tolist() == list(NAMES)
    assert corpus.manifest["gender"].tolist() == ["male", "female", ""]
    assert corpus.manifest["age"].tolist()[:2] == [51, 21]
    assert corpus.manifest["heard"].tolist() == ["angry", "sad", ""]
    assert corpus.manifest["agreement"].tolist()[:2] == pytest.approx([6 / 9, 8 / 9])
    assert {p.name for p in tmp_path.iterdir()} == {"AudioWAV", "actors.csv", "votes_audio.csv", "fetched-cremad.csv"}


def test_only_what_is_missing_or_wrong_is_fetched_again(server, tmp_path):
    part = serve(server)
    part.fetch(tmp_path)
    first, second, _ = CLIPS
    (tmp_path / first).write_bytes(b"?" * len(CLIPS[first]))
    (tmp_path / second).unlink()
    (tmp_path / "actors.csv").write_text("actor,age,sex\n1001,1,male\n")
    server.requests.clear()
    (state,) = part_states(corpus_definitions()["cremad"], [part], tmp_path)
    assert (state.presence, state.bytes_to_fetch) == (Presence.DAMAGED, len(CLIPS[first]) + len(CLIPS[second]))
    part.fetch(tmp_path)
    assert sorted(path for path, _ in server.requests) == [f"/media/{first}", f"/media/{second}"]
    assert {name: (tmp_path / name).read_bytes() for name in CLIPS} == CLIPS
    assert (tmp_path / "actors.csv").read_text() == "actor,age,sex\n1001,1,male\n"


def test_a_break_leaves_what_came_and_the_next_call_fetches_the_rest(server, tmp_path):
    part, (first, *_) = serve(server), CLIPS
    server.files[f"/media/{first}"].statuses = [404]
    with pytest.raises(DownloadError, match="the server answers 404"):
        part.fetch(tmp_path)
    assert not (tmp_path / first).exists()
    part.fetch(tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in CLIPS} == CLIPS
    assert sum(path == "/archive.zip" for path, _ in server.requests) == 1


def test_a_recording_that_is_not_as_its_pointer_says_is_refused(server, tmp_path):
    part, (first, *_) = serve(server), CLIPS
    wrong = CLIPS[first][:-1] + bytes([CLIPS[first][-1] ^ 1])
    server.files[f"/media/{first}"] = ServedFile(wrong)
    with pytest.raises(DownloadError, match="has the SHA256"):
        part.fetch(tmp_path)
    assert not list((tmp_path / "AudioWAV").glob(f"{NAMES[0]}*"))


@pytest.mark.parametrize(
    "content",
    [
        b"RIFF and no pointer",
        b"",
        b"x" * 2000,
        pointer(b"", digest="abc"),
        pointer(b"", size="-1"),
        pointer(b"") + b"more",
    ],
)
def test_what_is_no_pointer_is_refused(server, tmp_path, content):
    part = serve(server, dict.fromkeys(CLIPS, content))
    with pytest.raises(DownloadError, match=r"is no pointer of git-lfs"):
        part.fetch(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["AudioWAV/a b.wav", "AudioWAV/ä.wav"])
def test_a_name_that_is_none_of_a_recording_is_refused(server, tmp_path, name):
    with pytest.raises(DownloadError, match="is no pointer of git-lfs to a recording"):
        serve(server, {name: pointer(b"a")}).fetch(tmp_path)


@pytest.mark.parametrize(
    "pointers",
    [{}, {next(iter(CLIPS)): pointer(b"a")}, {name: pointer(b"", size=10**11) for name in CLIPS}],
)
def test_a_repository_that_lists_another_corpus_is_refused(server, tmp_path, pointers):
    with pytest.raises(DownloadError, match=r"lists \d recordings, \d+ bytes; expected 3, about \d+: the"):
        serve(server, pointers).fetch(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_tables_without_their_columns_are_said():
    assert actors_from_demographics(DEMOGRAPHICS) == "actor,age,sex\n1001,51,male\n1002,21,female\n"
    assert votes_from_tabulated(VOTES).splitlines() == [
        "file,angry,disgust,fearful,happy,neutral,sad",
        "1001_DFA_ANG_XX,6,2,0,0,1,0",
        "1002_IEO_SAD_HI,0,0,0,0,1,8",
    ]
    with pytest.raises(CorpusError, match="has no column ActorID, Age, Sex"):
        actors_from_demographics(b"a,b\n1,2\n")
    with pytest.raises(CorpusError, match="cannot be read"):
        votes_from_tabulated(b"")
