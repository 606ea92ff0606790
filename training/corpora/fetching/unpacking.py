"""Unpacking of the recordings in a ZIP archive of whatever origin."""

import hashlib
import os
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from segser_core.errors import DownloadError
from training.corpora.fetching.checksums import FetchedFile

MOST_MEMBERS = 100_000
_BLOCK_BYTES = 1 << 20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_NO_RECORDINGS = ("__MACOSX",)


@contextmanager
def open_archive(path: Path, most_bytes: int) -> Iterator[zipfile.ZipFile]:
    """Open a ZIP archive whose members are all safe to unpack.

    Args:
        path: the archive.
        most_bytes: of all members together, unpacked.

    Raises:
        DownloadError: the archive is damaged, a member leads out of the folder, is a link, or the limits are exceeded.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(path.name, archive.infolist(), most_bytes)
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DownloadError(f"{path} is a damaged ZIP archive ({error}); delete it, and fetch it again") from error


def unpack_recordings(path: Path, root: Path, folder: str, *, most_bytes: int) -> list[FetchedFile]:
    """Unpack the WAV files of a ZIP archive, each whole or not at all.

    Args:
        path: the archive.
        root: the corpus's folder.
        folder: below `root`, where the archive's folders are put.
        most_bytes: of all members together, unpacked.

    Returns:
        The files, with their paths below `root`.

    Raises:
        DownloadError: as `open_archive` does; nothing is written then, but for damage that only unpacking shows.
    """
    with open_archive(path, most_bytes) as archive:
        wanted = [member for member in archive.infolist() if _is_recording(member.filename)]
        if not wanted:
            raise DownloadError(f"{path} holds no WAV file; expected the recordings of a corpus")
        return [_unpack(archive, member, root, f"{folder}/{member.filename}") for member in wanted]


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, root: Path, name: str) -> FetchedFile:
    """Unpack a member beside its place, and move it there; its CRC-32 is checked on the way."""
    place = root / name
    place.parent.mkdir(parents=True, exist_ok=True)
    part, digest, size = place.with_name(f"{place.name}.part"), hashlib.sha256(), 0
    try:
        with archive.open(member) as content, part.open("wb") as out:
            while block := content.read(_BLOCK_BYTES):
                size += len(block)
                digest.update(block)
                out.write(block)
        part.replace(place)
    finally:
        part.unlink(missing_ok=True)
    return FetchedFile(name, size, digest.hexdigest())


def _is_recording(name: str) -> bool:
    path = PurePosixPath(name)
    hidden = path.name.startswith(".") or path.parts[0] in _NO_RECORDINGS
    return path.suffix.lower() == ".wav" and not hidden


def _check_members(archive: str, members: list[zipfile.ZipInfo], most_bytes: int) -> None:
    """Refuse an archive before any of it is written."""
    if len(members) > MOST_MEMBERS:
        raise DownloadError(f"{archive} has {len(members)} members; at most {MOST_MEMBERS} are unpacked")
    size = sum(member.file_size for member in members)
    if size > most_bytes:
        raise DownloadError(f"{archive} unpacks to {size} bytes; expected at most {most_bytes}")
    for member in members:
        if why := _danger(member):
            raise DownloadError(f"{archive} holds {member.orig_filename!r}, {why}; nothing of it is unpacked")
    names = [member.filename.casefold() for member in members]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DownloadError(f"{archive} holds {twice!r} twice; nothing of it is unpacked")


def _danger(member: zipfile.ZipInfo) -> str:
    """Explain why a member is not safe to unpack; empty where it is."""
    name, mode = member.orig_filename, member.external_attr >> 16
    parts = PurePosixPath(name).parts
    if not name.isprintable() or "\\" in name or not parts:
        return "which is no name of a file on every system"
    if parts[0].startswith("/") or ":" in parts[0]:
        return "an absolute path"
    if ".." in parts:
        return "which leads out of the folder"
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "a link or another special file"
    if member.flag_bits & 1:
        return "which is encrypted"
    if member.compress_type not in _METHODS:
        return f"packed by the method {member.compress_type}, which publishers do not use"
    return ""


def check_free_space(root: Path, needed_bytes: int) -> None:
    """Check that the disk of a folder has room.

    Raises:
        DownloadError: it has not.
    """
    there = next(folder for folder in (root.absolute(), *root.absolute().parents) if folder.exists())
    free = shutil.disk_usage(os.fspath(there)).free
    if free < needed_bytes:
        raise DownloadError(
            f"{root} has {free / 1e6:.0f} MB free; fetching needs {needed_bytes / 1e6:.0f} MB: make room, or name a "
            "folder on another disk with --root"
        )
