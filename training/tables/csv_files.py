"""Write the tables and figures of results as CSV files."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from training.tables.comparable import ComparableRuns, Row
from training.tables.rows import (
    agreement_rows,
    class_rows,
    corpus_rows,
    diarization_rows,
    difference_rows,
    fold_and_seed_rows,
    length_rows,
    score_rows,
    sweep_rows,
)


def write_csv_files(out: Path, groups: Sequence[ComparableRuns], wanted_s: float) -> None:
    """Write a CSV file for each table and figure; a row names its corpus, protocol and encoder, scores are fractions.

    Args:
        out: the folder.
        groups: of `group_comparable`.
        wanted_s: seconds at which clips are split by length, where enough are on both sides.
    """
    tables: dict[str, Callable[[ComparableRuns], list[Row]]] = {
        "table1": score_rows,
        "folds-and-seeds": fold_and_seed_rows,
        "differences": difference_rows,
        "table2": agreement_rows,
        "length": lambda group: length_rows(group, wanted_s)[0],
        "figure2": lambda group: sweep_rows(group, "segment-size"),
        "figure3": lambda group: sweep_rows(group, "alpha"),
        "figure4": class_rows,
    }
    if any(group.over_time for group in groups):
        tables["when"] = diarization_rows
    if any(group.by_corpus for group in groups):
        tables["by-corpus"] = corpus_rows
    for name, rows_of in tables.items():
        rows = [
            {"corpus": group.corpus, "protocol": group.protocol, "encoder": group.encoder, **row}
            for group in groups
            for row in rows_of(group)
        ]
        table = pd.DataFrame(rows or [{"status": "not run"}])
        theirs = [column for column in table if column.startswith("paper_")]
        table[[*table.columns.drop(theirs), *theirs]].to_csv(out / f"{name}.csv", index=False)
