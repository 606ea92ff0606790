"""Any corpus of your own: a folder with `manifest.csv`, `manifest.tsv` or `manifest.parquet`, a row an utterance.

Columns `path` (relative to the folder), `label` and `speaker` are needed; nkululeko's names `file`, `emotion` and
`speaker` do as well. As known: `utterance_id` (the path without its ending where it is not given), `start` and `end`
(in seconds, or timedeltas as `0 days 00:00:01.5`: the row is about that stretch of the file; an empty end is the end
of the file), `session`, `gender`, `duration_s` (which must agree with the file's own length), `text`, `style`,
`valence`, `activation`, `dominance`, `agreement` (share of raters behind the label), `dialogue`, `split` (train, dev
or test), and `stretches`, the emotions of a recording in which they change, as JSON: `[[start_s, end_s, "label"],
…]`. Every other column goes along as text.

Spreadsheets write a manifest in many ways; `training.corpora.spreadsheet` reads what is certain. What spellings of
labels stand for that `segser_core.labels` does not know is said by the option `labels`.
"""

import logging
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pandas as pd
from pyarrow.lib import ArrowException

from segser_core.audio.excerpt import CLIP_END, CLIP_START
from segser_core.errors import CorpusError
from segser_core.formatting import one_line
from segser_core.labels import normalise_label
from segser_core.prediction.stretches import stretches_from_json, stretches_to_json
from segser_core.runs.corpus_info import CorpusInfo
from training.corpora.corpus import (
    COLUMNS,
    Corpus,
    LeftOut,
    Lost,
    Misfit,
    check_folder,
    read_duration_s,
)
from training.corpora.definition import CorpusDefinition
from training.corpora.excerpts import clip_times, with_clip_times
from training.corpora.label_codes import own_labels, read_label_codes, read_labels, warn_of_own_labels
from training.corpora.leaks import IDENTITY, speakers_spelled_alike
from training.corpora.manifest_paths import ManifestPaths
from training.corpora.spreadsheet import Columns, header_key, read_spreadsheet, with_known_names

MANIFEST_FILES = ("manifest.csv", "manifest.tsv", "manifest.parquet")
_NEEDED = ("path", "label", "speaker")
LONGEST_OVERHANG_S = 0.02  # of a stretch beyond its recording's end: a frame, by which headers may be off
_NUMBERS = (CLIP_START, CLIP_END, "duration_s", "valence", "activation", "dominance", "agreement", "joined")
_TIMES = ("start", "end", "start_s", "end_s")  # of a stretch of a file, as people name them
MANIFEST_RUN_COLUMNS = ("agreement", "joined", "parts", "stretches")
MANIFEST_COLUMNS = Columns(
    needed=_NEEDED,
    known=(*COLUMNS, *_TIMES, *_NUMBERS[3:], "dialogue", "split", "stretches"),
    others={
        "path": (
            "file",
            "filename",
            "file_name",
            "filepath",
            "file_path",
            "audio_path",
            "audio_file",
            "wav",
            "wav_path",
        ),
        "label": ("emotion", "emo", "class_label"),  # nkululeko's, and others
        "speaker": ("speaker_id", "spk", "spk_id", "actor", "actor_id"),
    },
    numbers=(*_NUMBERS, *_TIMES),
)
_NO_VALUE = ("nan", "NaN", "None", "<NA>", "N/A", "n/a", "#N/A")  # as programs write an empty cell, not as people do
WORKBOOK_ENDINGS = (".xlsx", ".xls", ".ods", ".numbers")
DURATION_SHARE, DURATION_S = 0.1, 0.5  # by which duration_s may be off: of headers, and of trimmed silence
MOST_WRONG_DURATIONS = 0.1  # of the rows; more is a column of another unit
_log = logging.getLogger(__name__)


def load_manifest(
    root: Path,
    labels: Mapping[str, str] | str | None = None,
    label: str = "label",
    speaker: str = "speaker",
    distinct_speakers: bool = False,
) -> Corpus:
    """Load the corpus that a manifest in `root` lists; labels in the project's spelling, others in small letters.

    Args:
        root: the folder.
        labels: what spellings of labels stand for, e.g. {"Wut": "angry"}, or a corpus whose codes are meant.
        label, speaker: names of these columns.
        distinct_speakers: speakers whose names differ in case, blanks or leading zeros alone are different people.

    Raises:
        UnknownCorpusError: `labels` is neither.
        CorpusError: no manifest or several, one that cannot be read or lacks a column, or no row of it fits.
    """
    codes = read_label_codes(labels)
    table = read_manifest(find_manifest(root), codes, {"label": label, "speaker": speaker})
    return with_distinct_speakers(corpus_from_table("manifest", root, table, codes), distinct_speakers)


