"""A part of a corpus that its publisher has as one ZIP archive, as RAVDESS is on Zenodo."""

import sys
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from training.corpora.fetching.checksums import file_digest, write_fetched_list
from training.corpora.fetching.download import Downloader, RemoteFile
from training.corpora.fetching.source import PublishedPart
from training.corpora.fetching.unpacking import unpack_recordings


@dataclass(frozen=True, kw_only=True)
class ZipArchive(PublishedPart):
    """ZIP archive of recordings; `size_bytes` is its exact size.

    Attributes:
        address: of the archive.
        file_name: of the archive, which is taken from the corpus's folder where it lies there already.
        md5: of the archive, in hexadecimal digits.
        folder: below the corpus's folder, for what is unpacked.
        most_unpacked_bytes: that the recordings may take.
    """

    address: str
    file_name: str
    md5: str
    folder: str
    most_unpacked_bytes: int

    def fetch(self, root: Path) -> None:
        """Download the archive, unless it lies there, check and unpack it, and remove what was downloaded."""
        own = root / self.file_name
        archive = own if self._is_whole(own) else self._download(own)
        files = unpack_recordings(archive, root, self.folder, most_bytes=self.most_unpacked_bytes)
        write_fetched_list(root / self.list_name, files)
        if archive != own:
            archive.unlink()

    def _is_whole(self, path: Path) -> bool:
        return path.is_file() and path.stat().st_size == self.size_bytes and file_digest(path, "md5") == self.md5

    def _download(self, path: Path) -> Path:
        file = RemoteFile(address=self.address, most_bytes=self.size_bytes, digest=self.md5)
        with Downloader(self.publisher) as web, byte_bar(self.name, self.size_bytes) as bar:
            return web.download(file, path, lambda n: bar.update(n - bar.n))


def byte_bar(doing: str, size_bytes: int | None) -> tqdm:
    """Make a progress bar of bytes on standard error, which shows on a terminal alone."""
    return tqdm(
        desc=doing, total=size_bytes, unit="B", unit_scale=True, disable=not sys.stderr.isatty(), file=sys.stderr
    )
