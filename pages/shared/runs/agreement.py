"""Two runs on the same clips: how often they agree, and who is right where."""

import pandas as pd
import streamlit as st

from pages.shared.app.chart_toolbar import choose_image_format
from pages.shared.runs.cached_scores import chosen_clip_table, compare_chosen_runs
from pages.shared.runs.charts import ClickableTable, cached_figure, show_chart, show_table
from pages.shared.runs.open_mistakes import ClipSelection
from pages.shared.runs.run_choice import RunChoice
from pages.shared.text.common import NO_BREAK, escape_markdown
from segser_core.errors import RunError
from segser_core.figures.outcomes import outcomes_figure
from segser_core.formatting import percent, signed_points
from segser_core.statistics.outcomes import outcome_filter, outcome_table
from segser_core.statistics.scores import Comparison


def show_agreement(choice: RunChoice) -> None:
    """Show agreement, the paired difference, and each class's clips by who is right; a click opens these clips."""
    if choice.other is None:
        st.info("Choose a second run above to compare with.", icon=":material/compare_arrows:")
        return
    try:
        comparison = compare_chosen_runs(choice)
    except RunError as error:
        st.error(escape_markdown(str(error)), icon=":material/compare_arrows:")
        return
    _show_figures(choice, comparison)
    st.subheader("Who is right where")
    _show_outcomes(choice)


def _show_figures(choice: RunChoice, comparison: Comparison) -> None:
    first, second = (escape_markdown(run.name) for run in choice.both)
    uar, agreement = comparison.differences.uar, comparison.agreement
    difference, equal, right = st.columns(3, border=True)
    low, high = signed_points(uar.interval.low), signed_points(uar.interval.high)
    difference.metric("UAR, difference in points", signed_points(uar.value))
    difference.markdown(f"{first} minus {second}, 95 %: {low} to {high}")
    equal.metric("Equal labels", f"{percent(agreement.share)}{NO_BREAK}%")
    equal.markdown(f"of {comparison.utterances} clips, right or wrong; Cohen's κ{NO_BREAK}{agreement.kappa:.2f}")
    right.metric("Right in the other, too", f"{percent(agreement.second_of_first)}{NO_BREAK}%")
    right.markdown(
        f"of what {first} has right, {second} has right, too; the other way round "
        f"{percent(agreement.first_of_second)}{NO_BREAK}%"
    )
    if comparison.left_out:
        st.caption(f"{comparison.left_out} rows have no partner in the other run and are left out.")


def _show_outcomes(choice: RunChoice) -> None:
    first, second = (run.name for run in choice.both)
    counts = outcome_table(chosen_clip_table(choice, explained=False), choice.run.labels)
    table = ClickableTable(counts, _outcome_clips)
    show_chart(
        cached_figure(("outcomes", choice), lambda: outcomes_figure(counts, first, second)),
        key="outcomes",
        alt="For each class, how many clips both runs, one of them or none of them have right",
        data=table,
    )
    st.caption("A click on a bar, or on the box of a row below, opens its clips in *Mistakes*.")
    with st.expander("As a table"):
        show_table(table, "outcomes")
    choose_image_format()


def _outcome_clips(row: pd.Series) -> ClipSelection:
    return ClipSelection(outcome_filter(row.label, row.outcome))
