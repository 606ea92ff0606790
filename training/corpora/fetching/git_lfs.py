"""A part of a corpus that lies in the large-file storage of a git repository, as CREMA-D does.

The repository holds a pointer in place of each recording: a text with the SHA-256 and the size of the recording
(git-lfs.github.com/spec). The repository is downloaded as a ZIP archive of pointers and tables, then each recording.
"""

import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from segser_core.errors import DownloadError
from segser_core.files import write_whole
from training.corpora.fetching.checksums import FetchedFile, files_to_fetch, read_fetched_list, write_fetched_list
from training.corpora.fetching.download import Downloader, RemoteFile
from training.corpora.fetching.source import PublishedPart
from training.corpora.fetching.unpacking import open_archive
from training.corpora.fetching.zip_archive import byte_bar

MOST_POINTER_BYTES = 1024  # by the specification of git-lfs
DOWNLOADS_AT_ONCE = 4
MOST_TIMES_SIZE = 1.5  # of the pointers' sizes, beside the size that is shown
_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:ext-[^\n]*\n)*oid sha256:([0-9a-f]{64})\nsize (\d{1,12})\n"
)
_NAME = re.compile(r"[\w-]+\.wav", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class RepositoryTable:
    """A table of the repository: its path there, and the function from its content to the text of our own table."""

    path: str
    convert: Callable[[bytes], str]


@dataclass(frozen=True, kw_only=True)
class GitLfsFolder(PublishedPart):
    """Folder of a git repository whose recordings lie in large-file storage.

    Attributes:
        archive_address: of the repository as a ZIP archive, with pointers in place of recordings.
        most_archive_bytes: that this archive may have, packed and unpacked.
        media_address: of the large files; a path in the repository follows.
        folder: of the recordings, in the repository and below the corpus's folder.
        tables: what is made of the repository's tables where it is not there yet, by its path below the corpus's
            folder.
    """

    archive_address: str
    most_archive_bytes: int
    media_address: str
    folder: str
    tables: Mapping[str, RepositoryTable] = field(default_factory=dict)

    def bytes_of(self, missing: Sequence[FetchedFile]) -> int:
        """Count the bytes of missing recordings, each of which is downloaded alone."""
        return sum(file.size_bytes for file in missing)

    def fetch(self, root: Path) -> None:
        """Read the pointers, unless they are listed already, and download each recording that is not as they say."""
        with Downloader(self.publisher) as web:
            listed = read_fetched_list(root / self.list_name) or self._read_repository(web, root)
            missing = files_to_fetch(root, listed)
            (root / self.folder).mkdir(exist_ok=True)
            self._download_all(web, root, missing)

    def _read_repository(self, web: Downloader, root: Path) -> list[FetchedFile]:
        """Download the repository without its large files, write its tables, and list the recordings."""
        file = RemoteFile(address=self.archive_address, most_bytes=self.most_archive_bytes, exact=False)
        with byte_bar("list of recordings", None) as bar:
            path = web.download(file, root / "repository.zip", lambda n: bar.update(n - bar.n))
        try:
            with open_archive(path, self.most_archive_bytes) as archive:
                listed = read_pointers(archive, self.folder)
                self._check_pointers(listed)
                self._write_tables(archive, root)
        finally:
            path.unlink()
        write_fetched_list(root / self.list_name, listed)
        return listed

    def _check_pointers(self, listed: Sequence[FetchedFile]) -> None:
        size = sum(file.size_bytes for file in listed)
        if len(listed) != self.clips or size > MOST_TIMES_SIZE * self.size_bytes:
            raise DownloadError(
                f"{self.archive_address} lists {len(listed)} recordings, {size} bytes; expected {self.clips}, about "
                f"{self.size_bytes}: the publisher may have changed the corpus, see {self.publisher.page}"
            )

    def _write_tables(self, archive: zipfile.ZipFile, root: Path) -> None:
        members = {_below_top(member.filename): member for member in archive.infolist()}
        for name, table in self.tables.items():
            if (root / name).exists():
                continue
            if table.path not in members:
                raise DownloadError(
                    f"{self.archive_address} has no {table.path}: the publisher may have changed the corpus, see "
                    f"{self.publisher.page}"
                )
            write_whole(root / name, table.convert(archive.read(members[table.path])))

    def _download_all(self, web: Downloader, root: Path, missing: Sequence[FetchedFile]) -> None:
        pool = ThreadPoolExecutor(DOWNLOADS_AT_ONCE)
        try:
            waiting = {pool.submit(self._download_one, web, root, file): file for file in missing}
            with byte_bar(self.name, sum(file.size_bytes for file in missing)) as bar:
                for done in as_completed(waiting):
                    done.result()
                    bar.update(waiting[done].size_bytes)
        finally:
            pool.shutdown(cancel_futures=True)

    def _download_one(self, web: Downloader, root: Path, file: FetchedFile) -> None:
        remote = RemoteFile(
            address=self.media_address + file.file,
            most_bytes=file.size_bytes,
            algorithm="sha256",
            digest=file.sha256,
        )
        web.download(remote, root / file.file).replace(root / file.file)


def read_pointers(archive: zipfile.ZipFile, folder: str) -> list[FetchedFile]:
    """Read the pointers of the WAV files in a repository's folder.

    Args:
        archive: of the repository, whose members lie in one folder at the top.
        folder: in the repository.

    Raises:
        DownloadError: one is no pointer, or its name is none of a recording.
    """
    found = []
    for member in archive.infolist():
        path = PurePosixPath(_below_top(member.filename))
        if str(path.parent) != folder or path.suffix.lower() != ".wav":
            continue
        content = archive.read(member) if member.file_size <= MOST_POINTER_BYTES else b""
        pointer = _POINTER.fullmatch(content)
        if not pointer or not _NAME.fullmatch(path.name):
            raise DownloadError(
                f"{member.filename} in the repository's archive is no pointer of git-lfs to a recording; expected its "
                "SHA-256 and size"
            )
        found.append(FetchedFile(str(path), int(pointer[2]), pointer[1].decode("ascii")))
    return found


def _below_top(name: str) -> str:
    return name.partition("/")[2]
