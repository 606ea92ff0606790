"""Turns of speech in a recording: who speaks from when to when, and the checks that their times can be right."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from segser_core.errors import TurnsError
from segser_core.formatting import one_line
from segser_core.prediction.known_changes import BEYOND_END_S
from segser_core.prediction.stretches import OVERLAP_S

MOST_OVERLAP = 0.5  # of the shorter one of two turns of one speaker
MS_PER_S = 1000
SHORTEST_WORD_S = 0.05
LONGEST_SPEAKER = 80
TurnTuple = tuple[float, float] | tuple[float, float, str]


@dataclass(frozen=True)
class Turn:
    """A turn of speech.

    Attributes:
        start_s, end_s: seconds from the beginning of the recording.
        speaker: who speaks; empty where that is not known.
        text: what is said, as the turns file has it.
        file: the recording's name, where the turns file names one.
        origin: where the turn stands in its file, for messages.
    """

    start_s: float
    end_s: float
    speaker: str = ""
    text: str = ""
    file: str = ""
    origin: str = field(default="", compare=False)

    @property
    def duration_s(self) -> float:
        """Return the length in seconds."""
        return self.end_s - self.start_s


def as_turns(given: Iterable[Turn | TurnTuple]) -> tuple[Turn, ...]:
    """Convert turns, or tuples (start_s, end_s) or (start_s, end_s, speaker), to turns; they may overlap in any way.

    Raises:
        TurnsError: there is none, or one of them is no turn, or has no length.

    Example:
        >>> [turn.speaker for turn in as_turns([(0, 1.5, "Anna"), (1.5, 4, "Ben")])]
        ['Anna', 'Ben']
    """
    turns = tuple(_as_turn(each, f"turn {number}") for number, each in enumerate(given, start=1))
    if not turns:
        raise TurnsError("the list of turns is empty; expected (start_s, end_s) or (start_s, end_s, speaker)")
    for turn in turns:
        _check_length(turn)
    return turns


def _as_turn(given: Turn | TurnTuple, origin: str) -> Turn:
    if isinstance(given, Turn):
        return given if given.origin else replace(given, origin=origin)
    try:
        start_s, end_s, *speaker = given
        return Turn(float(start_s), float(end_s), str(speaker[0]) if speaker else "", origin=origin)
    except (TypeError, ValueError):
        shown = one_line(repr(given)[:60])
        raise TurnsError(f"{origin} is {shown}; expected (start_s, end_s) or (start_s, end_s, speaker)") from None


def check_turns(turns: Sequence[Turn]) -> None:
    """Check, in the order of the file, that each turn has a length, and that those of one speaker follow one another.

    Turns of different speakers may overlap in any way, those of one speaker, or of none that is named, by half of the
    shorter one.

    Raises:
        TurnsError: the first turn that is not so.
    """
    before: dict[str, list[Turn]] = {}
    for turn in turns:
        _check_length(turn)
        earlier = before.setdefault(turn.speaker, [])
        for other in earlier:
            _check_order(turn, other)
        furthest = max([*earlier, turn], key=lambda t: t.end_s)
        before[turn.speaker] = [turn] if furthest is turn else [furthest, turn]


def _check_length(turn: Turn) -> None:
    if not (math.isfinite(turn.start_s) and math.isfinite(turn.end_s)) or turn.start_s < 0:
        raise TurnsError(f"{turn.origin}: {span_text(turn)}; expected seconds from the beginning of the recording")
    if turn.end_s <= turn.start_s:
        why = "ends before it begins" if turn.end_s < turn.start_s else "has no length"
        raise TurnsError(f"{turn.origin}: the turn of {span_text(turn)} {why}; expected start < end, in seconds")


def _check_order(turn: Turn, other: Turn) -> None:
    whose = f"of {one_line(turn.speaker)}" if turn.speaker else "of no named speaker"
    if turn.start_s < other.start_s:
        raise TurnsError(
            f"{turn.origin}: a turn {whose} begins at {turn.start_s:g} s, and the one before it at "
            f"{other.start_s:g} s; expected the turns of a speaker in order of time"
        )
    overlap_s = min(turn.end_s, other.end_s) - turn.start_s
    if overlap_s > MOST_OVERLAP * min(turn.duration_s, other.duration_s) + OVERLAP_S:
        raise TurnsError(
            f"{turn.origin}: the turn of {span_text(turn)} lies {overlap_s:.3g} s within that of {span_text(other)}, "
            f"both {whose}; expected turns that follow one another, or the name of each speaker"
        )


def fit_turns(turns: Sequence[Turn], duration_s: float) -> tuple[Turn, ...]:
    """Cut turns to a recording's end, and sort them by their start.

    They may reach beyond the end by `BEYOND_END_S`, a codec's padding.

    Raises:
        TurnsError: the first turn, in the order of the file, that reaches further.

    Example:
        >>> [turn.end_s for turn in fit_turns([Turn(0, 1.5), Turn(1.5, 4.02)], 4.0)]
        [1.5, 4.0]
    """
    for turn in turns:
        if turn.end_s > duration_s + BEYOND_END_S or turn.start_s >= duration_s:
            raise TurnsError(
                f"{turn.origin}: the turn of {span_text(turn)} lies beyond the recording, which lasts "
                f"{duration_s:.2f} s; {_beyond_remedy(turns, duration_s)}"
            )
    cut = (replace(turn, end_s=min(turn.end_s, duration_s)) for turn in turns)
    return sort_turns(cut)


def sort_turns(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """Sort turns by their start; of equal ones the first in the file is the first."""
    return tuple(sorted(turns, key=lambda turn: turn.start_s))


def _beyond_remedy(turns: Sequence[Turn], duration_s: float) -> str:
    fits = max(turn.end_s for turn in turns) / MS_PER_S <= duration_s + BEYOND_END_S
    if fits and np.median([turn.duration_s for turn in turns]) / MS_PER_S >= SHORTEST_WORD_S:
        return "it would fit in milliseconds: give seconds (in a CSV, columns start_ms and end_ms hold milliseconds)"
    return "choose the turns file that belongs to the recording"


def span_text(turn: Turn) -> str:
    """Format where a turn begins and ends, for a message."""
    return f"{turn.start_s:.10g} to {turn.end_s:.10g} s"


def make_turn(
    start_s: float, end_s: float, speaker: str = "", text: str = "", *, file: str = "", origin: str = ""
) -> Turn:
    """Make a turn whose texts have single blanks and no control characters."""
    words, name = (one_line(" ".join(each.split())) for each in (text, speaker))
    if len(name) > LONGEST_SPEAKER:
        raise ValueError(f"{origin}: a speaker's name has {len(name)} characters; expected at most {LONGEST_SPEAKER}")
    return Turn(start_s, end_s, name, words, file, origin)
