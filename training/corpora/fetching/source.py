"""Declaration of where a corpus is published: the address, the licence, and the parts that are fetched."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from training.corpora.fetching.checksums import FetchedFile


@dataclass(frozen=True, kw_only=True)
class Publisher:
    """Publisher of a corpus.

    Attributes:
        name: as people write it.
        page: the address at which people read of the corpus.
        origins: scheme and host of each address that may be asked, e.g. `https://zenodo.org`; a redirection that
            leads elsewhere is refused.
        tries: how often a request may fail in a row without a further byte.
        pause_s: seconds before the first repetition; each further one waits twice as long.
    """

    name: str
    page: str
    origins: tuple[str, ...]
    tries: int = 5
    pause_s: float = 1.0


@dataclass(frozen=True, kw_only=True)
class PublishedPart(ABC):
    """Part of a corpus that is fetched as one.

    Attributes:
        name: one word, e.g. speech.
        publisher: the publisher.
        clips: the number of recordings.
        size_bytes: of the download, as it is shown.
        disk_bytes: free space that fetching needs, at most.
        style: the manifest's `style` of these recordings; empty where the part is the whole corpus.
    """

    name: str
    publisher: Publisher
    clips: int
    size_bytes: int
    disk_bytes: int
    style: str = ""

    @property
    def list_name(self) -> str:
        """Name of the file in the corpus's folder that lists what was fetched."""
        return f"fetched-{self.name}.csv"

    def check_requirements(self) -> None:
        """Check that the packages for fetching are installed.

        Raises:
            DownloadError: one is missing.
        """
        return

    def bytes_of(self, missing: Sequence[FetchedFile]) -> int:
        """Count the bytes of the download that brings some missing recordings: the whole part, unless each is one."""
        return self.size_bytes

    @abstractmethod
    def fetch(self, root: Path) -> None:
        """Fetch the part to the corpus's folder, and list its files there under `list_name`.

        Raises:
            DownloadError: the publisher cannot be reached, or sends anything else than expected.
        """


@dataclass(frozen=True, kw_only=True)
class CorpusSource:
    """Publication of a corpus.

    Attributes:
        licence: its name, with its address.
        citation: of the paper that users are asked to cite.
        parts: those that are fetched without being asked for.
        song: the part that is fetched when songs are asked for, too.
    """

    licence: str
    citation: str
    parts: tuple[PublishedPart, ...]
    song: PublishedPart | None = None
