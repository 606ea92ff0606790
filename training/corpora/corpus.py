"""The manifest of a corpus, and the steps that loaders share: walk a folder, read names and durations.

The manifest has a row an utterance and at least the columns `COLUMNS`. Nothing is guessed: a
file that does not fit its corpus's layout is left out, by name, with the reason.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pandas as pd
from av.container import InputContainer

from segser_core.audio.decoding import SAMPLE_RATE_HZ, open_container, open_source
from segser_core.audio.loading import audio_blocks
from segser_core.errors import AudioError, CorpusError
from segser_core.labels import LABELS

COLUMNS = ("utterance_id", "path", "speaker", "session", "gender", "label", "duration_s", "text", "style")
ENDINGS = (".wav", ".flac")
COUNTED_FORMATS = ("wav", "w64", "flac", "aiff", "au", "mov", "ogg")  # whose headers or pages count samples
PIECE_S = 60.0
SPELLINGS = {
    "joy": "happy",
    "happiness": "happy",
    "sadness": "sad",
    "anger": "angry",
    "anxiety": "fearful",
    "fear": "fearful",
    "boredom": "bored",
    "surprise": "surprised",
    "affection": "tender",
    "tenderness": "tender",
    "excitement": "excited",
    "frustration": "frustrated",
}


@dataclass(frozen=True)
class LeftOut:
    """A file that is not in the manifest: its path relative to the root, why, and whether it is a recording lost."""

    path: str
    why: str
    lost: bool = False


@dataclass(frozen=True)
class Utterance:
    """A recording as its file's name describes it, in the project's spelling; empty where unknown."""

    utterance_id: str
    speaker: str
    gender: str
    label: str
    text: str
    style: str
    session: str = ""


@dataclass(frozen=True)
class Counts:
    """Numbers of utterances of the complete corpus by the values of some columns.

    Attributes:
        columns: of the manifest; one alone where no labels are named.
        numbers: by the values of these columns.
        labels: utterances of these labels are counted, all where it is empty.
    """

    columns: tuple[str, ...]
    numbers: dict[tuple[str, ...], int]
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Corpus:
    """A corpus on disk.

    `manifest` holds `COLUMNS` in that order, then what else is known, sorted by utterance_id; `path` is relative
    to `root`, with forward slashes. `expected` counts the labels of the complete corpus, where that is known,
    `further` what else is known of it. `notes` are facts that a result on this corpus must be read with.
    """

    name: str
    root: Path
    manifest: pd.DataFrame
    left_out: tuple[LeftOut, ...] = ()
    expected: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    further: tuple[Counts, ...] = ()


class Misfit(ValueError):
    """A file outside its corpus's layout; the text is the reason."""


class Lost(Misfit):
    """A recording that should be there and is not, or cannot be read."""


def normalise_label(label: str) -> str:
    """Spell a label as the project does; a label that is none of the project's own stays as it is."""
    small = label.strip().lower()
    return SPELLINGS.get(small, small if small in LABELS else label.strip())


def check_folder(root: Path) -> None:
    """Check that there is such a folder.

    Raises:
        CorpusError: there is none.
    """
    if not root.is_dir():
        raise CorpusError(f"{root} is no folder; give the folder that holds the corpus")


def counted_duration_s(container: InputContainer) -> float | None:
    """Read the seconds of sound from a header that counts samples; None where it guesses, or sound begins later."""
    stream = next(iter(container.streams.audio), None)
    is_counted = any(name in COUNTED_FORMATS for name in container.format.name.split(","))
    if stream is None or not is_counted or stream.start_time or not stream.duration or not stream.time_base:
        return None
    return float(stream.duration * stream.time_base)


def read_duration_s(path: Path) -> float:
    """Read the seconds of sound from a header that counts samples; otherwise, as of MP3 and bare AAC, decode the file.

    Raises:
        Lost: the file holds no sound that can be read.
    """
    try:
        with open_source(path) as file, open_container(file) as container:
            counted_s = counted_duration_s(container)
        if counted_s is not None:
            return counted_s
        return sum(map(len, audio_blocks(path, PIECE_S))) / SAMPLE_RATE_HZ
    except AudioError as error:
        raise Lost(f"not a readable recording ({error})") from error


def candidate_paths(root: Path, endings: tuple[str, ...]) -> Iterator[tuple[Path, str | None]]:
    """Walk the files below `root` in order of name, each with the reason if it cannot be a recording of the corpus."""
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        if path.name.startswith("."):
            yield path, "a hidden file"
        elif path.suffix.lower() not in endings:
            yield path, f"its ending is not {' or '.join(endings)}"
        else:
            yield path, None


def load_by_file_name(
    root: Path,
    parse: Callable[[str], Utterance],
    *,
    with_folders: bool = False,
    endings: tuple[str, ...] = ENDINGS,
    tables: tuple[str, ...] = (),
) -> tuple[pd.DataFrame, tuple[LeftOut, ...]]:
    """Make the manifest of a corpus whose file names describe the recordings.

    Args:
        root: the folder that holds the corpus.
        parse: from a file's name without ending to its utterance; raises `Misfit` with the reason.
        with_folders: the name that `parse` is given begins with the folders below `root`.
        endings: of the recordings, in small letters.
        tables: files directly in `root` that hold no recording and are not named as left out.

    Raises:
        CorpusError: there is no such folder, or no file in it fits.
    """
    check_folder(root)
    rows: dict[str, dict[str, object]] = {}
    left_out = []
    for path, why in candidate_paths(root, endings):
        name = path.relative_to(root).as_posix()
        if name in tables:
            continue
        try:
            if why:
                raise Misfit(why)
            utterance = parse(name.removesuffix(path.suffix) if with_folders else path.stem)
            if first := rows.get(utterance.utterance_id):
                raise Misfit(f"a second recording of that name; {first['path']} is used")
            rows[utterance.utterance_id] = {**asdict(utterance), "path": name, "duration_s": read_duration_s(path)}
        except Misfit as error:
            left_out.append(LeftOut(name, str(error), isinstance(error, Lost)))
    if not rows:
        raise CorpusError(
            f"no recording in {root} fits the corpus ({len(left_out)} files do not); is it the right folder?"
        )
    return pd.DataFrame([rows[i] for i in sorted(rows)], columns=list(COLUMNS)), tuple(left_out)
