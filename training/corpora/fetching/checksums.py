"""Checksums of files, and the list of what was fetched: `fetched-PART.csv` with file, size_bytes, sha256."""

import csv
import hashlib
import io
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path, PurePosixPath

from segser_core.errors import CorpusError
from segser_core.files import write_whole


@dataclass(frozen=True)
class FetchedFile:
    """A recording as its publisher has it: path below the corpus's folder, bytes, and SHA-256 in hexadecimal digits."""

    file: str
    size_bytes: int
    sha256: str


COLUMNS_FETCHED = [field.name for field in fields(FetchedFile)]


def file_digest(path: Path, algorithm: str) -> str:
    """Compute a file's checksum by `md5` or `sha256`, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()


def is_intact(root: Path, expected: FetchedFile) -> bool:
    """Check that a file is there, with the publisher's size and SHA-256."""
    path = root / expected.file
    return (
        path.is_file() and path.stat().st_size == expected.size_bytes and file_digest(path, "sha256") == expected.sha256
    )


def files_to_fetch(root: Path, listed: Iterable[FetchedFile]) -> list[FetchedFile]:
    """List the files that are missing, or are not as the publisher has them."""
    return [file for file in listed if not is_intact(root, file)]


def write_fetched_list(path: Path, files: Iterable[FetchedFile]) -> None:
    """Write the list of what was fetched, sorted by file."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS_FETCHED)
    writer.writerows(sorted(astuple(file) for file in files))
    write_whole(path, text.getvalue())


def read_fetched_list(path: Path) -> list[FetchedFile]:
    """Read the list of what was fetched; empty where there is none.

    Raises:
        CorpusError: the list is damaged.
    """
    if not path.is_file():
        return []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
        if reader.fieldnames != COLUMNS_FETCHED:
            raise ValueError(f"its columns are not {', '.join(COLUMNS_FETCHED)}")
        found = [FetchedFile(row["file"], int(row["size_bytes"]), row["sha256"]) for row in rows]
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise CorpusError(f"{path} is damaged ({error}); delete it, and fetch the corpus again") from error
    for entry in found:
        if ".." in PurePosixPath(entry.file).parts or Path(entry.file).is_absolute():
            raise CorpusError(f"{path} names {entry.file!r}, outside the folder; delete it, and fetch the corpus again")
    return found