def with_distinct_speakers(corpus: Corpus, distinct: bool) -> Corpus:
    """Take speakers whose names differ in case, blanks or leading zeros alone as different people, or note them."""
    if distinct:
        return replace(corpus, manifest=corpus.manifest.assign(**{IDENTITY: corpus.manifest["speaker"]}))
    alike = speakers_spelled_alike(corpus.manifest)
    note = f"Speakers that are spelled alike, taken as one: {'; '.join(one_line(', '.join(names)) for names in alike)}."
    return replace(corpus, notes=(*corpus.notes, note)) if alike else corpus


def corpus_from_table(name: str, root: Path, table: pd.DataFrame, codes: Mapping[str, str] | None = None) -> Corpus:
    """Make a corpus of a table with the columns of `with_all_columns`, a row an utterance.

    Args:
        name: of the corpus.
        root: the folder.
        table: the rows.
        codes: what further spellings of labels stand for, in stretches.

    Raises:
        CorpusError: no row of it fits, its durations are of another unit, or a row's stretch is none.
    """
    rows, left_out = [], []
    seen: dict[str, str] = {}
    paths = ManifestPaths(root)
    said_s: dict[str, float] = {}
    for number, row in enumerate(table.to_dict("records"), start=1):
        path = str(row["path"]) or f"row {number}"
        try:
            check_row(row)
            row = row | {"path": paths.find(row["path"])}
            found = row | {"utterance_id": row_name(row, seen), "duration_s": row_duration_s(row, root)}
            said_s[found["utterance_id"]] = row["duration_s"]
            if CLIP_START in row:
                found |= row_stretch(found, f"row {number} of the {name} ({path})")
            if not math.isnan(found.get(CLIP_START, math.nan)):
                said_s[found["utterance_id"]] = math.nan  # it may be that of the file, or of the stretch
            rows.append(found | ({"stretches": row_stretches(found, codes)} if "stretches" in row else {}))
            seen[rows[-1]["utterance_id"]] = path
        except Misfit as error:
            left_out.append(LeftOut(path, str(error), isinstance(error, Lost)))
    if not rows:
        raise CorpusError(
            f"none of the {len(table)} rows of the {name} in {root} fits; the first: {_first_reason(left_out)}"
        )
    manifest = pd.DataFrame(rows).sort_values("utterance_id", ignore_index=True)
    paths.warn_of_guesses()
    check_durations(manifest, manifest["utterance_id"].map(said_s))
    warn_of_own_labels(manifest["label"])
    others = [c for c in manifest if c not in COLUMNS]
    foreign = own_labels(manifest["label"])
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
        books = [p.name for p in sorted(root.iterdir()) if p.suffix.lower() in WORKBOOK_ENDINGS and not files]
        which = f"; save {one_line(books[0])} as {MANIFEST_FILES[0]}, CSV in UTF-8" if books else ""
        raise CorpusError(f"{root} holds {got}; expected one of {', '.join(MANIFEST_FILES)}{which}")
    return files[0]


