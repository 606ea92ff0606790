"""Stretches of one emotion each, which follow one another in a recording: the truth, or the label over time."""

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from itertools import pairwise
from typing import Any

from segser_core.formatting import one_line
from segser_core.labels import is_valid_label

OVERLAP_S = 1e-6  # of rounding, allowed between neighbours


@dataclass(frozen=True)
class Stretch:
    """Part of a recording, from `start_s` to `end_s` seconds, in which one emotion is expressed."""

    start_s: float
    end_s: float
    label: str

    @property
    def duration_s(self) -> float:
        """Return the length in seconds."""
        return self.end_s - self.start_s


def stretches_to_json(stretches: Iterable[Stretch]) -> str:
    """Convert stretches to JSON: a list of [start_s, end_s, label], numbers not rounded."""
    return json.dumps([astuple(s) for s in stretches], ensure_ascii=False)


def stretches_from_json(text: str) -> tuple[Stretch, ...]:
    """Read stretches that follow one another in time, possibly with pauses between them.

    Args:
        text: JSON as `stretches_to_json` writes it; empty text stands for no stretch.

    Raises:
        ValueError: it is something else, a stretch has no length, or two overlap; the text is a clause.

    Example:
        >>> stretches_from_json('[[0, 1.5, "sad"], [1.5, 4, "angry"]]')
        (Stretch(start_s=0.0, end_s=1.5, label='sad'), Stretch(start_s=1.5, end_s=4.0, label='angry'))
    """
    if not text.strip():
        return ()
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError):
        rows = None
    if not isinstance(rows, list) or not rows:
        raise ValueError(f"stretches are {one_line(text[:60])!r}; expected [[start_s, end_s, label], …]")
    found = tuple(map(_read_stretch, rows))
    for before, after in pairwise(found):
        if after.start_s < before.end_s - OVERLAP_S:
            raise ValueError(f"a stretch begins at {after.start_s:g} s, before the last one ends at {before.end_s:g} s")
    return found


def _read_stretch(row: Any) -> Stretch:
    if not isinstance(row, list) or len(row) != 3 or not all(map(_is_time, row[:2])) or not is_valid_label(row[2]):
        raise ValueError(f"a stretch is {one_line(json.dumps(row)[:60])}; expected [start_s, end_s, label]")
    if not 0 <= row[0] < row[1]:
        raise ValueError(f"a stretch lasts from {row[0]:g} to {row[1]:g} s; expected 0 ≤ start < end")
    return Stretch(float(row[0]), float(row[1]), row[2])


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def longest_label(stretches: Sequence[Stretch]) -> str:
    """Find the label of most time, the first of equals.

    Example:
        >>> longest_label([Stretch(0, 2, "sad"), Stretch(2, 5, "angry"), Stretch(5, 7, "sad")])
        'sad'
    """
    seconds: dict[str, float] = defaultdict(float)
    for stretch in stretches:
        seconds[stretch.label] += stretch.duration_s
    return max(seconds, key=seconds.__getitem__)
