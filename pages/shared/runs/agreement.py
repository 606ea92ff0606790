"""Two runs on the same clips: how often they agree, and who is right where."""

import streamlit as st

from pages.shared.app import chart_toolbar
from pages.shared.runs import cached_scores, charts
from pages.shared.runs.run_picker import Choice, compared, table_of
from pages.shared.text import common
from segser_core.errors import RunError
from segser_core.figures.outcomes import outcomes_figure
from segser_core.formatting import percent, signed
from segser_core.runs.clip_filter import Filter
from segser_core.statistics import outcomes
from segser_core.statistics.scores import Comparison


def show(choice: Choice) -> None:
    """Agreement, the paired difference, and each class's clips by who is right; a click opens these clips."""
    if choice.other is None:
        st.info("Choose a second run above to compare with.", icon=":material/compare_arrows:")
        return
    try:
        found = compared(choice)
    except RunError as error:
        st.error(common.plain(str(error)), icon=":material/compare_arrows:")
        return
    _figures(choice, found)
    st.subheader("Who is right where")
    _outcomes(choice)


def _figures(choice: Choice, found: Comparison) -> None:
    names = [common.plain(run.name) for run in choice.both]
    uar, agreement = found.differences.uar, found.agreement
    columns = st.columns(3, border=True)
    columns[0].metric("UAR, difference in points", signed(uar.value))
    columns[0].markdown(f"{names[0]} minus {names[1]}, 95 %: {signed(uar.interval.low)} to {signed(uar.interval.high)}")
    columns[1].metric("Equal labels", f"{percent(agreement.share)}{common.NO_BREAK}%")
    columns[1].markdown(f"of {found.utterances} clips, right or wrong; Cohen's κ{common.NO_BREAK}{agreement.kappa:.2f}")
    columns[2].metric("Right in the other, too", f"{percent(agreement.second_of_first)}{common.NO_BREAK}%")
    columns[2].markdown(
        f"of what {names[0]} has right, {names[1]} has right, too; the other way round "
        f"{percent(agreement.first_of_second)}{common.NO_BREAK}%"
    )
    if found.left_out:
        st.caption(f"{found.left_out} rows have no partner in the other run and are left out.")


def _outcomes(choice: Choice) -> None:
    first, second = (run.name for run in choice.both)
    found = outcomes.outcomes(table_of(choice, explained=False), choice.run.labels)

    def clips_of(row: int) -> tuple[Filter, bool]:
        return outcomes.filter_of(found.label[row], found.outcome[row]), False

    charts.show(
        charts.drawn(("outcomes", *cached_scores.shown(choice)), lambda: outcomes_figure(found, first, second)),
        "outcomes",
        "For each class, how many clips both runs, one of them or none of them have right",
        found,
        clips_of,
    )
    st.caption("A click on a bar, or on the box of a row below, opens its clips in *Mistakes*.")
    with st.expander("As a table"):
        charts.table(found, "outcomes", clips_of)
    chart_toolbar.choose_picture()
