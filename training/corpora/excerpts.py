"""Stretches of files as clips: the columns `start` and `end` of a manifest, and audformat's timedeltas."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from segser_core.audio.excerpt import CLIP_END, CLIP_START
from segser_core.errors import CorpusError
from segser_core.prediction.known_changes import BEYOND_END_S
from segser_core.prediction.times import parse_time_s
from segser_core.prediction.turns import MS_PER_S

SAID_AS = {CLIP_START: ("start", "start_s"), CLIP_END: ("end", "end_s")}


def with_clip_times(table: pd.DataFrame, file: str) -> pd.DataFrame:
    """Read the columns `start` and `end` of a manifest as seconds, and call them `clip_start_s` and `clip_end_s`.

    A table without them stays as it is. An empty start is the beginning of the file; an empty end stays empty.

    Raises:
        CorpusError: a column of both is missing, or a cell is no time.
    """
    places = {column: next((n for n in names if n in table), None) for column, names in SAID_AS.items()}
    if not any(places.values()):
        return table
    if missing := [names[0] for column, names in SAID_AS.items() if places[column] is None]:
        raise CorpusError(f"{file} has no column {missing[0]}; a stretch of a file has start and end, in seconds")
    times = {
        column: [_seconds(cell, place, row, file) for row, cell in enumerate(table[place], start=1)]
        for column, place in places.items()
        if place is not None
    }
    return table.drop(columns=[p for p in places.values() if p]).assign(**times)


def _seconds(cell: Any, column: str, row: int, file: str) -> float:
    if isinstance(cell, pd.Timedelta):
        return cell.total_seconds()
    if isinstance(cell, int | float):
        return float(cell)
    try:
        return parse_time_s("" if cell is None or pd.isna(cell) else str(cell))
    except ValueError as error:
        raise CorpusError(f"{file}, row {row}: {column} {error}") from None


def clip_times(row: Mapping[str, Any], duration_s: float, where: str) -> tuple[float, float]:
    """Find the stretch of its file that a row is about, both NaN where it is all of it.

    Args:
        row: with `clip_start_s` and `clip_end_s`, NaN where they are empty.
        duration_s: of the file.
        where: the row, for messages.

    Raises:
        CorpusError: the stretch has no length, or lies beyond the file.
    """
    start_s, end_s = row[CLIP_START], row[CLIP_END]
    if math.isnan(end_s) and not start_s > 0 and not start_s < 0:
        return math.nan, math.nan
    start_s = 0.0 if math.isnan(start_s) else start_s
    end_s = duration_s if math.isnan(end_s) else end_s
    span = f"the stretch of {start_s:.10g} to {end_s:.10g} s"
    if end_s > duration_s + BEYOND_END_S or start_s >= duration_s:
        fits = end_s / MS_PER_S <= duration_s + BEYOND_END_S and end_s - start_s > MS_PER_S / 20
        what_to_do = "it would fit in milliseconds: give seconds" if fits else "mend the row, or leave it out"
        raise CorpusError(f"{where}: {span} lies beyond its file, which lasts {duration_s:.2f} s; {what_to_do}")
    if not 0 <= start_s < end_s:
        raise CorpusError(
            f"{where}: {span} is none; expected 0 ≤ start < end, in seconds: mend the row, or leave it out"
        )
    return start_s, min(end_s, duration_s)
