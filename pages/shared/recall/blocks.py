"""Parts of the page Recall: each answers one question with a chart, its table, and what must be known beside them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from pages.shared.app.address import bind_to_address
from pages.shared.app.pickers import pills
from pages.shared.recall.by_class import FormatShare, Summaries, format_intervals
from pages.shared.runs.cached_scores import calibrate_chosen_runs, score_by_corpus
from pages.shared.runs.charts import (
    PERCENT_COLUMN,
    ClickableTable,
    cached_figure,
    lazy_expander,
    shares_in_percent,
    show_chart,
    show_table,
)
from pages.shared.runs.open_mistakes import ClipSelection
from pages.shared.runs.run_choice import RunChoice
from pages.shared.text import recall as text
from pages.shared.text.common import escape_markdown
from segser_core import paper
from segser_core.figures import grids, scores
from segser_core.formatting import percent, signed_points
from segser_core.runs.clip_filter import ClipFilter
from segser_core.runs.run import Run
from segser_core.statistics import tables
from segser_core.statistics.metrics import SCORES
from segser_core.statistics.scores import Comparison, ScoreSummary
from segser_core.statistics.scores_by_corpus import corpus_score_table
from segser_core.systems import find_system

ALL_QUESTIONS = "all"


@dataclass(frozen=True)
class Question:
    """A further question that the page answers when it is asked.

    Attributes:
        name: in the address.
        title: as it is asked.
        show_answer: draws the answer.
    """

    name: str
    title: str
    show_answer: Callable[[], object]


def show_key_figures(summaries: Summaries, comparison: Comparison | None) -> None:
    """Show UAR, accuracy and macro F1 of the run with both intervals, the other run's, and the paired difference."""
    (first, own), *others = summaries.items()
    for column, (score, title) in zip(st.columns(3, border=True), SCORES.items(), strict=True):
        with column:
            st.metric(f"{title[0].upper()}{title[1:]} of {escape_markdown(first)}", _percent_of(own, score))
            lines = [_intervals_text(own.intervals, own.by_speaker, score, percent)]
            for other, summary in others:
                value = f"**{escape_markdown(other)}: {_percent_of(summary, score)}**"
                lines.append(f"{value}  \n{_intervals_text(summary.intervals, summary.by_speaker, score, percent)}")
            if comparison is not None:
                paired = comparison.differences
                value = f"**Difference: {signed_points(getattr(paired, score).value)} points**"
                lines.append(f"{value}  \n{_intervals_text(paired, comparison.by_speaker, score, signed_points)}")
            st.markdown("\n\n".join(lines))


def _percent_of(summary: ScoreSummary, score: str) -> str:
    return f"{percent(getattr(summary.pooled, score))} %"


def _intervals_text(by_clip: Any, by_speaker: Any, score: str, format_share: FormatShare) -> str:
    """Format the intervals of one score, of a run or of a difference, by clip and as known by speaker."""
    parts = []
    for intervals, how in ((by_clip, "by clip"), (by_speaker, "by speaker")):
        if intervals is not None:
            of_score = getattr(intervals, score)
            interval = getattr(of_score, "interval", of_score)
            parts.append(f"{format_share(interval.low)} to {format_share(interval.high)} {how}")
    return f":small[95 %: {' · '.join(parts)}]"


def show_scores_by_corpus(choice: RunChoice) -> None:
    """Show the scores of each run on each of several corpora; nothing for runs of one corpus."""
    table = corpus_score_table(score_by_corpus(choice))
    if table.empty:
        return
    by_speaker = table[["speaker_low", "speaker_high"]].set_axis(["low", "high"], axis=1)
    intervals = {"95 %": format_intervals(table, percent), "95 % by speaker": format_intervals(by_speaker, percent)}
    shown = shares_in_percent(table.assign(**intervals), SCORES).rename(columns=SCORES)
    uar, *others = SCORES.values()
    order = ["run", "corpus", "clips", "speakers", "classes", uar, *intervals, *others]
    st.markdown("**By corpus**")
    st.dataframe(shown[order], hide_index=True, column_config=dict.fromkeys(SCORES.values(), PERCENT_COLUMN))
    st.caption(text.BY_CORPUS_CAPTION)


@st.fragment
def show_folds(summaries: Summaries) -> None:
    """Show the scores pooled, as the mean of folds, of each fold and of each seed."""
    part = lazy_expander("By fold and by seed", "folds")
    if part.open:
        table = tables.score_table(summaries)
        shares = [c for c in table.columns if c not in ("run", "score")]
        columns = dict.fromkeys(shares, PERCENT_COLUMN)
        part.dataframe(shares_in_percent(table, shares), hide_index=True, column_config=columns)
        part.caption("Pooled: the scores of all clips together. The mean of folds is another number; both are common.")


