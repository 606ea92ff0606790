"""Keep notes and tags on a run's clips in one JSON file beside the run folder.

The file holds {utterance_id: {"note": text, "tags": [..], "changed": UTC time}}. It is changed under a lock, a
clip at a time, and written whole beside its place and renamed: several sessions lose nothing of one another's.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segser_core.bundled import BUNDLED
from segser_core.errors import RunError
from segser_core.files import write_whole
from segser_core.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd


PATIENCE_S = 10.0


@dataclass(frozen=True)
class Note:
    """A note on a clip: text, tags, and time (UTC, ISO 8601)."""

    note: str = ""
    tags: tuple[str, ...] = ()
    changed: str = ""

    @property
    def content(self) -> tuple[str, tuple[str, ...]]:
        """Return text and tags, without the time."""
        return self.note, self.tags

    def __bool__(self) -> bool:
        return bool(self.note or self.tags)


class NoteChanged(RunError):
    """Conflict: someone else has changed the note in the meantime; `now` is its present state."""

    def __init__(self, message: str, now: Note):
        super().__init__(message)
        self.now = now


def notes_path(run: Run) -> Path:
    """Locate a run's notes: beside its folder, `NAME.notes.json`.

    Those of a bundled run, which lies inside the installed package, are in the folder `SEGSER_NOTES`,
    or in ~/.local/share/segser/notes.
    """
    if run.path.parent != BUNDLED:
        folder = run.path.resolve()
        return folder.with_name(f"{folder.name}.notes.json")
    own = os.environ.get("SEGSER_NOTES")
    return (Path(own) if own else Path.home() / ".local" / "share" / "segser" / "notes") / f"{run.name}.notes.json"


def read_notes(file: Path) -> dict[str, Note]:
    """Read all notes by utterance; none where there is no file yet.

    Raises:
        RunError: the file cannot be read, or holds something else.
    """
    try:
        content = json.loads(file.read_bytes())
        return {str(utterance): _note(entry) for utterance, entry in content.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RunError(
            f"{file} cannot be read as notes: {error!r}; it was left as it is: mend it, or move it away to begin anew"
        ) from error


def _note(entry: Mapping[str, Any]) -> Note:
    note, tags = entry["note"], entry["tags"]
    if not isinstance(note, str) or not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise ValueError(f"expected a text and a list of tags, got {entry!r}")
    return Note(note, tuple(tags), str(entry.get("changed", "")))


def write_note(file: Path, utterance_id: str, note: Note, seen: Note) -> Note:
    """Write one clip's note under a lock, beside the notes of others; an empty note is removed.

    Args:
        file: of `notes_path`.
        utterance_id: the clip.
        note: what it is to say; the time is added.
        seen: what it said when the writer last looked.

    Returns:
        The note as it is now in the file.

    Raises:
        NoteChanged: someone else has changed this very note since; it stays as they left it.
        RunError: the file cannot be read or written; it stays as it was.
    """
    with _notes_lock(file):
        notes = read_notes(file)
        now = notes.get(utterance_id, Note())
        if now.content not in (seen.content, note.content):
            raise NoteChanged(
                f"The note on {utterance_id} was changed by someone else in the meantime and now says: "
                f"{' '.join((now.note, *(f'[{tag}]' for tag in now.tags))) or 'nothing'}. Save again to replace it",
                now,
            )
        written = Note(note.note, note.tags, datetime.now(UTC).isoformat(timespec="seconds")) if note else Note()
        _write(file, {name: n for name, n in (notes | {utterance_id: written}).items() if n})
    return written


def add_notes(table: "pd.DataFrame", notes: Mapping[str, Note]) -> "pd.DataFrame":
    """Add the columns `note` and `tags` to a table of clips, the tags joined by commas; empty without a note."""
    found = [notes.get(utterance, Note()) for utterance in table.utterance_id]
    return table.assign(note=[n.note for n in found], tags=[", ".join(n.tags) for n in found])


def used_tags(notes: Mapping[str, Note]) -> list[str]:
    """List every tag that is in use, sorted."""
    return sorted({tag for note in notes.values() for tag in note.tags})


@contextmanager
def _notes_lock(file: Path) -> Iterator[None]:
    """Hold the notes' lock, among threads and processes; a hidden file beside them."""
    from filelock import FileLock, Timeout

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(file.with_name(f".{file.name}.lock"), timeout=PATIENCE_S):
            yield
    except Timeout:
        raise RunError(f"{file} has been held by another program for {PATIENCE_S:.0f} s; try again") from None
    except OSError as error:
        raise RunError(
            f"{file} cannot be written: {error.strerror or error}; allow writing to {file.parent}, or copy the run "
            "to a folder of your own"
        ) from error


def _write(file: Path, notes: Mapping[str, Note]) -> None:
    text = json.dumps({utterance: asdict(note) for utterance, note in notes.items()}, indent=1, ensure_ascii=False)
    write_whole(file, text + "\n")
