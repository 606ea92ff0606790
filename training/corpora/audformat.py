"""An audformat database (`db.yaml` with its tables), as audb and nkululeko write them: `pip install audformat`.

A file's label is found by the name of a scheme, a column or a scheme's own labels, in whichever table it is: speaker
and gender stand where `audformat.Database.get` finds them. Splits of the database become the column `split`.
"""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from segser_core.errors import CorpusError
from segser_core.runs.corpus_info import CorpusInfo
from training.corpora.corpus import Corpus, LeftOut, check_folder
from training.corpora.definition import CorpusDefinition
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
    parts = is_part_of_file(found)
    whole = found[~parts].rename(columns={label: "label", speaker: "speaker"} | {v: k for k, v in _ALSO.items()})
    table = with_all_columns(whole.rename(columns={"file": "path"}), codes)
    corpus = with_distinct_speakers(corpus_from_table("audformat", root, table, codes), distinct_speakers)
    left_out = [LeftOut(path, "a stretch of a file; cut it to a file of its own") for path in found[parts]["file"]]
    return Corpus("audformat", root, corpus.manifest, (*corpus.left_out, *left_out), notes=corpus.notes)


def labelled_files(database: Any, label: str, speaker: str, tables: list[str] | None) -> pd.DataFrame:
    """List the labelled files: file (and start and end of parts of files), label, speaker, `_ALSO`, split."""
    table = database.get(label, [speaker, *_ALSO.values()], tables=tables)
    files = table.index.get_level_values("file")
    for name, split in database.splits.items():
        if len(table) and split.type in SPLITS:
            members = database.get(label, tables=tables, splits=name).index.get_level_values("file")
            table.loc[files.isin(members), "split"] = split.type
    return table.dropna(subset=[label]).reset_index()


def is_part_of_file(table: pd.DataFrame) -> pd.Series:
    """Tell the rows that are about a part of a file: (rows,) of booleans."""
    if "start" not in table:
        return pd.Series(False, index=table.index)
    return (table["start"] > pd.Timedelta(0)) | table["end"].notna()


AUDFORMAT = CorpusDefinition(name="audformat", info=CorpusInfo("audformat"), load=load_audformat)
