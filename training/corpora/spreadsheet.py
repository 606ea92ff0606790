"""Read a table as spreadsheets write it: separators, encodings, blanks and case in the header, trailing separators.

It is read where it is certain, and what was guessed is said once; otherwise the error names the cause and the remedy.
"""

import csv
import io
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from segser_core.errors import CorpusError
from segser_core.formatting import one_line
from segser_core.labels import SPELLINGS, label_key

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
WORKBOOKS = {b"PK\x03\x04": "an Excel or LibreOffice workbook", b"\xd0\xcf\x11\xe0": "an Excel workbook"}
SAVE_AS = "save it as CSV in UTF-8"
# encodings of one byte a letter: Windows in the west and in the east, and the Macintosh
_OLD_ENCODINGS = {"cp1252": "Windows-1252", "cp1250": "Windows-1250", "mac_roman": "Mac Roman"}
_DECIMAL_COMMA = re.compile(r"^\s*([+-]?\d+),(\d+)\s*$")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Columns:
    """Names of a table's columns.

    Attributes:
        needed: without which it is no such table.
        known: all that have a meaning, in small letters.
        others: by a known name the names that other programs give it.
        numbers: the known ones that hold numbers.
    """

    needed: tuple[str, ...]
    known: tuple[str, ...]
    others: Mapping[str, Sequence[str]]
    numbers: tuple[str, ...] = ()


def read_spreadsheet(file: Path, columns: Columns) -> pd.DataFrame:
    """Read a CSV or TSV table as text, and say in one warning what was guessed.

    Args:
        file: of the table.
        columns: the names that are expected; others are kept as they are.

    Raises:
        CorpusError: it cannot be read with certainty, or lacks a column that is needed.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise CorpusError(f"{file} cannot be read: {error}") from error
    text, encoding = decode_spreadsheet(data, file)
    separator, text = find_separator(text, file, columns)
    header, rows = split_rows(text, separator, file)
    numbers = [i for i, name in enumerate(header) if separator != "," and header_key(name) in columns.numbers]
    for row in rows:
        for i in numbers:
            row[i] = _DECIMAL_COMMA.sub(r"\1.\2", row[i])
    table = pd.DataFrame(rows, columns=header, dtype=object).loc[:, [bool(name) for name in header]]
    usual = "\t" if file.suffix.lower() == ".tsv" else ","
    said = [f"in {encoding}"] if encoding else []
    said += [f"with the separator {SEPARATORS[separator]}"] if separator != usual else []
    if said:
        _log.warning("%s is read %s", file.name, " and ".join(said))
    return table


def decode_spreadsheet(data: bytes, file: Path) -> tuple[str, str]:
    """Decode a table: with a mark at its beginning, in UTF-8, UTF-16, or in the encoding that letters speak for.

    Returns:
        The text, and the name of an encoding that was guessed; empty where it is certain.

    Raises:
        CorpusError: it is a workbook or no text.
    """
    for mark, what in WORKBOOKS.items():
        if data.startswith(mark):
            raise CorpusError(f"{file} is {what}, whatever its ending; {SAVE_AS}")
    encodings = [encoding for mark, encoding in BYTE_ORDER_MARKS.items() if data.startswith(mark)]
    if not encodings and b"\0" in data[:200]:
        encodings = ["utf-16-le" if data[1:2] == b"\0" else "utf-16-be"]
    try:
        text = data.decode(encodings[0] if encodings else "utf-8")
    except UnicodeDecodeError as error:
        if encodings:
            raise CorpusError(
                f"{file} is damaged: it is no {encodings[0].upper()} from byte {error.start} on"
            ) from None
        return guess_encoding(data, file)
    if "\0" in text:
        raise CorpusError(f"{file} is no text; {SAVE_AS}")
    return text, ""


def guess_encoding(data: bytes, file: Path) -> tuple[str, str]:
    """Decode a table of one byte a letter: the encoding under which most of it is known words or files is taken.

    Returns:
        The text, and the name of the encoding.

    Raises:
        CorpusError: it fits none.
    """
    found: dict[str, str] = {}
    for encoding in _OLD_ENCODINGS:
        try:
            found[encoding] = data.decode(encoding)
        except UnicodeDecodeError:
            continue
    found = {e: text for e, text in found.items() if not any(c < " " and c not in "\t\r\n" for c in text)}
    if not found:
        raise CorpusError(f"{file} is in an encoding that is not known; {SAVE_AS}")
    best = max(found, key=lambda encoding: count_known_cells(found[encoding], file.parent))
    return found[best], f"{_OLD_ENCODINGS[best]}, since it is no UTF-8 (if letters come out wrong, {SAVE_AS})"


def count_known_cells(text: str, folder: Path) -> int:
    """Count the cells with letters beyond ASCII that are a spelling of a label or a file in a folder."""
    separator = max(SEPARATORS, key=text.partition("\n")[0].count)
    cells = {cell.strip(' "\r') for line in text.splitlines() for cell in line.split(separator) if not cell.isascii()}
    return sum(label_key(cell) in SPELLINGS or (folder / cell.replace("\\", "/")).exists() for cell in cells)


def find_separator(text: str, file: Path, columns: Columns) -> tuple[str, str]:
    """Find the separator under which the header has the columns that are needed.

    Returns:
        The separator, and the text without Excel's line `sep=;`.

    Raises:
        CorpusError: no separator gives the columns.
    """
    first, _, rest = text.partition("\n")
    told = first.rstrip("\r").strip('"').lower()
    if told.startswith("sep=") and told[4:] in SEPARATORS:
        return told[4:], rest
    header = next((line for line in text.splitlines() if line.strip(" ,;\t|")), "")
    named = {s: rename_header(next(csv.reader([header], delimiter=s), []), columns) for s in SEPARATORS}
    usual = "\t" if file.suffix.lower() == ".tsv" else ","
    by_fit = sorted(SEPARATORS, key=lambda s: (-sum(c in named[s] for c in columns.needed), s != usual))
    return (by_fit[0] if any(c in named[by_fit[0]] for c in columns.needed) else usual), text


def split_rows(text: str, separator: str, file: Path) -> tuple[list[str], list[list[str]]]:
    """Split a text to its header and rows of as many cells; empty rows and trailing separators go.

    Raises:
        CorpusError: a quotation mark that is not closed, a row with more cells than the header, or none with as many.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        numbered = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise CorpusError(f"{file}, line {reader.line_num}: {error}; look at the quotation marks there") from error
    if not numbered:
        raise CorpusError(f"{file} cannot be read: it is empty; expected a header, and a row an utterance")
    header = [clean_cell(name) for name in without_trailing(numbered[0][1])]
    longest = max((len(row) for _, row in numbered[1:]), default=len(header))
    if longest < len(header):
        raise CorpusError(
            f"{file}: the header has {len(header)} names, but no row has more than {longest} cells; give each row a "
            f"{SEPARATORS[separator]} for every column, also for an empty one"
        )
    for number, row in numbered[1:]:
        if len(without_trailing(row)) > len(header):
            raise CorpusError(
                f"{file}, line {number}: {len(without_trailing(row))} cells, but the header has {len(header)}; put a "
                f"cell that holds a {SEPARATORS[separator]} in quotation marks"
            )
    return header, [[*row, *[""] * len(header)][: len(header)] for _, row in numbered[1:]]


