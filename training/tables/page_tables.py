"""Build the tables of the results page from the rows of `rows.py`; `page.html.jinja` sets them as HTML."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from segser_core import paper
from segser_core.formatting import percent, signed_points
from segser_core.statistics.diarization_report import CONTEXT_TITLES, format_measure
from segser_core.systems import BASELINE
from training.corpora import corpus_title
from training.tables.comparable import ComparableRuns, Row
from training.tables.rows import (
    agreement_rows,
    corpus_rows,
    diarization_rows,
    difference_rows,
    fold_and_seed_rows,
    length_rows,
    score_rows,
)

Formatter = Callable[[float | None], str]


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: its first line.
        below: lines in small letters below it.
        kind: a figure of the paper, or of what was not run.
    """

    text: str
    below: tuple[str, ...] = ()
    kind: Literal["", "paper", "absent"] = ""


@dataclass(frozen=True)
class PageTable:
    """A table of the results page.

    Attributes:
        caption: above it.
        heads: of each column, the lines of its head.
        rows: cells of each row; the first is the row's head.
        note: below it; where there is no row, in its place.
    """

    caption: str
    heads: tuple[tuple[str, ...], ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


NOT_RUN = Cell("not run", kind="absent")
UNKNOWN_IN_PAPER = Cell(percent(None), kind="paper")


def build_table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[Cell]], note: str = "") -> PageTable:
    """Make a table without the columns of the paper in which nothing is known.

    Args:
        caption: above it.
        heads: of each column; a line break parts lines.
        rows: cells of each row.
        note: below it.
    """
    known = [i for i in range(len(heads)) if any(row[i] != UNKNOWN_IN_PAPER for row in rows)]
    lines = tuple(tuple(heads[i].split("\n")) for i in known)
    return PageTable(caption, lines, tuple(tuple(row[i] for i in known) for row in rows), note)


def own_score(row: Row, name: str, formatted: Formatter = percent) -> Cell:
    """Make a cell of one of our figures over its interval, or that it was not run."""
    if row.get("status") == "not run":
        return NOT_RUN
    value, low, high = (row.get(key) for key in (name, f"{name}_low", f"{name}_high"))
    if value is None:
        return Cell("–")
    interval = () if low is None or low != low else (f"{formatted(low)} to {formatted(high)}",)
    return Cell(formatted(value), interval)


def paper_score(value: float | None) -> Cell:
    """Make a cell of one of the paper's figures."""
    return Cell(percent(value), kind="paper")


def system_cell(row: Row) -> Cell:
    """Make a cell of a system over its seeds."""
    seeds = row.get("seeds")
    return Cell(row["system"], (f"seed{'s' * (' ' in str(seeds))} {seeds}",) if seeds else ())


def build_score_table(group: ComparableRuns) -> PageTable:
    """Make Table 1."""
    rows = score_rows(group)
    folds = any(row.get("folds", 1) > 1 for row in rows)
    speakers = any(row.get("uar_speaker_low") for row in rows)
    heads = ["system", "UAR\nours", "UAR\npaper", "accuracy\nours", "accuracy\npaper", "macro F1\nours"]
    heads += ["UAR, mean\nof folds"] * folds + ["UAR, 95 %\nby speaker"] * speakers
    cells = []
    for row in rows:
        line = [system_cell(row), own_score(row, "uar"), paper_score(row["paper_uar"]), own_score(row, "accuracy")]
        line += [paper_score(row["paper_accuracy"]), own_score(row, "macro_f1")]
        line += [own_score(row, "uar_mean_of_folds")] * folds + [_interval(row, "uar_speaker")] * speakers
        cells.append(line)
    note = "Percent, folds and seeds pooled; below each the 95 % interval by clip, a clip drawn with all its seeds."
    if group.corpus == "iemocap" and group.is_the_papers:
        note += " The paper's figure for p-tapt is its “UA”, which is a mean of recalls and so stands under UAR."
    return build_table("Table 1: scores on test clips", heads, cells, note)


def _interval(row: Row, name: str) -> Cell:
    low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
    return NOT_RUN if row.get("status") == "not run" else Cell(f"{percent(low)} to {percent(high)}")


def build_difference_table(group: ComparableRuns) -> PageTable:
    """Make the table of each system minus the baseline."""
    rows = difference_rows(group)
    speakers = any(row["uar_difference_speaker_low"] is not None for row in rows)
    heads = ["system", "UAR, points", "p (Holm)", *["by speaker", "p (Holm)"] * speakers, "accuracy, McNemar"]
    cells = []
    for row in rows:
        line = [system_cell(row), own_score(row, "uar_difference", signed_points), Cell(_p_value(row["p_holm"]))]
        if speakers:
            low, high = row["uar_difference_speaker_low"], row["uar_difference_speaker_high"]
            line += [Cell(f"{signed_points(low)} to {signed_points(high)}"), Cell(_p_value(row["p_holm_speaker"]))]
        cells.append([*line, Cell("", tuple(row["accuracy_mcnemar"].split("; ")))])
    several = f"; p is adjusted for {len(rows)} systems" if len(rows) > 1 else ""
    note = (
        f"Paired on the same clips and seeds; below each the 95 % interval by clip{several}. Interval and p leave out "
        "how far trainings of one system differ: a difference of one seed is one of two models. "
        f"McNemar: clips that only the system has right, to those that only {BASELINE} has; exact, clips taken as "
        "independent."
    )
    return build_table(f"Each system minus {BASELINE}", heads, cells, note)


