"""A part of a corpus that is published as a database of audb, as EMO-DB is: `pip install audb`."""

import importlib
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segser_core.errors import DownloadError
from segser_core.formatting import one_line
from training.corpora.fetching.checksums import FetchedFile, file_digest, write_fetched_list
from training.corpora.fetching.source import PublishedPart

WORKERS = 4


@dataclass(frozen=True, kw_only=True)
class AudbDatabase(PublishedPart):
    """Database of audb.

    Attributes:
        database: its name.
        version: its version.
        repository: name, host and backend of the publisher's repository; whatever the user's own configuration of
            audb names is not asked.
        folder: of the recordings, in the database and below the corpus's folder.
        extra: of this project that brings audb.
    """

    database: str
    version: str
    repository: tuple[str, str, str]
    folder: str
    extra: str

    def check_requirements(self) -> None:
        """Check that audb is installed.

        Raises:
            DownloadError: it is not.
        """
        self._audb()

    def fetch(self, root: Path) -> None:
        """Load the database beside the corpus's folder, check its recordings, and move them there."""
        audb, place = self._audb(), root.resolve()
        beside = place.parent / f".{place.name}.audb"
        with self._only_this_repository(audb):
            try:
                checksums = self._load(audb, beside)
            except Exception as error:  # audb's storage raises errors of several packages
                raise DownloadError(
                    f"audb cannot load {self.database} {self.version}: {one_line(error)}; what came is kept in "
                    f"{beside}: run the command again to go on"
                ) from error
        write_fetched_list(root / self.list_name, [self._move(beside, root, name, checksums) for name in checksums])
        shutil.rmtree(beside)

    def _audb(self) -> Any:
        try:
            return importlib.import_module("audb")
        except ImportError as error:
            raise DownloadError(
                f"{self.database} is fetched by the package audb, which is not installed: `pip install audb`, or "
                f"`pip install 'segser[{self.extra}]'`"
            ) from error

    @contextmanager
    def _only_this_repository(self, audb: Any) -> Iterator[None]:
        before = audb.config.REPOSITORIES
        audb.config.REPOSITORIES = [audb.Repository(*self.repository)]
        try:
            yield
        finally:
            audb.config.REPOSITORIES = before

    def _load(self, audb: Any, beside: Path) -> dict[str, str]:
        """Load the database; returns the MD5 of each of its recordings by its path."""
        cache, seen = str(beside / "cache"), sys.stderr.isatty()
        dependencies = audb.dependencies(self.database, version=self.version, cache_root=cache, verbose=seen)
        audb.load_to(
            str(beside / "database"),
            self.database,
            version=self.version,
            pickle_tables=False,
            cache_root=cache,
            num_workers=WORKERS,
            verbose=seen,
        )
        return {name: dependencies.checksum(name) for name in dependencies.media if not dependencies.removed(name)}

    def _move(self, beside: Path, root: Path, name: str, checksums: dict[str, str]) -> FetchedFile:
        """Move a recording whose MD5 is right to its place."""
        path = beside / "database" / name
        if Path(name).parent != Path(self.folder) or path.is_symlink() or not path.is_file():
            raise DownloadError(f"{self.database} {self.version} has no recording {name!r} in {self.folder}")
        got = file_digest(path, "md5")
        if got != checksums[name]:
            path.unlink()
            raise DownloadError(
                f"{name} of {self.database} has the MD5 {got}; expected {checksums[name]}, the publisher's; it is "
                "removed: run the command again"
            )
        fetched = FetchedFile(name, path.stat().st_size, file_digest(path, "sha256"))
        (root / self.folder).mkdir(exist_ok=True)
        shutil.copyfile(path, root / f"{name}.part")
        (root / f"{name}.part").replace(root / name)
        return fetched