def without_trailing(row: list[str]) -> list[str]:
    """Drop the empty cells at the end of a row."""
    last = max((i for i, cell in enumerate(row) if cell.strip()), default=-1)
    return row[: last + 1]


def clean_cell(cell: str) -> str:
    """Strip blanks, also those that do not break, and marks of byte order."""
    return cell.strip().strip("\ufeff\u200b").strip()


def header_key(name: str) -> str:
    """Reduce a column's name to small letters, with _ for blanks and hyphens.

    Example:
        >>> header_key(" Utterance ID ")
        'utterance_id'
    """
    return "_".join(clean_cell(name).lower().replace("-", " ").split())


def rename_header(names: Sequence[str], columns: Columns) -> list[str]:
    """Name the columns of a table as they are known: whatever their case, or as other programs call them.

    An other name counts only where the known one is absent and no second other name is there.
    """
    cleaned = [clean_cell(str(name)) for name in names]
    renamed = [key if (key := header_key(name)) in columns.known else name for name in cleaned]
    for known, others in columns.others.items():
        found = [i for i, name in enumerate(renamed) if header_key(name) in others]
        if known not in renamed and len(found) == 1:
            renamed[found[0]] = known
    return renamed


def with_known_names(table: pd.DataFrame, columns: Columns, file: Path) -> pd.DataFrame:
    """Name the columns of a table as they are known, and say in a warning which had another name.

    Raises:
        CorpusError: two columns of one name, two that could be meant, or one that is needed is missing.
    """
    before = [clean_cell(str(name)) for name in table.columns]
    after = rename_header(before, columns)
    if twice := sorted({name for name in after if after.count(name) > 1}):
        raise CorpusError(f"{file} has the column {one_line(twice[0])} twice; keep one of them")
    if missing := [name for name in columns.needed if name not in after]:
        could_be = [n for n in before if header_key(n) in columns.others.get(missing[0], ())]
        which = f"; {' and '.join(map(one_line, could_be))} could be meant: keep one" if could_be else ""
        has = ", ".join(one_line(name) for name in before if name)
        raise CorpusError(f"{file} has no column {', '.join(missing)}; it has {has}{which}")
    read_as = [f"{one_line(b)} as {a}" for b, a in zip(before, after, strict=True) if header_key(b) != header_key(a)]
    if read_as:
        _log.warning("%s: columns are read so: %s", file.name, ", ".join(read_as))
    return table.set_axis(after, axis=1)
