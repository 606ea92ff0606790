"""Two runs on the same clips: how often they agree, and who is right where."""

import streamlit as st

from pages.shared import words
from pages.shared.run_choice import Choice, compared, open_mistakes, table_of
from segser_core import pairs
from segser_core.errors import RunError
from segser_core.scores import Comparison
from segser_core.selection import Filter
from segser_core.text import percent, signed


def show(choice: Choice) -> None:
    """Agreement, the paired difference, and each class's clips by who is right; a click opens these clips."""
    if choice.other is None:
        st.info("Choose a second run above to compare with.", icon=":material/compare_arrows:")
        return
    try:
        found = compared(choice)
    except RunError as error:
        st.error(words.plain(str(error)), icon=":material/compare_arrows:")
        return
    _figures(choice, found)
    st.subheader("Who is right where")
    _outcomes(choice)


def _figures(choice: Choice, found: Comparison) -> None:
    names = [words.plain(run.name) for run in choice.both]
    uar, agreement = found.differences.uar, found.agreement
    columns = st.columns(3, border=True)
    columns[0].metric("UAR, difference in points", signed(uar.value))
    columns[0].markdown(f"{names[0]} minus {names[1]}, 95 %: {signed(uar.interval.low)} to {signed(uar.interval.high)}")
    columns[1].metric("Equal labels", f"{percent(agreement.share)} %")
    columns[1].markdown(f"of {found.utterances} clips, right or wrong; Cohen's κ {agreement.kappa:.2f}")
    columns[2].metric("Right in both", f"{percent(agreement.second_of_first)} %")
    columns[2].markdown(
        f"of what {names[0]} has right, {names[1]} has right, too; the other way round "
        f"{percent(agreement.first_of_second)} %"
    )
    if found.left_out:
        st.caption(f"{found.left_out} rows have no partner in the other run and are left out.")


def _outcomes(choice: Choice) -> None:
    first, second = (run.name for run in choice.both)
    counts = pairs.outcomes(table_of(choice), choice.run.labels)
    st.plotly_chart(
        pairs.outcomes_figure(counts, first, second),
        key="outcomes",
        on_select=_open_chosen,
        selection_mode="points",
        config={"displaylogo": False},
        alt="For each class, how many clips both runs, one of them or none of them have right",
    )
    st.caption("A click on a bar opens its clips, where one of the runs is wrong. The buttons do the same.")
    with st.container(horizontal=True):
        for wrong, said in (
            ("this", f"Only {first} is wrong"),
            ("other", f"Only {second} is wrong"),
            ("both", "Both are wrong"),
        ):
            if st.button(words.plain(said), icon=":material/list:", key=f"open-{wrong}"):
                open_mistakes(Filter(wrong=wrong))
    if wanted := st.session_state.pop("outcome", None):
        open_mistakes(wanted)
    names = {"both": "both right", "only_first": f"only {first}", "only_second": f"only {second}", "none": "both wrong"}
    st.dataframe(counts.rename(columns=names))


def _open_chosen() -> None:
    """Remember which clips were clicked; a callback itself cannot change the page."""
    for point in st.session_state["outcomes"].selection.points[:1]:
        label, outcome = point["customdata"]
        wrong = pairs.WRONG[outcome]
        st.session_state["outcome"] = Filter(label=label, wrong=wrong, correct=None if wrong else True)
