"""An audformat database (`db.yaml` with its tables), as audb and nkululeko write them: `pip install audformat`.

A file's label is found by the name of a scheme, a column or a scheme's own labels, in whichever table it is: speaker
and gender stand where `audformat.Database.get` finds them. Splits of the database become the column `split`. A row of a
segmented table is the stretch of its file from `start` to `end`; NaT is the end of the file.
"""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from segser_core.errors import CorpusError
from segser_core.runs.corpus_info import CorpusInfo
from training.corpora.corpus import Corpus, check_folder
from training.corpora.definition import CorpusDefinition
from training.corpora.excerpts import with_clip_times
from training.corpora.fold import SPLITS
from training.corpora.label_codes import read_label_codes
from training.corpora.manifest import corpus_from_table, with_all_columns, with_distinct_speakers

_HEADER = "db.yaml"
_ALSO = {"gender": "gender", "text": "transcription", "session": "session"}
_READ_ERRORS = (OSError, ValueError, TypeError, KeyError, RuntimeError, AttributeError, yaml.YAMLError)


def load_audformat(
    root: Path,
    label: str = "emotion",
    speaker: str = "speaker",
    tables: str | None = None,
    labels: Mapping[str, str] | str | None = None,
    distinct_speakers: bool = False,
) -> Corpus:
    """Load the database in `root`; labels in the project's spelling, others in small letters.

    Args:
        root: the folder that holds db.yaml.
        label: name of the scheme of the emotion.
        speaker: name of the scheme of the speaker.
        tables: where the label is searched, separated by commas; all tables where it is None.
        labels, distinct_speakers: as in `load_manifest`.

    Raises:
        CorpusError: the package is missing, no database or one that cannot be read, a pickled table, no such
            label, or no file that fits.
    """
    codes = read_label_codes(labels)
    check_folder(root)
    if not (root / _HEADER).is_file():
        raise CorpusError(f"{root} holds no {_HEADER}; give the folder of an audformat database")
    if pickled := sorted(root.glob("*.pkl")):
        raise CorpusError(f"{pickled[0]} is a pickle, which may run code and is not opened; delete it, or save as csv")
    try:
        database = importlib.import_module("audformat").Database.load(str(root), load_data=False)
        found = labelled_files(database, label, speaker, tables.split(",") if tables else None)
    except ImportError as error:
        raise CorpusError("an audformat database needs a package of that name: `pip install audformat`") from error
    except _READ_ERRORS as error:
        raise CorpusError(f"the audformat database in {root} cannot be read: {str(error).splitlines()[0]}") from error
    if found.empty:
        raise CorpusError(f"nothing in {root} has {label!r}; its schemes are {', '.join(database.schemes)}")
    named = {label: "label", speaker: "speaker", "file": "path"} | {v: k for k, v in _ALSO.items()}
    renamed = with_clip_times(found.rename(columns=named), str(root / _HEADER))
    corpus = corpus_from_table("audformat", root, with_all_columns(renamed, codes), codes)
    return with_distinct_speakers(corpus, distinct_speakers)


def labelled_files(database: Any, label: str, speaker: str, tables: list[str] | None) -> pd.DataFrame:
    """List the labelled files: file (and start and end of parts of files), label, speaker, `_ALSO`, split."""
    table = database.get(label, tables=tables)
    for scheme in (speaker, *_ALSO.values()):
        table[scheme] = values_of_rows(database, scheme, table.index)
    files = table.index.get_level_values("file")
    for name, split in database.splits.items():
        if len(table) and split.type in SPLITS:
            members = database.get(label, tables=tables, splits=name).index.get_level_values("file")
            table.loc[files.isin(members), "split"] = split.type
    return table.dropna(subset=[label]).reset_index()


def values_of_rows(database: Any, scheme: str, index: pd.Index) -> list[Any]:
    """Look up a scheme for labelled rows: of the same stretch, else of the whole file; None where neither has it.

    Where some tables are of files and others of stretches, audformat 1.4.3 mixes up the rows of `additional_schemes`.
    """
    found = database.get(scheme)
    known = found[scheme].dropna()
    values = dict(zip(map(stretch_of_index, known.index), known, strict=True))
    rows = map(stretch_of_index, index)
    return [values.get(row, values.get((row[0], 0.0, None))) for row in rows]


def stretch_of_index(entry: Any) -> tuple[str, float, float | None]:
    """Read an entry of audformat's index: file, start and end in seconds, None for the end of the file.

    Example:
        >>> stretch_of_index("a.wav"), stretch_of_index(("a.wav", pd.Timedelta("1s"), pd.NaT))
        (('a.wav', 0.0, None), ('a.wav', 1.0, None))
    """
    if isinstance(entry, str):
        return entry, 0.0, None
    file, start, end = entry
    return file, 0.0 if pd.isna(start) else start.total_seconds(), None if pd.isna(end) else end.total_seconds()


AUDFORMAT = CorpusDefinition(name="audformat", info=CorpusInfo("audformat"), load=load_audformat)
