"""The parts of the page on recall: each shows one question's chart, its table, and what must be said beside them."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from pages.shared.app.address import in_address
from pages.shared.runs import cached_scores, charts
from pages.shared.runs.run_picker import Choice
from pages.shared.text import common
from pages.shared.text import recall as text
from segser_core import paper
from segser_core.figures import grids, scores
from segser_core.formatting import percent, signed
from segser_core.runs.clip_filter import Filter
from segser_core.statistics import tables
from segser_core.statistics.metrics import SCORES
from segser_core.statistics.scores import Comparison, Summary
from segser_core.systems import system_of

BY = list(text.BY)
ALL = "all"


def key_figures(summaries: Mapping[str, Summary], found: Comparison | None) -> None:
    """UAR, accuracy and macro F1 of the run with both intervals, the other run's, and the paired difference."""
    (first, own), *rest = summaries.items()
    for column, (score, name) in zip(st.columns(3, border=True), SCORES.items(), strict=True):
        with column:
            st.metric(
                f"{name[0].upper()}{name[1:]} of {common.plain(first)}", f"{percent(getattr(own.pooled, score))} %"
            )
            lines = [_intervals(own.intervals, own.by_speaker, score, percent)]
            for other, of in rest:
                value = f"**{common.plain(other)}: {percent(getattr(of.pooled, score))} %**"
                lines.append(f"{value}  \n{_intervals(of.intervals, of.by_speaker, score, percent)}")
            if found is not None:
                value = f"**Difference: {signed(getattr(found.differences, score).value)} points**"
                lines.append(f"{value}  \n{_intervals(found.differences, found.by_speaker, score, signed)}")
            st.markdown("\n\n".join(lines))


def _intervals(by_clip: Any, by_speaker: Any, score: str, say: Callable[[float | None], str]) -> str:
    """The intervals of one score, of a run or of a difference, by clip and as known by speaker."""
    parts = []
    for of, how in ((by_clip, "by clip"), (by_speaker, "by speaker")):
        if of is not None:
            found = getattr(of, score)
            interval = getattr(found, "interval", found)
            parts.append(f"{say(interval.low)} to {say(interval.high)} {how}")
    return f":small[95 %: {' · '.join(parts)}]"


@st.fragment
def folds(summaries: Mapping[str, Summary]) -> None:
    """Pooled, mean of folds, each fold and each seed."""
    part = charts.folded("By fold and by seed", "folds")
    if part.open:
        table = tables.score_table(summaries)
        shares = [c for c in table.columns if c not in ("run", "score")]
        in_percent = charts.in_percent(table, shares)
        part.dataframe(in_percent, hide_index=True, column_config=dict.fromkeys(shares, charts.PERCENT))
        part.caption("Pooled: the scores of all clips together. The mean of folds is another number; both are common.")


@st.fragment
def recall(choice: Choice, summaries: Mapping[str, Summary], found: Comparison | None) -> None:
    """Recall by class of both runs with intervals, the paired difference, and a table that does what a click does."""
    enough = all(of.by_speaker is not None for of in summaries.values())
    by_speaker = enough and in_address("interval", "recall-interval", BY, BY[0], _interval) == "speaker"
    table = tables.recall_table(summaries, by_speaker)
    of = (*cached_scores.shown(choice), by_speaker)
    left, right = st.container(), None
    listed = _recall_list(table)
    if found is not None:
        st.markdown(text.verdict(found, list(summaries), by_speaker))
        left, right = st.columns([3, 2], gap="medium")
    with left:
        st.markdown("**Recall**")
        charts.show(
            charts.drawn(("recall", *of), lambda: scores.recall_figure(table)),
            "recall",
            "Recall of each class, with intervals",
            table,
            lambda row: (Filter(label=table.label[row], correct=False), table.run[row] != choice.run.name),
        )
    if right is not None and found is not None:
        between = tables.difference_table(found, by_speaker)
        listed = listed.merge(_difference_list(between), on="class", how="left")
        with right:
            st.markdown("**Paired difference of recall**")
            charts.show(
                charts.drawn(("difference", *of), lambda: scores.difference_figure(between, *summaries)),
                "difference",
                "The difference of each class's recall between the runs, with intervals",
                between,
                lambda row: (Filter(label=between.label[row], wrong=_worse(between.difference[row])), False),
            )
    wrong = [Filter(label=label, correct=False) for label in listed["class"]]
    charts.table(listed, "recall", lambda row: (wrong[row], False))
    st.caption(f"{text.CLICK} {text.METHOD[BY[by_speaker]]}")


def _interval(options: list[str], key: str) -> str:
    return st.segmented_control(
        "Intervals",
        options,
        key=key,
        format_func=text.BY.__getitem__,
        help=text.BY_HELP,
        required=True,
        persist_state="session",
    )


def _worse(difference: float) -> str:
    """Which run alone is wrong where it falls behind, as a filter names it."""
    return "other" if difference > 0 else "this"


def _recall_list(table: pd.DataFrame) -> pd.DataFrame:
    """A row a class: the clips, and of each run the recall with its interval."""
    found = table.drop_duplicates("label")[["label", "clips"]].rename(columns={"label": "class"})
    for name, rows in table.groupby("run", sort=False):
        one = pd.DataFrame({"class": rows.label, name: rows.recall, f"{name}, 95 %": bounds(rows, percent)})
        found = found.merge(one, on="class", how="left")
    return found


