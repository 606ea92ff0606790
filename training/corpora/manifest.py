"""Any corpus of your own: a folder with `manifest.csv`, `manifest.tsv` or `manifest.parquet`, a row an utterance.

Columns `path` (relative to the folder), `label` and `speaker` are needed. As known: `utterance_id` (the path
without its ending where it is not given), `start` and `end` (in seconds, or timedeltas as `0 days 00:00:01.5`: the row
is about that stretch of the file; an empty end is the end of the file), `session`, `gender`, `duration_s` (read from
the file where it is not given), `text`, `style`, `valence`, `activation`, `dominance`, `agreement` (share of raters
behind the label), `dialogue`, `split` (train, dev or test), and `stretches`, the emotions of a recording in which they
change, as JSON: `[[start_s, end_s, "label"], …]`. Every other column goes along as text.
"""

import math
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pandas as pd
from pyarrow.lib import ArrowException

from segser_core.audio.excerpt import CLIP_END, CLIP_START
from segser_core.errors import CorpusError
from segser_core.labels import LABELS
from segser_core.prediction.stretches import stretches_from_json, stretches_to_json
from segser_core.runs.corpus_info import CorpusInfo
from training.corpora.corpus import (
    COLUMNS,
    Corpus,
    LeftOut,
    Lost,
    Misfit,
    check_folder,
    normalise_label,
    read_duration_s,
)
from training.corpora.definition import CorpusDefinition
from training.corpora.excerpts import clip_times, with_clip_times

MANIFEST_FILES = ("manifest.csv", "manifest.tsv", "manifest.parquet")
_NEEDED = ("path", "label", "speaker")
LONGEST_OVERHANG_S = 0.02  # of a stretch beyond its recording's end: a frame, by which headers may be off
_NUMBERS = (CLIP_START, CLIP_END, "duration_s", "valence", "activation", "dominance", "agreement", "joined")
MANIFEST_RUN_COLUMNS = ("agreement", "joined", "parts", "stretches")


def load_manifest(root: Path) -> Corpus:
    """Load the corpus that a manifest in `root` lists; labels in the project's spelling, others as they are.

    Raises:
        CorpusError: no manifest or several, one that cannot be read or lacks a column, or no row of it fits.
    """
    return corpus_from_table("manifest", root, read_manifest(find_manifest(root)))


def corpus_from_table(name: str, root: Path, table: pd.DataFrame) -> Corpus:
    """Make a corpus of a table with the columns of `with_all_columns`, a row an utterance.

    Raises:
        CorpusError: no row of it fits, or a row's stretch is none.
    """
    rows, left_out = [], []
    seen: dict[str, str] = {}
    for number, row in enumerate(table.to_dict("records"), start=1):
        path = str(row["path"]) or f"row {number}"
        try:
            found = row | {"utterance_id": row_name(row, seen), "duration_s": row_duration_s(row, root)}
            if CLIP_START in row:
                found |= row_stretch(found, f"row {number} of the {name} ({path})")
            rows.append(found | ({"stretches": row_stretches(found)} if "stretches" in row else {}))
            seen[rows[-1]["utterance_id"]] = path
        except Misfit as error:
            left_out.append(LeftOut(path, str(error), isinstance(error, Lost)))
    if not rows:
        raise CorpusError(
            f"none of the {len(table)} rows of the {name} in {root} fits; the first: {_first_reason(left_out)}"
        )
    manifest = pd.DataFrame(rows).sort_values("utterance_id", ignore_index=True)
    others = [c for c in manifest if c not in COLUMNS]
    foreign = sorted(set(manifest["label"]) - set(LABELS))
    notes = (f"Labels that are none of segser's own: {', '.join(foreign)}.",) if foreign else ()
    return Corpus(name, root, manifest[[*COLUMNS, *others]], tuple(left_out), notes=notes)


def find_manifest(root: Path) -> Path:
    """Find the one manifest in a folder.

    Raises:
        CorpusError: there is no such folder, or it holds no manifest or several.
    """
    check_folder(root)
    files = [root / name for name in MANIFEST_FILES if (root / name).is_file()]
    if len(files) != 1:
        got = " and ".join(file.name for file in files) or "no manifest"
        raise CorpusError(f"{root} holds {got}; expected one of {', '.join(MANIFEST_FILES)}")
    return files[0]


