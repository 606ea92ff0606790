"""The tables of the results page as HTML, from the rows of `table_rows.py`."""

from collections.abc import Callable, Sequence
from html import escape

from segser_core import paper
from segser_core.formatting import percent, signed_points
from segser_core.systems import BASELINE
from training.tables.comparable import Row, Section
from training.tables.rows import agreement_rows, difference_rows, length_rows, score_rows, single_rows

NOT_RUN = '<span class="absent">not run</span>'
Show = Callable[[float | None], str]


def table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]], note: str = "") -> str:
    """A table of cells that are HTML already, the first of a row its head, without columns in which nothing is known.

    Empty without a row.
    """
    if not rows:
        return ""
    known = [any(row[i] != theirs(None) for row in rows) for i in range(len(heads))]
    heads, *rows = ([cell for cell, k in zip(row, known, strict=True) if k] for row in (heads, *rows))
    top = "".join(f'<th scope="col">{head}</th>' for head in heads)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>' for first, *rest in rows
    )
    below = f'<p class="under">{note}</p>' if note else ""
    return (
        f'<h3>{caption}</h3><div class="scroll" tabindex="0" role="region" aria-label="{caption}"><table><thead><tr>'
        f"{top}</tr></thead><tbody>{body}</tbody></table></div>{below}"
    )


def ours(row: Row, name: str, show: Show = percent) -> str:
    """One of our figures over its interval, or that it was not run."""
    if row.get("status") == "not run":
        return NOT_RUN
    value, low, high = (row.get(key) for key in (name, f"{name}_low", f"{name}_high"))
    if value is None:
        return "–"
    return show(value) + ("" if low is None or low != low else f"<small>{show(low)} to {show(high)}</small>")


def theirs(value: float | None) -> str:
    """One of the paper's figures."""
    return f'<span class="paper">{percent(value)}</span>'


def system(row: Row) -> str:
    """A system over its seeds."""
    seeds = row.get("seeds")
    return (
        f"{escape(row['system'])}<small>seed{'s' * (' ' in str(seeds))} {seeds}</small>"
        if seeds
        else escape(row["system"])
    )


def scores(section: Section) -> str:
    """Table 1."""
    rows = score_rows(section)
    folds = any(row.get("folds", 1) > 1 for row in rows)
    speakers = any(row.get("uar_speaker_low") for row in rows)
    heads = ["system", "UAR<br>ours", "UAR<br>paper", "accuracy<br>ours", "accuracy<br>paper", "macro F1<br>ours"]
    heads += ["UAR, mean<br>of folds"] * folds + ["UAR, 95 %<br>by speaker"] * speakers
    cells = []
    for row in rows:
        line = [system(row), ours(row, "uar"), theirs(row["paper_uar"]), ours(row, "accuracy")]
        line += [theirs(row["paper_accuracy"]), ours(row, "macro_f1")]
        line += [ours(row, "uar_mean_of_folds")] * folds + [_range(row, "uar_speaker")] * speakers
        cells.append(line)
    note = "Percent, folds and seeds pooled; below each the 95 % interval by clip, a clip drawn with all its seeds."
    if section.corpus == "iemocap" and section.is_the_papers:
        note += " The paper's figure for p-tapt is its “UA”, which is a mean of recalls and so stands under UAR."
    return table("Table 1: scores on test clips", heads, cells, note)


def _range(row: Row, name: str) -> str:
    low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
    return NOT_RUN if row.get("status") == "not run" else f"{percent(low)} to {percent(high)}"


def differences(section: Section) -> str:
    """What each system has over the baseline."""
    rows = difference_rows(section)
    speakers = any(row["uar_difference_speaker_low"] is not None for row in rows)
    heads = ["system", "UAR, points", "p (Holm)", *["by speaker", "p (Holm)"] * speakers, "accuracy, McNemar"]
    cells = []
    for row in rows:
        line = [system(row), ours(row, "uar_difference", signed_points), _p(row["p_holm"])]
        if speakers:
            low, high = row["uar_difference_speaker_low"], row["uar_difference_speaker_high"]
            line += [f"{signed_points(low)} to {signed_points(high)}", _p(row["p_holm_speaker"])]
        cells.append([*line, f"<small>{escape(row['accuracy_mcnemar']).replace('; ', '<br>')}</small>"])
    several = f"; p is adjusted for {len(rows)} systems" if len(rows) > 1 else ""
    note = (
        f"Paired on the same clips and seeds; below each the 95 % interval by clip{several}. "
        f"McNemar: clips that only the system has right, to those that only {BASELINE} has; exact, clips taken as "
        "independent."
    )
    return table(f"Each system minus {BASELINE}", heads, cells, note)


def _p(value: float | None) -> str:
    return "–" if value is None or value != value else f"{value:.2g}"


def singles(section: Section) -> str:
    """UAR of each fold and seed, where there are several of either."""
    rows = [row for row in single_rows(section) if row["score"] == "uar"]
    every = sorted({(row["of"], row["number"]) for row in rows})
    columns = [(of, n) for of, n in every if sum(of == other for other, _ in every) > 1]
    if not columns:
        return ""
    found = {(row["system"], row["of"], row["number"]): row["value"] for row in rows}
    cells = [[escape(s), *(percent(found.get((s, *c))) for c in columns)] for s in section.runs]
    return table("UAR of each fold and each seed", ["system", *(f"{of} {n}" for of, n in columns)], cells)


def agreement(section: Section) -> str:
    """Table 2."""
    heads = ["system", "UAR<br>ours", "UAR<br>paper", "Cohen’s κ", "equal labels"]
    cells = []
    for row in agreement_rows(section):
        paper_best = section.is_the_papers and row["system"] == paper.BEST[section.corpus]
        best = row["system"] == row["best"]
        mine = ["best", "", ""] if best else [ours(row, "uar"), ours(row, "kappa", _kappa), ours(row, "equal")]
        cells.append([escape(row["system"]), mine[0], "best" if paper_best else theirs(row["paper_uar"]), *mine[1:]])
    note = (
        "UAR with the labels of the best system (ours: of the highest test UAR) taken as truth. It is not symmetric; "
        "Cohen’s κ is, and leaves out what chance would give."
    )
    return table("Table 2: agreement with the best system", heads, cells, note)


def _kappa(value: float | None) -> str:
    return "–" if value is None or value != value else f"{value:.2f}".replace("-", "−")


def length(section: Section, wanted_s: float) -> str:
    """The split by length, or why there is none."""
    rows, why = length_rows(section, wanted_s)
    cells = []
    for short, long in zip(rows[::2], rows[1::2], strict=True):
        cells.append(
            [escape(short["system"]), *(c for r in (short, long) for c in (ours(r, "uar"), theirs(r["paper_uar"])))]
        )
    heads = ["system"]
    for side in dict.fromkeys(r["length"] for r in rows):
        clips = next((f"<br>{r['clips']} clips" for r in rows if r["length"] == side and "clips" in r), "")
        heads += [f"{side}, ours{clips}", f"{side}, paper"]
    fewer = [r for r in rows if r["status"] == "run" and r["classes"] < len(section.runs[r["system"]].labels)]
    note = why + (" A side lacks a class: its UAR is over those that it has." if fewer else "")
    return table("UAR by length of the clip", heads, cells, escape(note)) or f"<p>{escape(why)}</p>"
