"""Fetch a corpus whole: what is there already, what is missing, and one question in between."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from segser_core.errors import CorpusError, DownloadError, UnknownCorpusError
from segser_core.files import write_lock
from segser_core.formatting import align_columns, one_line
from training.corpora.corpus import Corpus
from training.corpora.definition import CorpusDefinition
from training.corpora.fetching.checksums import files_to_fetch, read_fetched_list
from training.corpora.fetching.source import CorpusSource, PublishedPart
from training.corpora.fetching.unpacking import check_free_space


class Presence(StrEnum):
    """What a folder holds of a part; unchecked are all recordings where this command did not fetch them."""

    CHECKED = "there, checked"
    UNCHECKED = "there, not checked"
    DAMAGED = "there in part or changed, to fetch"
    ABSENT = "to fetch"


@dataclass(frozen=True)
class PartState:
    """A part of a corpus, what the folder holds of it, and the bytes to download."""

    part: PublishedPart
    presence: Presence
    bytes_to_fetch: int = 0

    @property
    def is_complete(self) -> bool:
        """Whether nothing is to be fetched."""
        return self.presence in (Presence.CHECKED, Presence.UNCHECKED)

    @property
    def disk_bytes(self) -> int:
        """Free space that fetching needs."""
        return self.bytes_to_fetch if self.bytes_to_fetch < self.part.size_bytes else self.part.disk_bytes


def corpus_source(definition: CorpusDefinition, song: bool, known: Sequence[str]) -> CorpusSource:
    """Find where a corpus is published.

    Args:
        definition: of the corpus.
        song: whether its songs are wanted, too.
        known: the corpora that can be fetched, for the message.

    Raises:
        UnknownCorpusError: it cannot be fetched, or it has no songs.
    """
    if definition.source is None:
        raise UnknownCorpusError(
            f"{definition.info.title} cannot be fetched by this command; it fetches {', '.join(known)}"
        )
    if song and definition.source.song is None:
        raise UnknownCorpusError(f"{definition.info.title} has no songs; leave out --song")
    return definition.source


def part_states(definition: CorpusDefinition, parts: Sequence[PublishedPart], root: Path) -> list[PartState]:
    """Check what a folder holds of some parts of a corpus.

    Raises:
        CorpusError: `root` is a file, or a list of what was fetched is damaged.
    """
    if root.exists() and not root.is_dir():
        raise CorpusError(f"{root} is a file; expected a folder")
    try:
        corpus = definition.load(root)
    except CorpusError:  # nothing of the corpus is there
        corpus = None
    return [_part_state(part, root, corpus) for part in parts]


def _part_state(part: PublishedPart, root: Path, corpus: Corpus | None) -> PartState:
    if listed := read_fetched_list(root / part.list_name):
        missing = files_to_fetch(root, listed)
        if missing:
            presence = Presence.DAMAGED if len(missing) < len(listed) else Presence.ABSENT
            return PartState(part, presence, part.bytes_of(missing))
        return PartState(part, Presence.CHECKED)
    if corpus and _clips(corpus, part) >= part.clips:
        return PartState(part, Presence.UNCHECKED)
    return PartState(part, Presence.ABSENT, part.size_bytes)


def _clips(corpus: Corpus, part: PublishedPart) -> int:
    """Count the recordings of a part, with those that the corpus's loader leaves out for being blank."""
    manifest = corpus.manifest
    blank = sum("blank" in file.why for file in corpus.left_out)
    return int((manifest["style"] == part.style).sum()) if part.style else len(manifest) + blank


def describe_source(definition: CorpusDefinition, source: CorpusSource, states: Sequence[PartState]) -> list[str]:
    """Write whence a corpus comes, under which licence, and how much of it is fetched: lines."""
    publisher = states[0].part.publisher
    rows = [(s.part.name, f"{s.part.clips} clips", megabytes(s.part.size_bytes), s.presence) for s in states]
    return [
        f"{definition.info.title}, from {publisher.name} ({publisher.page})",
        f"licence: {source.licence}",
        f"cite: {source.citation}",
        *(f"  {line}" for line in align_columns(rows, right=(1, 2))),
    ]


def fetch_parts(states: Sequence[PartState], root: Path, confirm: Callable[[str], bool]) -> None:
    """Fetch the parts of a corpus that are not complete, once the question is answered with yes.

    Args:
        states: of the parts.
        root: the corpus's folder; it is made where it is missing.
        confirm: asks a question; True for yes.

    Raises:
        DownloadError: a package is missing, the disk has no room, the answer is no, or the publisher does not send the
            parts as they should be.
    """
    wanted = [state for state in states if not state.is_complete]
    if not wanted:
        return
    for state in wanted:
        state.part.check_requirements()
    check_free_space(root, sum(state.disk_bytes for state in wanted))
    if not confirm(f"Download {megabytes(sum(state.bytes_to_fetch for state in wanted))} to {one_line(root)}?"):
        raise DownloadError("nothing was downloaded")
    with write_lock(root):
        root.mkdir(exist_ok=True)
        for state in wanted:
            state.part.fetch(root)


def megabytes(size: int) -> str:
    """Format a number of bytes as megabytes of a million each."""
    return f"{size / 1e6:.1f} MB"