def read_manifest(file: Path) -> pd.DataFrame:
    """Read the table in a manifest, `with_all_columns`; text is text, "03" stays "03".

    Raises:
        CorpusError: it cannot be read, or lacks a column that is needed.
    """
    try:
        if file.suffix == ".parquet":
            table = pd.read_parquet(file)
        else:
            separator = "\t" if file.suffix == ".tsv" else ","
            table = pd.read_csv(file, sep=separator, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError, ArrowException) as error:
        raise CorpusError(f"{file} cannot be read: {str(error).splitlines()[0]}") from error
    if missing := [c for c in _NEEDED if c not in table]:
        raise CorpusError(f"{file} has no column {', '.join(missing)}; it has {', '.join(map(str, table.columns))}")
    return with_all_columns(with_clip_times(table, str(file)))


def with_all_columns(table: pd.DataFrame) -> pd.DataFrame:
    """Complete a table of utterances to all of `COLUMNS`, with "" where it has none; numbers as numbers, else text."""
    absent = {c: "" for c in COLUMNS if c not in table}
    return table.assign(**absent).apply(lambda column: _column(column, str(column.name)))


def _column(column: pd.Series, name: str) -> pd.Series:
    if name in _NUMBERS:
        return pd.to_numeric(column, errors="coerce")
    text = column.astype(object).where(column.notna(), "").astype(str).str.strip()
    return text.map(normalise_label) if name == "label" else text


def row_name(row: dict, seen: dict[str, str]) -> str:
    """Name a row: its utterance_id, which no row before it has.

    Raises:
        Misfit: the row has no label or no path, or its name is taken.
    """
    for column in ("path", "label"):
        if not row[column]:
            raise Misfit(f"it has no {column}")
    name = row["utterance_id"] or PurePosixPath(row["path"]).with_suffix("").as_posix() + stretch_name(row)
    if name in seen:
        raise Misfit(f"a second row of the name {name}; {seen[name]} is used")
    return name


def stretch_name(row: dict) -> str:
    """Name the stretch of a row that is one, as `@0.5-1.75`, or `@0.5-end` where its end is empty."""
    start_s, end_s = row.get(CLIP_START, math.nan), row.get(CLIP_END, math.nan)
    start_s = 0.0 if math.isnan(start_s) else start_s
    if math.isnan(end_s):
        return f"@{start_s:.10g}-end" if start_s else ""
    return f"@{start_s:.10g}-{end_s:.10g}"


def row_stretch(row: dict, where: str) -> dict[str, float]:
    """Find the stretch of its file that a row is about, and how long it lasts.

    Raises:
        CorpusError: the stretch has no length, or lies beyond the file.
    """
    start_s, end_s = clip_times(row, row["duration_s"], where)
    duration_s = row["duration_s"] if math.isnan(start_s) else end_s - start_s
    return {CLIP_START: start_s, CLIP_END: end_s, "duration_s": duration_s}


def row_duration_s(row: dict, root: Path) -> float:
    """Find a row's duration in seconds, as it says or as its file does.

    Raises:
        Misfit: its path leads out of the folder.
        Lost: it leads to no file that can be read.
    """
    path = root / row["path"]
    if not path.resolve().is_relative_to(root.resolve()):
        raise Misfit("its path leads out of the corpus's folder")
    if not path.is_file():
        raise Lost("there is no such file")
    if row["duration_s"] > 0 and CLIP_START not in row:  # beside a stretch it may be that of the stretch
        return float(row["duration_s"])
    return read_duration_s(path)


def row_stretches(row: dict) -> str:
    """Read a row's stretches; returns them as JSON, labels in the project's spelling, empty where it has none.

    Raises:
        Misfit: they are no stretches, or lie beyond the end of the recording.
    """
    try:
        stretches = stretches_from_json(row["stretches"])
    except ValueError as error:
        raise Misfit(f"its {error}") from error
    if stretches and stretches[-1].end_s > row["duration_s"] + LONGEST_OVERHANG_S:
        raise Misfit(f"its stretches end at {stretches[-1].end_s:g} s, but it lasts {row['duration_s']:g} s")
    if not stretches:
        return ""
    return stretches_to_json(replace(s, label=normalise_label(s.label)) for s in stretches)


def _first_reason(left_out: list[LeftOut]) -> str:
    return f"{left_out[0].path}: {left_out[0].why}" if left_out else "it is empty"


MANIFEST = CorpusDefinition(
    name="manifest", info=CorpusInfo("manifest"), load=load_manifest, run_columns=MANIFEST_RUN_COLUMNS
)
