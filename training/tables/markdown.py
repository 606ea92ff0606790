"""Table 1 as Markdown, between two marks of a file such as the README."""

from collections.abc import Sequence

from segser_core.errors import SettingError
from segser_core.formatting import percent, signed_points
from segser_core.systems import BASELINE
from training.corpora import corpus_title
from training.tables.comparable import ComparableRuns, Row
from training.tables.rows import corpus_rows, difference_rows, score_rows

MARKS = ("<!-- results: python -m training.tables --readme -->", "<!-- /results -->")


def markdown_tables(groups: Sequence[ComparableRuns]) -> str:
    """Write Table 1 of each group that has a run: UAR, accuracy, and UAR minus the baseline's; and scores by corpus."""
    tables = [make(group) for group in groups if group.runs for make in (markdown_table, markdown_corpus_table)]
    return "\n\n".join(table for table in tables if table)


def markdown_table(group: ComparableRuns) -> str:
    """Write Table 1 of a group below a line that says on what it was scored."""
    columns = ["system", "seeds", "UAR", "accuracy", f"UAR minus `{BASELINE}`"]
    columns += ["the paper's UAR"] * group.is_the_papers
    lines = [" | ".join(columns), " | ".join(["---"] * len(columns))]
    differences = {row["system"]: row for row in difference_rows(group)}
    for row in score_rows(group):
        cells = [f"`{row['system']}`", row.get("seeds", "–")]
        cells += [_with_interval(row, name) for name in ("uar", "accuracy")]
        cells += [_difference(differences.get(row["system"])), *[percent(row["paper_uar"])] * group.is_the_papers]
        lines.append(" | ".join(cells))
    return "\n".join([_heading(group), "", *(f"| {line} |" for line in lines)])


def markdown_corpus_table(group: ComparableRuns) -> str:
    """Write the scores of a group by corpus; nothing where its runs are of one corpus."""
    lines = ["system | corpus | clips | speakers | classes | UAR | accuracy | macro F1", " | ".join(["---"] * 8)]
    for row in corpus_rows(group):
        counts = [str(row["clips"]), str(row["speakers"] or "–"), str(row["classes"])]
        scores = [_with_interval(row, "uar"), percent(row["accuracy"]), percent(row["macro_f1"])]
        lines.append(" | ".join([f"`{row['system']}`", corpus_title(row["test_corpus"]), *counts, *scores]))
    heading = "By corpus, over the classes that have a test clip of it."
    return "\n".join([heading, "", *(f"| {line} |" for line in lines)]) if len(lines) > 2 else ""


def _heading(group: ComparableRuns) -> str:
    summary = next(iter(group.summaries.values()))
    folds = f"{len(summary.per_fold)} fold{'s' * (len(summary.per_fold) > 1)}"
    heading = (
        f"{corpus_title(group.corpus)}, `{group.protocol}`, `{group.encoder}`, {summary.utterances} test clips of "
        f"{summary.speakers or 'unknown'} speakers, {folds}."
    )
    if group.is_the_papers and group.other_encoder:
        heading += f" The paper's encoder is `{group.other_encoder}`: compare down a column, not across."
    return heading


def _with_interval(row: Row, name: str) -> str:
    if row.get("status") == "not run":
        return "not run"
    return f"{percent(row[name])} ({percent(row[f'{name}_low'])} to {percent(row[f'{name}_high'])})"


def _difference(row: Row | None) -> str:
    if row is None:
        return "–"
    low, high = (signed_points(row[f"uar_difference_{side}"]) for side in ("low", "high"))
    return f"{signed_points(row['uar_difference'])} ({low} to {high})"


def replace_between_marks(text: str, new: str, marks: tuple[str, str] = MARKS) -> str:
    """Replace the part of a text that stands between two marks.

    Raises:
        SettingError: the marks are not there, once each and in order.
    """
    positions = [text.find(mark) for mark in marks]
    if any(text.count(mark) != 1 for mark in marks) or positions != sorted(positions):
        raise SettingError(f"expected the lines {marks[0]} and {marks[1]} once each, in this order; add them")
    return f"{text[: positions[0]]}{marks[0]}\n{new}\n{text[positions[1] :]}"
