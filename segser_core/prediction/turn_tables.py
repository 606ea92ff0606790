"""Read turns of speech from CSV and RTTM."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from segser_core.formatting import one_line
from segser_core.prediction.times import parse_time_s
from segser_core.prediction.turns import MS_PER_S, Turn, make_turn, span_text

SEPARATORS = (",", ";", "\t")
LONG_TURN_S = 200  # whole numbers of which half are longer may be milliseconds
TIME_COLUMNS = ("start", "end", "duration")
TEXT_COLUMNS = {"speaker": ("speaker",), "text": ("text", "transcript", "transcription"), "file": ("file", "path")}
RTTM_UNKNOWN = "<NA>"  # as RTTM writes it


def read_csv_turns(text: str, tiers: Sequence[str] = ()) -> list[Turn]:
    """Read turns from CSV, separated by comma, semicolon or tabulator; see `read_turns`."""
    separator = max(SEPARATORS, key=text.split("\n", 1)[0].count)
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
        columns = _find_columns(header)
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise ValueError(f"is no CSV: {error}") from None
    turns = [_csv_turn(columns, row, f"line {number}", separator) for number, row in rows]
    _check_unit(columns, rows, turns)
    return turns


@dataclass(frozen=True)
class _Columns:
    """Places of the columns: of times with the unit in seconds, and of texts."""

    times: dict[str, tuple[int, float]]
    texts: dict[str, int]


def _find_columns(header: list[str]) -> _Columns:
    times: dict[str, tuple[int, float]] = {}
    for column in TIME_COLUMNS:
        for name, unit_s in ((column, 1.0), (f"{column}_s", 1.0), (f"{column}_ms", 1 / MS_PER_S)):
            if name in header:
                times.setdefault(column, (header.index(name), unit_s))
    if "start" not in times or not {"end", "duration"} & set(times):
        got = ", ".join(one_line(cell[:40]) for cell in header) or "nothing"
        raise ValueError(
            f"has the columns {got}; expected start and end in seconds (start_ms, end_ms in milliseconds), and "
            "speaker, text and file as known"
        )
    found = {column: [header.index(n) for n in names if n in header] for column, names in TEXT_COLUMNS.items()}
    return _Columns(times, {column: places[0] for column, places in found.items() if places})


def _csv_turn(columns: _Columns, row: list[str], origin: str, separator: str) -> Turn:
    seconds = {}
    for column, (place, unit_s) in columns.times.items():
        cell = row[place].strip() if place < len(row) else ""
        if separator != "," and re.fullmatch(r"-?\d+,\d+", cell):
            cell = cell.replace(",", ".")  # a decimal comma, where commas do not separate
        try:
            seconds[column] = parse_time_s(cell) * unit_s
        except ValueError as error:
            raise ValueError(f"{origin}: {column} {error}") from None
        if seconds[column] != seconds[column]:
            raise ValueError(f"{origin}: {column} is empty; expected seconds")
    texts = {c: row[place].strip() if place < len(row) else "" for c, place in columns.texts.items()}
    end_s = seconds["end"] if "end" in seconds else seconds["start"] + seconds["duration"]
    return make_turn(seconds["start"], end_s, origin=origin, **texts)


def _check_unit(columns: _Columns, rows: list[tuple[int, list[str]]], turns: Sequence[Turn]) -> None:
    """Refuse whole numbers that last so long that they may be milliseconds; a decimal point or a name tells the unit.

    Raises:
        ValueError: the unit is not certain.
    """
    places = [place for place, unit_s in columns.times.values() if unit_s == 1]
    whole = places and all(row[place].strip().isdigit() for _, row in rows for place in places)
    if whole and turns and np.median([turn.duration_s for turn in turns]) > LONG_TURN_S:
        raise ValueError(
            f"{turns[0].origin}: the turn of {span_text(turns[0])}, all in whole numbers, may be in milliseconds; "
            f"write seconds with a decimal point, as in {turns[0].start_s:.1f}, or name the columns start_ms and end_ms"
        )


def read_rttm_turns(text: str, tiers: Sequence[str] = ()) -> list[Turn]:
    """Read the SPEAKER lines of RTTM: type, file, channel, start, duration, …, speaker as the eighth field."""
    turns = []
    for number, line in enumerate(text.splitlines(), start=1):
        fields, origin = line.split(), f"line {number}"
        if not fields or fields[0] != "SPEAKER":
            continue
        try:
            start_s, duration_s = float(fields[3]), float(fields[4])
        except (IndexError, ValueError):
            shown = one_line(line[:60])
            raise ValueError(
                f"{origin}: {shown!r}; expected SPEAKER file channel start duration …, in seconds"
            ) from None
        file, speaker = fields[1], fields[7] if len(fields) > 7 else ""
        file, speaker = ("" if name == RTTM_UNKNOWN else name for name in (file, speaker))
        turns.append(make_turn(start_s, start_s + duration_s, speaker, file=file, origin=origin))
    return turns
