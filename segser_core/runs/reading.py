"""Read and check the files of a run folder, each on its own; errors name file and column."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from segser_core.errors import RunError
from segser_core.files import read_json_object
from segser_core.formatting import one_line
from segser_core.labels import is_valid_label
from segser_core.prediction.stretches import stretches_from_json

if TYPE_CHECKING:
    import pandas as pd


RUN_FORMAT = 1
ROUNDING = 1e-3  # of half precision
REQUIRED = ("utterance_id", "label", "predicted", "confidence")


@dataclass(frozen=True, eq=False)
class Embeddings:
    """Vectors of a run's first seed; folds have different spaces.

    Attributes:
        utterance, utterance_id, utterance_fold: (U, D) float16, and (U,) each.
        segment, segment_utterance_id, segment_index: (R, D) float16, and (R,) each.
    """

    utterance: np.ndarray
    utterance_id: np.ndarray
    utterance_fold: np.ndarray
    segment: np.ndarray
    segment_utterance_id: np.ndarray
    segment_index: np.ndarray


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file of a run.

    Raises:
        RunError: the run has none, or it holds no object.
    """
    if not path.exists():
        raise RunError(f"{path.parent} holds no {path.name}; a run folder has run.json and predictions.parquet")
    return read_json_object(path, RunError)


def read_meta(path: Path) -> dict[str, Any]:
    """Read run.json: a known format, a system, and labels each named once; a RunError otherwise."""
    meta = read_json(path)
    if meta.get("format") != RUN_FORMAT:
        raise RunError(f"{path} is of format {meta.get('format')!r}; this version of segser reads format {RUN_FORMAT}")
    if not isinstance(meta.get("system"), str):
        raise RunError(f"{path} names no system")
    labels = meta.get("labels")
    if not isinstance(labels, list) or not labels or not all(is_valid_label(c) for c in labels):
        raise RunError(f"{path} has labels {labels!r}; expected a list of names, without markup")
    if len(set(labels)) < len(labels):
        raise RunError(f"{path} names a label twice: {', '.join(labels)}")
    return meta


def read_table(path: Path, columns: tuple[str, ...]) -> "pd.DataFrame":
    """Read a Parquet file with these columns; shares are 0 to 1, seconds finite, counts whole; a RunError otherwise."""
    table = _read_parquet(path)
    if missing := [c for c in columns if c not in table]:
        raise RunError(f"{path} has no column {', '.join(missing)}")
    for column in table:
        _check_numbers(path, str(column), table[column])
    return table.assign(utterance_id=table.utterance_id.astype(str))


