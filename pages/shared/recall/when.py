"""Does it know when? The label over time of the chosen runs, held against recordings whose emotion changes."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from pages.shared.runs.cached_scores import compare_label_over_time, score_label_over_time
from pages.shared.runs.charts import cached_figure, show_chart
from pages.shared.runs.run_choice import RunChoice
from pages.shared.text import recall as text
from pages.shared.text.common import CONTEXT_NAMES, escape_markdown
from segser_core.errors import RunError
from segser_core.figures.label_over_time import share_of_time_figure
from segser_core.formatting import percent, signed_points
from segser_core.prediction.prediction import Context
from segser_core.runs.run import Run
from segser_core.statistics.diarization_difference import ShareOfTimeDifference
from segser_core.statistics.diarization_report import diarization_table, format_measure
from segser_core.statistics.emotion_diarization import DiarizationSummary

DiarizationScores = dict[str, Mapping[Context, DiarizationSummary]]  # by name of the run; those that have stretches


def show_label_over_time(choice: RunChoice) -> None:
    """Show share of time between floor and ceiling, the paired difference, EDER and its parts, and time by class."""
    try:
        found = score_label_over_time(choice)
    except RunError as error:
        st.warning(escape_markdown(str(error)), icon=":material/folder_off:")
        return
    lacking = [run.name for run in choice.both if run.name not in found]
    if lacking:
        st.info(text.no_stretches_text(lacking), icon=":material/timeline:")
    if not found:
        return
    st.markdown(text.changing_text([run for run in choice.both if run.name in found], next(iter(found.values()))))
    _show_shares(found, _differences(choice, found))
    table = pd.concat([_measure_table(run, found[run.name]) for run in choice.both if run.name in found])
    show_chart(
        cached_figure(("when", choice), lambda: share_of_time_figure(found)),
        key="when",
        alt="Share of time that is labelled right, between floor and ceiling, in each context",
        data=table,
    )
    st.caption(text.FLOOR_AND_CEILING)
    st.markdown("**How it goes wrong**")
    _show_columns(table[table.label == ""], "measure", text.DIARIZATION_TITLES)
    st.caption(text.EDER_CAPTION)
    st.markdown("**Share of each class's time that is labelled right**")
    _show_columns(table[table.label != ""].dropna(subset="value"), "label", {}, heading="true class, %")


def _differences(choice: RunChoice, found: DiarizationScores) -> Mapping[Context, ShareOfTimeDifference]:
    """Pair the two runs, where both have stretches; says why they cannot be paired."""
    if choice.other is None or len(found) < 2:
        return {}
    try:
        return compare_label_over_time(choice.run, choice.other)
    except RunError as error:
        st.warning(escape_markdown(str(error)), icon=":material/compare_arrows:")
        return {}


def _show_shares(found: DiarizationScores, differences: Mapping[Context, ShareOfTimeDifference]) -> None:
    """Show the share of time in each context: the run's with its intervals, the other run's, and their difference."""
    contexts = [context for context in CONTEXT_NAMES if any(context in of for of in found.values())]
    for column, context in zip(st.columns(len(contexts), border=True), contexts, strict=True):
        (first, own), *others = [(name, of[context]) for name, of in found.items() if context in of]
        with column:
            title = f"Share of time, {CONTEXT_NAMES[context]}, of {escape_markdown(first)}"
            st.metric(title, f"{percent(own.share_of_time.value)} %")
            lines = [text.share_intervals_text(own)]
            for other, of in others:
                value = f"**{escape_markdown(other)}: {percent(of.share_of_time.value)} %**"
                lines.append(f"{value}  \n{text.share_intervals_text(of)}")
            if context in differences:
                paired = differences[context]
                value = f"**Difference: {signed_points(paired.by_recording.value)} points**"
                lines.append(f"{value}  \n{text.share_difference_text(paired)}")
            st.markdown("\n\n".join(lines))


def _measure_table(run: Run, of_run: Mapping[Context, DiarizationSummary]) -> pd.DataFrame:
    """Tabulate the measures of a run in each context, a row a measure and class; see `diarization_table`."""
    named = {f"{run.name}, {CONTEXT_NAMES[context]}": of for context, of in of_run.items()}
    return diarization_table(named, run.labels)


def _show_columns(table: pd.DataFrame, by: str, titles: Mapping[str, str], heading: str = "") -> None:
    """Show a row a measure or class, and of each run and context the value with its interval, recordings drawn."""
    shown = table[[by]].drop_duplicates()
    for name, rows in table.groupby("run", sort=False):
        cells = zip(rows.measure, rows.value, rows.low, rows.high, strict=True)
        of_run = pd.DataFrame({by: rows[by], str(name): [_value_and_range(*cell) for cell in cells]})
        shown = shown.merge(of_run, on=by, how="left")
    shown[by] = [titles.get(row, row) for row in shown[by]]
    st.dataframe(shown.rename(columns={by: heading or by}).fillna("–"), hide_index=True)


def _value_and_range(measure: str, value: float, low: float, high: float) -> str:
    known = f" ({format_measure(measure, low)} to {format_measure(measure, high)})" if low == low else ""
    return f"{format_measure(measure, value)}{known}"
