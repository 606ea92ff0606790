"""Recall of each class of the chosen runs with intervals, and their paired difference."""

from collections.abc import Callable, Mapping
from functools import partial

import pandas as pd
import streamlit as st

from pages.shared.app.address import bind_to_address
from pages.shared.app.pickers import segmented
from pages.shared.runs.charts import ClickableTable, cached_figure, show_chart, show_table
from pages.shared.runs.open_mistakes import ClipSelection
from pages.shared.runs.run_choice import RunChoice
from pages.shared.text import recall as text
from segser_core.figures import scores
from segser_core.formatting import percent, signed_points
from segser_core.runs.clip_filter import ClipFilter
from segser_core.statistics import tables
from segser_core.statistics.scores import Comparison, ScoreSummary

Summaries = Mapping[str, ScoreSummary]  # by name of the run
FormatShare = Callable[[float | None], str]


@st.fragment
def show_recall_by_class(choice: RunChoice, summaries: Summaries, comparison: Comparison | None) -> None:
    """Show recall by class of both runs, the paired difference, and a table that does what a click does."""
    interval_kind = _choose_interval_kind(summaries)
    by_speaker = interval_kind == "speaker"
    table = tables.recall_table(summaries, by_speaker)
    listed = _recall_list(table)
    left, right = st.container(), None
    if comparison is not None:
        st.markdown(text.difference_text(comparison, list(summaries), by_speaker))
        left, right = st.columns([3, 2], gap="medium")
    with left:
        _show_recall_chart(choice, table, by_speaker)
    if right is not None and comparison is not None:
        differences = tables.difference_table(comparison, by_speaker)
        listed = listed.merge(_difference_list(differences), on="class", how="left")
        with right:
            _show_difference_chart(choice, differences, by_speaker)
    show_table(ClickableTable(listed, lambda row: _wrong_clips(choice, row["class"])), "recall")
    st.caption(f"{text.CLICK_BAR}\n\n{text.INTERVAL_METHODS[interval_kind]}")


def _show_recall_chart(choice: RunChoice, table: pd.DataFrame, by_speaker: bool) -> None:
    st.markdown("**Recall**")
    show_chart(
        cached_figure(("recall", choice, by_speaker), lambda: scores.recall_figure(table)),
        key="recall",
        alt="Recall of each class, with intervals",
        data=ClickableTable(table, lambda row: _wrong_clips(choice, row.label, of_other=row.run != choice.run.name)),
    )


def _show_difference_chart(choice: RunChoice, differences: pd.DataFrame, by_speaker: bool) -> None:
    st.markdown("**Paired difference of recall**")
    first, second = (run.name for run in choice.both)
    figure_key = ("difference", choice, by_speaker)
    show_chart(
        cached_figure(figure_key, lambda: scores.difference_figure(differences, first, second)),
        key="difference",
        alt="The difference of each class's recall between the runs, with intervals",
        data=ClickableTable(differences, partial(_clips_of_worse_run, choice)),
    )


def _choose_interval_kind(summaries: Summaries) -> str:
    """Choose between intervals by clip and by speaker, where every run has speakers enough."""
    kinds = list(text.INTERVAL_KINDS)
    if any(summary.by_speaker is None for summary in summaries.values()):
        return kinds[0]
    control = segmented("Intervals", text.INTERVAL_KINDS.__getitem__, help=text.INTERVAL_HELP)
    return bind_to_address("interval", key="recall-interval", options=kinds, default=kinds[0], control=control)


def _wrong_clips(choice: RunChoice, label: str, of_other: bool = False) -> ClipSelection:
    return ClipSelection(choice.narrow(ClipFilter(label=label, correct=False)), of_other_run=of_other)


def _clips_of_worse_run(choice: RunChoice, row: pd.Series) -> ClipSelection:
    """Select the clips of a class that only the run has wrong that finds fewer of them."""
    return ClipSelection(choice.narrow(ClipFilter(label=row.label, wrong="other" if row.difference > 0 else "this")))


def _recall_list(table: pd.DataFrame) -> pd.DataFrame:
    """Tabulate a row a class: the clips, and of each run the recall with its interval."""
    listed = table.drop_duplicates("label")[["label", "clips"]].rename(columns={"label": "class"})
    for name, rows in table.groupby("run", sort=False):
        of_run = {"class": rows.label, name: rows.recall, f"{name}, 95 %": format_intervals(rows, percent)}
        listed = listed.merge(pd.DataFrame(of_run), on="class", how="left")
    return listed


def format_intervals(table: pd.DataFrame, format_share: FormatShare) -> list[str]:
    """Format the interval of each row, `low` to `high`; a dash where there is none."""
    bounds = zip(table.low, table.high, strict=True)
    return [f"{format_share(low)} to {format_share(high)}" if low == low else "–" for low, high in bounds]


def _difference_list(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "class": table.label,
            "difference": table.difference.map(signed_points),
            "difference, 95 %": format_intervals(table, signed_points),
            "p (Holm)": table.p_holm.map(text.format_p_value),
        }
    )