def bounds(table: pd.DataFrame, say: Callable[[float | None], str]) -> list[str]:
    """The interval of each row, a dash where there is none."""
    return [f"{say(a)} to {say(b)}" if a == a else "–" for a, b in zip(table.low, table.high, strict=True)]


def _difference_list(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "class": table.label,
            "difference": table.difference.map(signed),
            "difference, 95 %": bounds(table, signed),
            "p (Holm)": table.p_holm.map(text.p_value),
        }
    )


@st.fragment
def answers(questions: Mapping[str, tuple[str, Callable[[], object]]]) -> None:
    """One further question at a time, or all of them: a page of so many charts takes a browser seconds.

    Args:
        questions: by the name in the address, what is asked and what draws the answer.
    """
    said = {name: title for name, (title, _) in questions.items()} | {ALL: "All of these"}
    control = lambda options, key: st.pills(  # noqa: E731
        "Ask further", options, key=key, format_func=said.__getitem__, required=True, persist_state="session"
    )
    chosen = in_address("question", "recall-question", list(said), next(iter(said)), control)
    for title, answer in questions.values() if chosen == ALL else [questions[chosen]]:
        st.header(title)
        answer()


def confusions(choice: Choice, summaries: Mapping[str, Summary]) -> None:
    """Who was taken for whom, of each run; a click opens these clips."""
    for i, (column, run) in enumerate(zip(st.columns(len(choice.both), gap="medium"), choice.both, strict=True)):
        table = tables.confusion_table(summaries[run.name].pooled)

        def of_cell(row: int, table: pd.DataFrame = table, of_other: bool = i > 0) -> tuple[Filter, bool]:
            return Filter(label=table.label[row], predicted=table.predicted[row]), of_other

        with column:
            st.markdown(f"**{common.plain(run.name)}**")
            of = ("confusion", i, *cached_scores.shown(choice))
            charts.show(
                charts.drawn(of, lambda table=table, run=run: grids.confusion_figure(table, run.labels)),
                f"confusion-{i}",
                f"Who was taken for whom by {run.name}",
                table,
                of_cell,
            )
            with st.expander("As a table, the most frequent mistakes first"):
                wrong = table[(table.label != table.predicted) & (table.clips > 0)].sort_values(
                    "clips", ascending=False
                )
                charts.table(
                    wrong.rename(columns={"label": "true", "share": "of the class"}),
                    f"confusion-{i}",
                    lambda row, wrong=wrong, of_cell=of_cell: of_cell(int(wrong.index[row])),
                )
    st.caption(f"In each cell: percent of the true class, and how many clips. {text.CLICK_CELL}")


def calibration(choice: Choice) -> None:
    """Confidence against accuracy, and both by the number of segments."""
    found, of = cached_scores.calibrations_of(choice), cached_scores.shown(choice)
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Is it as often right as it says?**")
        data = tables.reliability_table(found)
        figure = charts.drawn(("reliability", *of), lambda: scores.reliability_figure(found))
        charts.show(figure, "reliability", "Accuracy against confidence", data)
    with right:
        st.markdown("**With more segments, surer; better, too?**")
        data = tables.segments_table(found)
        if data.empty:
            st.info("These runs have no segments to be counted.")
        else:
            figure = charts.drawn(("by-segments", *of), lambda: scores.by_segments_figure(found))
            charts.show(figure, "by-segments", "Confidence and accuracy by number of segments", data)
    for name, of in found.items():
        st.markdown(text.calibration(name, of))
    with st.expander("As tables"):
        st.dataframe(tables.reliability_table(found), hide_index=True)
        st.dataframe(tables.segments_table(found), hide_index=True)


def layers(choice: Choice) -> None:
    """What each layer weighs in the mix of `layer-average`; nothing for other systems."""
    found = {run.name: table for run in choice.both if (table := tables.layer_table(run)) is not None}
    if not found:
        return
    st.header("Which layers?")
    for column, (name, table) in zip(st.columns(len(found)), found.items(), strict=True):
        with column:
            st.markdown(f"**{common.plain(name)}**")
            shares = ["weight", "lowest", "highest"]
            in_percent = charts.in_percent(table, shares)
            bar = st.column_config.ProgressColumn(format="%.1f %%", max_value=in_percent.weight.max())
            shown = dict.fromkeys(shares, charts.PERCENT) | {"weight": bar}
            st.dataframe(in_percent, hide_index=True, width="content", column_config=shown)
    st.caption(text.LAYERS)


def of_paper(choice: Choice, summaries: Mapping[str, Summary]) -> None:
    """The paper's scores on the same corpus, which it must have, beside ours."""
    rows = paper.reported(choice.run.corpus)
    theirs = [("paper", system_of(r.system).title, percent(r.uar), percent(r.accuracy), "wav2vec2") for r in rows]
    ours = [
        (
            run.name,
            system_of(run.system).title,
            *_both(summaries[run.name]),
            text.encoder(run),
        )
        for run in choice.both
    ]
    table = pd.DataFrame([*ours, *theirs], columns=["from", "system", "UAR", "accuracy", "encoder"])
    st.dataframe(table, hide_index=True, width="content")
    st.caption(f"{text.paper_notes(choice.run.corpus)} {paper.CITATION}.")


def _both(summary: Summary) -> tuple[str, str]:
    return percent(summary.pooled.uar), percent(summary.pooled.accuracy)