def _p_value(value: float | None) -> str:
    return "–" if value is None or value != value else f"{value:.2g}"


def build_corpus_table(group: ComparableRuns) -> PageTable:
    """Make the table of scores by corpus; without a row where the runs are of one corpus."""
    cells = []
    for row in corpus_rows(group):
        counts = [Cell(str(row["clips"])), Cell(str(row["speakers"] or "–")), Cell(str(row["classes"]))]
        scores = [own_score(row, "uar"), _interval(row, "uar_speaker"), own_score(row, "accuracy")]
        named = Cell(row["system"], (corpus_title(row["test_corpus"]),))
        cells.append([named, *counts, *scores, own_score(row, "macro_f1")])
    heads = ["system, corpus", "clips", "speakers", "classes", "UAR", "UAR, 95 %\nby speaker", "accuracy", "macro F1"]
    note = "Over the classes that have a test clip of the corpus; a prediction of any other class is wrong."
    return build_table("Scores by corpus", heads, cells, note)


def build_fold_and_seed_table(group: ComparableRuns) -> PageTable:
    """Make the table of each fold's and seed's UAR; without a row unless there are several of either."""
    rows = [row for row in fold_and_seed_rows(group) if row["score"] == "uar"]
    every = sorted({(row["of"], row["number"]) for row in rows})
    columns = [(of, n) for of, n in every if sum(of == other for other, _ in every) > 1]
    values = {(row["system"], row["of"], row["number"]): row["value"] for row in rows}
    cells = [[Cell(s), *(Cell(percent(values.get((s, *c)))) for c in columns)] for s in group.runs if columns]
    heads = ["system", *(f"{of} {n}" for of, n in columns)]
    return build_table("UAR of each fold and each seed", heads, cells)


def build_agreement_table(group: ComparableRuns) -> PageTable:
    """Make Table 2."""
    heads = ["system", "UAR\nours", "UAR\npaper", "Cohen’s κ", "equal labels"]
    cells = []
    for row in agreement_rows(group):
        papers_best = group.is_the_papers and row["system"] == paper.BEST[group.corpus]
        theirs = Cell("best") if papers_best else paper_score(row["paper_uar"])
        if row["system"] == row["best"]:
            ours = [Cell("best"), theirs, Cell(""), Cell("")]
        else:
            kappa, equal = own_score(row, "kappa", _kappa), own_score(row, "equal")
            ours = [own_score(row, "uar"), theirs, kappa, equal]
        cells.append([Cell(row["system"]), *ours])
    note = (
        "UAR with the labels of the best system (ours: of the highest test UAR) taken as truth. It is not symmetric; "
        "Cohen’s κ is, and leaves out what chance would give."
    )
    return build_table("Table 2: agreement with the best system", heads, cells, note)


def _kappa(value: float | None) -> str:
    return "–" if value is None or value != value else f"{value:.2f}".replace("-", "−")


def build_diarization_table(group: ComparableRuns) -> PageTable:
    """Make the table of label over time; without a row where no run has stretches."""
    rows = diarization_rows(group)
    shares = {"share_of_time": "share\nof time", "eder": "EDER", "false_alarm": "false\nalarm", "missed": "missed"}
    shares |= {"confused": "confused", "floor": "floor", "ceiling": "ceiling"}
    numbers = {"boundary_error_s": "boundary\nerror, s", "surplus_changes_per_min": "surplus changes\na minute"}
    speakers = any(row["share_of_time_speaker_low"] is not None for row in rows)
    against = any("share_of_time_difference" in row for row in rows)
    heads = ["system", *shares.values(), *numbers.values()]
    heads += ["share of time,\nby speaker"] * speakers + [f"share of time\nminus {BASELINE}"] * against
    cells = []
    for row in rows:
        line = [Cell(row["system"], (CONTEXT_TITLES[row["context"]],))]
        line += [own_score(row, name) for name in shares]
        line += [own_score(row, name, partial(format_measure, name)) for name in numbers]
        line += [_interval(row, "share_of_time_speaker")] * speakers
        line += [own_score(row, "share_of_time_difference", signed_points)] * against
        cells.append(line)
    note = (
        "Recordings whose emotion changes at known times, in steps of 20 ms; below each the 95 % interval by "
        "recording. EDER is false alarm, missed and confused emotion over all time, neutral being no emotion. Floor: "
        "the recording's one label all through. Ceiling: each stretch analysed alone."
    )
    return build_table("Label over time", heads, cells, note)


def build_length_table(group: ComparableRuns, wanted_s: float) -> PageTable:
    """Make the table of UAR by length; its note says why there is no row, or another edge than the one wanted."""
    rows, why = length_rows(group, wanted_s)
    cells = []
    for short, long in zip(rows[::2], rows[1::2], strict=True):
        scores = [cell for side in (short, long) for cell in (own_score(side, "uar"), paper_score(side["paper_uar"]))]
        cells.append([Cell(short["system"]), *scores])
    heads = ["system"]
    for side in dict.fromkeys(r["length"] for r in rows):
        clips = next((f"\n{r['clips']} clips" for r in rows if r["length"] == side and "clips" in r), "")
        heads += [f"{side}, ours{clips}", f"{side}, paper"]
    fewer = [r for r in rows if r["status"] == "run" and r["classes"] < len(group.runs[r["system"]].labels)]
    note = why + (" A side lacks a class: its UAR is over those that it has." if fewer else "")
    return build_table("UAR by length of the clip", heads, cells, note)
