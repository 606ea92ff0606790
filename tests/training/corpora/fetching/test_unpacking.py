"""Unpacking of archives that are what they should be, and of such that climb out, link, lie or swell."""

import hashlib
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from segser_core.errors import DownloadError
from training.corpora.fetching import unpacking
from training.corpora.fetching.unpacking import check_free_space, unpack_recordings

LIMIT = 10_000


def pack(path: Path, members: dict[str, bytes], **attributes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            for key, value in attributes.items():
                setattr(info, key, value)
            archive.writestr(info, content)
    return path


def below(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_recordings_are_unpacked_with_their_folders(tmp_path):
    members = {
        "Actor_01/a.wav": b"aa",
        "b.WAV": b"b",
        "notes.txt": b"no recording",
        "__MACOSX/Actor_01/._a.wav": b"",
        "._a.wav": b"",
    }
    archive = pack(tmp_path / "a.zip", members)
    files = unpack_recordings(archive, tmp_path / "root", "Speech", most_bytes=LIMIT)
    assert below(tmp_path / "root") == {"Speech/Actor_01/a.wav", "Speech/b.WAV"}
    assert (tmp_path / "root" / "Speech" / "Actor_01" / "a.wav").read_bytes() == b"aa"
    assert [(f.file, f.size_bytes, f.sha256) for f in files] == [
        ("Speech/Actor_01/a.wav", 2, hashlib.sha256(b"aa").hexdigest()),
        ("Speech/b.WAV", 1, hashlib.sha256(b"b").hexdigest()),
    ]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../a.wav", "leads out"),
        ("Actor_01/../../a.wav", "leads out"),
        ("../../../../tmp/notes.txt", "leads out"),
        ("/tmp/a.wav", "absolute"),
        ("//server/a.wav", "absolute"),
        ("C:/a.wav", "absolute"),
        ("C:a.wav", "absolute"),
        ("..\\a.wav", "no name of a file on every system"),
        ("C:\\a.wav", "no name of a file on every system"),
        ("a\n.wav", "no name of a file on every system"),
    ],
)
def test_nothing_climbs_out(tmp_path, name, why):
    archive = pack(tmp_path / "a.zip", {"good.wav": b"a", name: b"b"})
    with pytest.raises(DownloadError, match=f"{why}.*nothing of it is unpacked"):
        unpack_recordings(archive, tmp_path / "root" / "deep", "Speech", most_bytes=LIMIT)
    assert below(tmp_path) == {"a.zip"}


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(tmp_path, kind):
    archive = pack(tmp_path / "a.zip", {"a.wav": b"/etc/passwd"}, external_attr=(kind | 0o777) << 16, create_system=3)
    with pytest.raises(DownloadError, match="a link or another special file"):
        unpack_recordings(archive, tmp_path / "root", "Speech", most_bytes=LIMIT)
    assert below(tmp_path) == {"a.zip"}


def test_more_than_the_bound_is_refused_before_any_of_it_is_written(tmp_path):
    archive = pack(tmp_path / "a.zip", {"a.wav": bytes(LIMIT), "b.wav": b"b"})
    assert archive.stat().st_size < 500
    with pytest.raises(DownloadError, match=r"unpacks to 10001 bytes; expected at most 10000"):
        unpack_recordings(archive, tmp_path / "root", "Speech", most_bytes=LIMIT)
    assert below(tmp_path) == {"a.zip"}


def test_a_member_that_is_larger_than_it_says_is_refused(tmp_path):
    """The directory of the archive names 10 bytes in place of 9000."""
    archive = pack(tmp_path / "a.zip", {"a.wav": bytes(9000)})
    content = bytearray(archive.read_bytes())
    entry = content.index(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = struct.pack("<I", 10)
    archive.write_bytes(content)
    with pytest.raises(DownloadError, match="damaged ZIP archive"):
        unpack_recordings(archive, tmp_path / "root", "Speech", most_bytes=LIMIT)
    assert below(tmp_path) == {"a.zip"}


def test_a_damaged_member_is_not_left_half_written(tmp_path):
    archive = pack(tmp_path / "a.zip", {"a.wav": b"a" * 2000}, compress_type=zipfile.ZIP_STORED)
    content = archive.read_bytes()
    archive.write_bytes(content.replace(b"a" * 2000, b"a" * 1999 + b"b"))
    with pytest.raises(DownloadError, match="damaged ZIP archive"):
        unpack_recordings(archive, tmp_path / "root", "Speech", most_bytes=LIMIT)
    assert below(tmp_path) == {"a.zip"}


@pytest.mark.parametrize("content", [b"", b"<html>Sorry</html>", b"PK\x05\x06" + bytes(10)])
def test_what_is_no_archive_is_said(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(DownloadError, match="damaged ZIP archive"):
        unpack_recordings(tmp_path / "a.zip", tmp_path / "root", "Speech", most_bytes=LIMIT)


def test_an_archive_without_recordings_is_said(tmp_path):
    with pytest.raises(DownloadError, match="holds no WAV file"):
        unpack_recordings(pack(tmp_path / "a.zip", {"a.txt": b""}), tmp_path, "Speech", most_bytes=LIMIT)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.wav", b"1")
        archive.writestr("A.wav", b"2")
    with pytest.raises(DownloadError, match=r"holds 'a\.wav' twice"):
        unpack_recordings(tmp_path / "a.zip", tmp_path / "root", "Speech", most_bytes=LIMIT)


def test_too_many_members_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(unpacking, "MOST_MEMBERS", 2)
    archive = pack(tmp_path / "a.zip", {f"{i}.wav": b"" for i in range(3)})
    with pytest.raises(DownloadError, match="3 members; at most 2"):
        unpack_recordings(archive, tmp_path / "root", "Speech", most_bytes=LIMIT)


def test_a_member_of_an_unusual_method_or_encrypted_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.wav", b"1")
    with pytest.raises(DownloadError, match="packed by the method 14"):
        unpack_recordings(tmp_path / "a.zip", tmp_path / "root", "Speech", most_bytes=LIMIT)
    archive = pack(tmp_path / "b.zip", {"a.wav": b"1"})
    content = bytearray(archive.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(content)
    with pytest.raises(DownloadError, match="encrypted"):
        unpack_recordings(archive, tmp_path / "root", "Speech", most_bytes=LIMIT)


def test_a_full_disk_is_said_before_the_download(tmp_path):
    check_free_space(tmp_path / "not" / "there" / "yet", 1)
    with pytest.raises(DownloadError, match=r"MB free; fetching needs 1000000000000 MB"):
        check_free_space(tmp_path / "not" / "there" / "yet", 10**18)