@st.fragment
def answer_questions(questions: Sequence[Question]) -> None:
    """Answer one further question at a time, or all of them: so many charts take a browser seconds."""
    titles = {question.name: question.title for question in questions} | {ALL_QUESTIONS: "All of these"}
    chosen = bind_to_address(
        "question",
        key="recall-question",
        options=list(titles),
        default=questions[0].name,
        control=pills("Ask further", titles.__getitem__),
    )
    for question in questions:
        if chosen in (question.name, ALL_QUESTIONS):
            st.header(question.title)
            question.show_answer()


def show_confusions(choice: RunChoice, summaries: Summaries) -> None:
    """Show for which class each was taken, by each run; a click opens these clips."""
    for index, (column, run) in enumerate(zip(st.columns(len(choice.both), gap="medium"), choice.both, strict=True)):
        with column:
            _show_confusion(choice, run, index, tables.confusion_table(summaries[run.name].pooled))
    st.caption(f"In each cell: percent of the true class, and how many clips. {text.CLICK_CELL}")


def _show_confusion(choice: RunChoice, run: Run, index: int, table: pd.DataFrame) -> None:
    def cell_clips(row: pd.Series) -> ClipSelection:
        shown = ClipFilter(label=row.label, predicted=row.predicted)
        return ClipSelection(choice.narrow(shown), of_other_run=index > 0)

    st.markdown(f"**{escape_markdown(run.name)}**")
    show_chart(
        cached_figure(("confusion", index, choice), lambda: grids.confusion_figure(table, run.labels)),
        key=f"confusion-{index}",
        alt=f"Who was taken for whom by {run.name}",
        data=ClickableTable(table, cell_clips),
    )
    with st.expander("As a table, the most frequent mistakes first"):
        mistakes = table[(table.label != table.predicted) & (table.clips > 0)].sort_values("clips", ascending=False)
        headings = {c: c for c in table} | {"label": "true", "share": "of the class"}
        show_table(ClickableTable(mistakes, cell_clips, headings), f"confusion-{index}")


def show_calibration(choice: RunChoice) -> None:
    """Show confidence against accuracy, and both by the number of segments."""
    calibrations = calibrate_chosen_runs(choice)
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Is it as often right as it says?**")
        bins = tables.reliability_table(calibrations)
        figure = cached_figure(("reliability", choice), lambda: scores.reliability_figure(calibrations))
        show_chart(figure, key="reliability", alt="Accuracy against confidence", data=bins)
    with right:
        st.markdown("**With more segments, surer; better, too?**")
        groups = tables.segment_group_table(calibrations)
        if groups.empty:
            st.info("These runs have no segments to be counted.")
        else:
            figure = cached_figure(("by-segments", choice), lambda: scores.segment_count_figure(calibrations))
            alt = "Confidence and accuracy by number of segments"
            show_chart(figure, key="by-segments", alt=alt, data=groups)
    for name, calibration in calibrations.items():
        st.markdown(text.calibration_text(name, calibration))
    with st.expander("As tables"):
        st.dataframe(bins, hide_index=True)
        st.dataframe(groups, hide_index=True)


def show_layer_weights(choice: RunChoice) -> None:
    """Show what each layer weighs in the mix of `layer-average`; nothing for other systems."""
    weights = {run.name: table for run in choice.both if (table := tables.layer_table(run)) is not None}
    if not weights:
        return
    st.header("Which layers?")
    for column, (name, table) in zip(st.columns(len(weights)), weights.items(), strict=True):
        with column:
            st.markdown(f"**{escape_markdown(name)}**")
            shares = ["weight", "lowest", "highest"]
            in_percent = shares_in_percent(table, shares)
            bar = st.column_config.ProgressColumn(format="%.1f %%", max_value=in_percent.weight.max())
            columns = dict.fromkeys(shares, PERCENT_COLUMN) | {"weight": bar}
            st.dataframe(in_percent, hide_index=True, width="content", column_config=columns)
    st.caption(text.LAYERS_CAPTION)


def show_paper_scores(choice: RunChoice, summaries: Summaries) -> None:
    """Show the paper's scores on the run's corpus, of which it must have some, beside ours."""
    corpus = choice.run.corpus
    ours = [
        (run.name, find_system(run.system).title, pooled.uar, pooled.accuracy, text.encoder_title(run))
        for run, pooled in ((run, summaries[run.name].pooled) for run in choice.both)
    ]
    theirs = [
        ("paper", find_system(reported.system).title, reported.uar, reported.accuracy, "wav2vec2")
        for reported in paper.reported_scores(corpus)
    ]
    table = pd.DataFrame([*ours, *theirs], columns=["from", "system", "UAR", "accuracy", "encoder"])
    formatted = table.assign(UAR=table.UAR.map(percent), accuracy=table.accuracy.map(percent))
    st.dataframe(formatted, hide_index=True, width="content")
    st.caption(f"{text.paper_caption(corpus)} {paper.CITATION}.")
