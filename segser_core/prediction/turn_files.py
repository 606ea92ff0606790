"""Read turns of speech from CSV, Praat TextGrid, ELAN, SRT, WebVTT and RTTM."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from segser_core.errors import TurnsError
from segser_core.formatting import one_line
from segser_core.prediction.known_changes import decode_text
from segser_core.prediction.turn_cues import read_srt_turns, read_vtt_turns
from segser_core.prediction.turn_tables import read_csv_turns, read_rttm_turns
from segser_core.prediction.turn_tiers import read_elan_turns, read_textgrid_turns
from segser_core.prediction.turns import Turn, check_turns

MOST_TURNS_BYTES = 50_000_000
MOST_NAMED_FILES = 5


@dataclass(frozen=True)
class TurnReader:
    """Reader of a format, and whether the format has tiers."""

    read: Callable[[str, Sequence[str]], list[Turn]]
    tiers: bool = False


TURN_READERS = {
    ".csv": TurnReader(read_csv_turns),
    ".tsv": TurnReader(read_csv_turns),
    ".textgrid": TurnReader(read_textgrid_turns, tiers=True),
    ".eaf": TurnReader(read_elan_turns, tiers=True),
    ".srt": TurnReader(read_srt_turns),
    ".vtt": TurnReader(read_vtt_turns),
    ".rttm": TurnReader(read_rttm_turns),
}


def read_turns(name: str, data: bytes, tiers: Sequence[str] = ()) -> tuple[Turn, ...]:
    """Read the turns in a file, whose ending says which format it has; those of each recording are checked.

    A CSV has the columns `start` and `end` (or `duration`) in seconds (`start_ms`, `end_ms` in milliseconds), and
    `speaker`, `text` and `file` as known. In TextGrid and ELAN each tier is a speaker, but for a lone tier that is
    called `speaker` or `turns`, whose labels are the speakers; intervals without text are pauses. RTTM names
    recordings and speakers, WebVTT and whisperX's SRT speakers.

    Args:
        name: of the file.
        data: its bytes.
        tiers: names of the TextGrid's or ELAN document's tiers to take; all where it is empty.

    Returns:
        The turns in the order of the file.

    Raises:
        TurnsError: the file is none of these, is damaged or holds no turn, or a turn cannot be right.
    """
    ending = PurePath(name).suffix.lower()
    try:
        if ending not in TURN_READERS:
            raise ValueError(f"has the ending {ending or 'of no format'}; expected {', '.join(TURN_READERS)}")
        if len(data) > MOST_TURNS_BYTES:
            raise ValueError(f"has {len(data)} bytes; expected at most {MOST_TURNS_BYTES}")
        if tiers and not TURN_READERS[ending].tiers:
            raise ValueError("has no tiers; tiers are chosen in TextGrid and ELAN files alone")
        text = decode_text(data, "a text in UTF-8: save the file so")
        turns = TURN_READERS[ending].read(text, tiers)
        if not turns:
            raise ValueError("holds no turn")
    except ValueError as error:
        raise TurnsError(f"{one_line(name)}: {error}") from error
    found = tuple(replace_origin(turn, name) for turn in turns)
    for file in dict.fromkeys(turn.file for turn in found):
        check_turns([turn for turn in found if turn.file == file])
    return found


def replace_origin(turn: Turn, name: str) -> Turn:
    """Name the file in a turn's origin."""
    return replace(turn, origin=f"{one_line(name)}, {turn.origin}")


def read_turns_file(path: Path, tiers: Sequence[str] = ()) -> tuple[Turn, ...]:
    """Read the turns in a file on disk; see `read_turns`.

    Raises:
        TurnsError: as `read_turns` does, or there is no such file, or it may not be read.
    """
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise TurnsError(f"{one_line(path)}: the turns file cannot be opened ({why}); check the path") from None
    return read_turns(path.name, data, tiers)


class TurnsOfFiles:
    """Turns of one or several recordings, by the files that a turns file names.

    Example:
        >>> turns = [Turn(0, 1, file="a/talk.wav"), Turn(0, 2, file="b/talk.wav"), Turn(2, 3, file="talk")]
        >>> [turn.end_s for turn in TurnsOfFiles(turns, "turns.csv").of_recording(PurePath("/home/b/talk.wav"))]
        [2, 3]
    """

    def __init__(self, turns: Sequence[Turn], source: str) -> None:
        self.turns, self.source = tuple(turns), source
        self.files = tuple(dict.fromkeys(turn.file for turn in turns))
        self._by_parts: dict[tuple[str, ...], list[str]] = {}
        for file in filter(None, self.files):
            self._by_parts.setdefault(PurePath(file.replace("\\", "/")).parts, []).append(file)

    @property
    def is_of_one(self) -> bool:
        """Check whether the turns name no recording, so that they are of one."""
        return self.files == ("",)

    def files_of(self, recording: PurePath) -> list[str]:
        """List the names in the turns file that are the end of a recording's path, with or without its ending."""
        if not recording.name:
            return []
        ways = {recording.parts, recording.with_suffix("").parts}
        ends = (parts[-n:] for parts in ways for n in range(1, len(parts) + 1))
        return [file for end in ends for file in self._by_parts.get(end, ())]

    def of_recording(self, recording: PurePath, alone: bool = True) -> tuple[Turn, ...]:
        """Select the turns of a recording, in the order of the turns file.

        Args:
            recording: its path or name.
            alone: whether it is the only one that the turns may be of. Then they may name no recording, or, as RTTM
                must, one of any name.

        Raises:
            TurnsError: no turn is of the recording.
        """
        files = self.files_of(recording)
        is_named_freely = len(self.files) == 1 and PurePath(self.source).suffix.lower() == ".rttm"
        if alone and (self.is_of_one or (not files and is_named_freely)):
            return self.turns
        if not files:
            raise TurnsError(
                f"{one_line(self.source)} has no turn of {one_line(recording.name)}; it names "
                f"{list_names(self.files)}: expected the recording's path, name or stem"
            )
        return tuple(turn for turn in self.turns if turn.file in files)


def list_names(names: Collection[str]) -> str:
    """List the first few names, and how many more there are.

    Example:
        >>> list_names(["a.wav", "", "c.wav", "d.wav", "e.wav", "f.wav", "g.wav"])
        'a.wav, nothing, c.wav, d.wav, e.wav and 2 more'
    """
    shown = ", ".join(one_line(name) or "nothing" for name in [*names][:MOST_NAMED_FILES])
    return shown + (f" and {len(names) - MOST_NAMED_FILES} more" if len(names) > MOST_NAMED_FILES else "")
