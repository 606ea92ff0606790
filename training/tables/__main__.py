"""Tables 1 and 2, Figures 2, 3 and 4 and the split by length, ours beside the paper's: one page, and a CSV for each.

    python -m training.tables RUN… [SWEEP…] --out DIR [--split-s 10] [--readme README.md]

A folder that is neither a run nor a sweep stands for all that lie below it. `index.html` needs nothing else;
`--readme` also replaces what stands between the two marks in a Markdown file by the tables of scores.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from segser_core.errors import RunError, SegserError, SettingError
from segser_core.formatting import percent, signed_points
from segser_core.runs.run import Run, find_runs_below, read_run
from segser_core.systems import BASELINE
from training.corpora import corpus_title
from training.runs.sweep_folder import read_sweep
from training.tables.comparable import Row, Section, sections
from training.tables.page import page
from training.tables.rows import (
    agreement_rows,
    class_rows,
    difference_rows,
    length_rows,
    score_rows,
    single_rows,
    sweep_rows,
)

MARKS = ("<!-- results: python -m training.tables --readme -->", "<!-- /results -->")


def gather(places: Sequence[Path]) -> tuple[list[Run], list[Row]]:
    """The runs and the sweeps in or below some folders.

    Raises:
        RunError: a folder holds none, or a run is damaged.
        SettingError: a sweep is damaged.
    """
    runs: dict[Path, Run] = {}
    sweeps: dict[Path, Row] = {}
    for place in places:
        found = {path.resolve(): path for path in find_runs_below(place).values()}
        swept = {file.parent.resolve(): file.parent for file in sorted(place.rglob("sweep.json"))}
        if not found and not swept:
            raise RunError(f"{place} holds no run and no sweep; expected run.json or sweep.json in it or below")
        runs |= {key: read_run(path) for key, path in found.items() if key not in runs}
        sweeps |= {key: read_sweep(path) for key, path in swept.items()}
    return list(runs.values()), list(sweeps.values())


def write_csv(out: Path, found: Sequence[Section], wanted_s: float) -> None:
    """A CSV for each table and figure, with the section that each row is of; scores are fractions."""
    tables: dict[str, Callable[[Section], list[Row]]] = {
        "table1": score_rows,
        "folds-and-seeds": single_rows,
        "differences": difference_rows,
        "table2": agreement_rows,
        "length": lambda section: length_rows(section, wanted_s)[0],
        "figure2": lambda section: sweep_rows(section, "segment-size"),
        "figure3": lambda section: sweep_rows(section, "alpha"),
        "figure4": class_rows,
    }
    for name, rows_of in tables.items():
        rows = [
            {"corpus": s.corpus, "protocol": s.protocol, "encoder": s.encoder, **row}
            for s in found
            for row in rows_of(s)
        ]
        table = pd.DataFrame(rows or [{"status": "not run"}])
        theirs = [column for column in table if column.startswith("paper_")]
        table[[*table.columns.drop(theirs), *theirs]].to_csv(out / f"{name}.csv", index=False)


def markdown(found: Sequence[Section]) -> str:
    """Table 1 of each section that has a run, as Markdown: UAR, accuracy, and UAR minus the baseline's."""
    return "\n\n".join(_markdown(section) for section in found if section.runs)


def _markdown(section: Section) -> str:
    of, beside = next(iter(section.summaries.values())), section.is_the_papers
    head = (
        f"{corpus_title(section.corpus)}, `{section.protocol}`, `{section.encoder}`, {of.utterances} test "
        f"clips of {of.speakers or 'unknown'} speakers, {len(of.per_fold)} fold{'s' * (len(of.per_fold) > 1)}."
    )
    if beside and section.other_encoder:
        head += f" The paper's encoder is `{section.other_encoder}`: compare down a column, not across."
    columns = ["system", "seeds", "UAR", "accuracy", f"UAR minus `{BASELINE}`", *["the paper's UAR"] * beside]
    lines = [" | ".join(columns), " | ".join(["---"] * len(columns))]
    differences = {row["system"]: row for row in difference_rows(section)}
    for row in score_rows(section):
        cells = [
            f"`{row['system']}`",
            row.get("seeds", "–"),
            *(_with_interval(row, name) for name in ("uar", "accuracy")),
        ]
        cells += [_difference(differences.get(row["system"])), *[percent(row["paper_uar"])] * beside]
        lines.append(" | ".join(cells))
    return "\n".join([head, "", *(f"| {line} |" for line in lines)])


def _with_interval(row: Row, name: str) -> str:
    if row["status"] == "not run":
        return "not run"
    return f"{percent(row[name])} ({percent(row[f'{name}_low'])} to {percent(row[f'{name}_high'])})"


def _difference(row: Row | None) -> str:
    if row is None:
        return "–"
    low, high = (signed_points(row[f"uar_difference_{side}"]) for side in ("low", "high"))
    return f"{signed_points(row['uar_difference'])} ({low} to {high})"


def put_between(text: str, new: str) -> str:
    """A text with what stands between the two marks replaced.

    Raises:
        SettingError: the marks are not there, once each and in order.
    """
    places = [text.find(mark) for mark in MARKS]
    if any(text.count(mark) != 1 for mark in MARKS) or places != sorted(places):
        raise SettingError(f"expected the lines {MARKS[0]} and {MARKS[1]} once each, in this order; add them")
    return f"{text[: places[0]]}{MARKS[0]}\n{new}\n{text[places[1] :]}"


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m training.tables", description=__doc__.splitlines()[0])
    parser.add_argument("places", type=Path, nargs="+", metavar="RUN|SWEEP", help="run and sweep folders, or one above")
    parser.add_argument("--out", required=True, type=Path, help="the folder to write index.html and the CSV files to")
    parser.add_argument("--split-s", type=float, default=10.0, help="seconds at which clips are split by length")
    parser.add_argument("--readme", type=Path, help="a Markdown file whose table between the two marks is replaced")
    asked = parser.parse_args(argv)
    try:
        found = sections(*gather(asked.places))
        readme = asked.readme and put_between(asked.readme.read_text(encoding="utf-8"), markdown(found))
        asked.out.mkdir(parents=True, exist_ok=True)
        write_csv(asked.out, found, asked.split_s)
        (asked.out / "index.html").write_text(page(found, asked.split_s), encoding="utf-8")
        if readme:
            asked.readme.write_text(readme, encoding="utf-8")
    except (SegserError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"runs: {sum(len(section.runs) for section in found)} → {asked.out / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