def read_manifest(
    file: Path, codes: Mapping[str, str] | None = None, chosen: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Read the table in a manifest, `with_all_columns`; text is text, "03" stays "03".

    Args:
        file: the manifest.
        codes: what further spellings of labels stand for.
        chosen: by the name of a column the one that is meant.

    Raises:
        CorpusError: it cannot be read, or lacks a column that is needed.
    """
    if file.suffix == ".parquet":
        try:
            table = pd.read_parquet(file)
        except (OSError, ValueError, ArrowException) as error:
            raise CorpusError(f"{file} cannot be read: {str(error).splitlines()[0]}") from error
    else:
        table = read_spreadsheet(file, MANIFEST_COLUMNS)
    table = with_known_names(with_chosen_columns(table, chosen or {}, file), MANIFEST_COLUMNS, file)
    return with_all_columns(with_clip_times(table, str(file)), codes)


def with_chosen_columns(table: pd.DataFrame, chosen: Mapping[str, str], file: Path) -> pd.DataFrame:
    """Take the columns that are meant as `label` and `speaker`, in place of those of that name.

    Raises:
        CorpusError: there is no such column.
    """
    for known, meant in chosen.items():
        if header_key(meant) == known:
            continue
        found = [name for name in table if header_key(str(name)) == header_key(meant)]
        if len(found) != 1:
            has = ", ".join(one_line(name) for name in table.columns)
            raise CorpusError(f"{file} has no column {one_line(meant)}, which {known} names; it has {has}")
        others = [name for name in table if header_key(str(name)) == known]
        table = table.drop(columns=others).rename(columns={found[0]: known})
    return table


def with_all_columns(table: pd.DataFrame, codes: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Complete a table of utterances to all of `COLUMNS`, with "" where it has none; numbers as numbers, else text.

    Args:
        table: a row an utterance.
        codes: what further spellings of labels stand for.
    """
    absent = {c: "" for c in COLUMNS if c not in table}
    completed = table.assign(**absent).apply(lambda column: _column(column, str(column.name)))
    return completed.assign(label=read_labels(completed["label"], codes or {}))


def _column(column: pd.Series, name: str) -> pd.Series:
    if name in _NUMBERS:
        return pd.to_numeric(column, errors="coerce")
    text = column.astype(object).where(column.notna(), "").astype(str).str.strip()
    if name == "split":
        return text.str.lower()
    return text.where(~text.isin(_NO_VALUE), "") if name != "label" else text


def check_row(row: dict) -> None:
    """Check that a row has a path and a label.

    Raises:
        Misfit: it lacks one.
    """
    for column in ("path", "label"):
        if not row[column]:
            raise Misfit(f"it has no {column}")


def row_name(row: dict, seen: dict[str, str]) -> str:
    """Name a row: its utterance_id, which no row before it has.

    Raises:
        Misfit: its name is taken.
    """
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
    """Read the duration of a row's recording in seconds; the row's own counts where the recording cannot be read.

    Such a recording is named when it is heard.

    Raises:
        Lost: it cannot be read, and the row does not say how long it is.
    """
    try:
        return read_duration_s(root / row["path"])
    except Lost:
        if row["duration_s"] > 0:
            return float(row["duration_s"])
        raise


def check_durations(manifest: pd.DataFrame, said_s: pd.Series) -> None:
    """Hold the durations that a manifest says against those of its recordings, which count.

    Args:
        manifest: with the recordings' own `duration_s`.
        said_s: (N,) seconds as the manifest says, NaN where it does not.

    Raises:
        CorpusError: more than a tenth of the rows are far off.
    """
    off = (said_s - manifest["duration_s"]).abs() > (DURATION_SHARE * manifest["duration_s"]).clip(lower=DURATION_S)
    if not off.any():
        return
    first = manifest[off].iloc[0]
    seen = (
        f"{off.sum()} of {said_s.notna().sum()} rows have a duration_s that is far off, as {said_s[off].iloc[0]:g} s "
        f"for {one_line(first['path'])}, which lasts {first['duration_s']:.2f} s"
    )
    if off.sum() <= MOST_WRONG_DURATIONS * said_s.notna().sum():
        _log.warning("%s; the recordings' own durations count", seen)
        return
    factor = (said_s[off] / manifest["duration_s"][off]).median()
    unit = " (milliseconds?)" if 900 < factor < 1100 else ""
    raise CorpusError(
        f"{seen}{unit}; write seconds there, or leave the column out: the recordings' own durations count"
    )


def row_stretches(row: dict, codes: Mapping[str, str] | None = None) -> str:
    """Read a row's stretches; returns them as JSON, labels in the project's spelling, empty where it has none.

    Args:
        row: of the manifest.
        codes: what further spellings of labels stand for.

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
    return stretches_to_json(replace(s, label=normalise_label(s.label, codes)) for s in stretches)


def _first_reason(left_out: list[LeftOut]) -> str:
    return f"{left_out[0].path}: {left_out[0].why}" if left_out else "it is empty"


MANIFEST = CorpusDefinition(
    name="manifest", info=CorpusInfo("manifest"), load=load_manifest, run_columns=MANIFEST_RUN_COLUMNS
)