def _read_parquet(path: Path) -> "pd.DataFrame":
    """Read the rows of a file, every cell of them a number, a text or another single value."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        rows = parquet.read_table(path)
        rows.validate(full=True)  # else text that is no UTF-8 shows only when it is looked at
        strange = (pa.types.is_nested, pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
        if found := [f.name for f in rows.schema if any(kind(f.type) for kind in strange)]:
            raise ValueError(f"the column {found[0]} holds lists, structures or bytes")
        return rows.to_pandas(ignore_metadata=True)  # metadata would name types and an index of its own
    except FileNotFoundError:
        raise RunError(
            f"{path.parent} holds no {path.name}; a run folder has run.json and predictions.parquet"
        ) from None
    except Exception as error:  # pyarrow and pandas raise many kinds for damaged bytes
        raise RunError(f"{path} cannot be read as Parquet: {_in_a_line(error)}") from error


def _check_numbers(path: Path, name: str, column: "pd.Series") -> None:
    """Check the values of a column by its name, whatever the file."""
    import pandas as pd

    share = name.startswith(("p_", "u_", "i_")) or name == "confidence"
    if name in ("seed", "fold", "segment", "stretch") and not pd.api.types.is_integer_dtype(column):
        raise RunError(f"{path}: column {name} holds something that is not a whole number")
    if share or name.endswith("_s"):
        if not pd.api.types.is_numeric_dtype(column) or not np.isfinite(column).all():
            raise RunError(f"{path}: column {name} holds something that is not a finite number")
        if share and not column.between(-ROUNDING, 1 + ROUNDING).all():
            raise RunError(f"{path}: column {name} holds something that is not a share from 0 to 1")


def _in_a_line(error: Exception) -> str:
    """Shorten an error of another package to one line."""
    return one_line(str(error).partition("\n")[0]) or type(error).__name__


def read_predictions(path: Path, labels: tuple[str, ...]) -> "pd.DataFrame":
    """Read predictions.parquet: at least a row, and no label that run.json does not list; a RunError otherwise.

    `seed` and `fold` (0) and `split` (test) are filled in where the file has none.
    """
    table = read_table(path, (*REQUIRED, *(f"p_{c}" for c in labels)))
    if table.empty:
        raise RunError(f"{path} has no row")
    _check_labels(path, table, ("label", "predicted"), labels)
    if "stretches" in table:
        table = table.assign(stretches=table.stretches.astype(object).fillna("").astype(str))
        _check_stretches(path, table, labels)
    known = {"seed": 0, "fold": 0, "split": "test"}
    return table.assign(**{c: value for c, value in known.items() if c not in table})


def _check_labels(path: Path, table: "pd.DataFrame", columns: tuple[str, ...], labels: tuple[str, ...]) -> None:
    """Check that those of these columns that the table has hold labels of the run alone."""
    for column in (c for c in columns if c in table):
        if strange := sorted({str(c) for c in table[column].unique()} - set(labels)):
            raise RunError(f"{path}: column {column} has {', '.join(strange)}, which run.json does not list as a label")


def _check_stretches(path: Path, table: "pd.DataFrame", labels: tuple[str, ...]) -> None:
    """Check the column `stretches` of predictions.parquet: JSON of known labels, or empty text."""
    for name, text in table[["utterance_id", "stretches"]].drop_duplicates().itertuples(index=False):
        try:
            stretches = stretches_from_json(text)
        except ValueError as error:
            raise RunError(f"{path}: column stretches of {one_line(name)}: {error}") from error
        if strange := sorted({s.label for s in stretches} - set(labels)):
            raise RunError(
                f"{path}: column stretches of {one_line(name)} has {strange[0]}, which is no label of the run"
            )


def read_segments(path: Path, labels: tuple[str, ...]) -> "pd.DataFrame":
    """Read segments.parquet; a RunError where it is damaged or lacks a column."""
    table = read_table(path, ("utterance_id", "segment", "start_s", "end_s", *(f"p_{c}" for c in labels)))
    return table if "seed" in table else table.assign(seed=0)


def read_stretches(path: Path, labels: tuple[str, ...]) -> "pd.DataFrame":
    """Read stretches.parquet, a row a stretch that was analysed alone; a RunError where it is damaged.

    `seed` and `fold` (0) are filled in where the file has none.
    """
    columns = ("utterance_id", "stretch", "start_s", "end_s", "label", "alone")
    table = read_table(path, (*columns, *(f"p_{c}" for c in labels)))
    _check_labels(path, table, ("label", "alone", "alone_isolated"), labels)
    return table.assign(**{c: 0 for c in ("seed", "fold") if c not in table})


def read_embeddings(path: Path) -> Embeddings:
    """Read embeddings.npz, whose arrays fit one another; a RunError otherwise. No pickle is opened."""
    names = tuple(Embeddings.__dataclass_fields__)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            found = Embeddings(**{name: arrays[name] for name in names})
    except Exception as error:  # numpy and zipfile raise many kinds for damaged bytes, with advice to allow pickles
        raise RunError(f"{path} is damaged, or holds other things than the arrays {', '.join(names)}") from error
    for prefix, others in (("utterance", names[1:3]), ("segment", names[4:])):
        rows = getattr(found, prefix)
        if rows.ndim != 2 or any(getattr(found, other).shape != rows.shape[:1] for other in others):
            raise RunError(f"{path}: {prefix} has shape {rows.shape}, which does not fit {' and '.join(others)}")
    return found
