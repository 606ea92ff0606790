"""UAR, or a class's recall, of the chosen runs under every rule of aggregation, and their difference under each."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from pages.shared.app.address import bind_to_address
from pages.shared.app.pickers import dropdown
from pages.shared.recall.by_class import format_intervals
from pages.shared.runs.cached_scores import compare_under_each_rule, score_under_each_rule
from pages.shared.runs.charts import cached_figure, show_chart
from pages.shared.runs.run_choice import RunChoice
from pages.shared.text import recall as text
from pages.shared.text.common import RULE_TITLES, escape_markdown
from segser_core.errors import RunError
from segser_core.figures import scores
from segser_core.formatting import percent, signed_points
from segser_core.prediction.rules import Aggregate
from segser_core.statistics.scores_by_rule import RuleScores, rule_difference_table, rule_table

UAR = "UAR"


@st.fragment
def show_scores_by_rule(choice: RunChoice, paired: bool) -> None:
    """Show a table of the rules.

    Args:
        choice: the runs.
        paired: whether they can be paired, so that there is a difference under each rule, in the table and as a chart.
    """
    try:
        scores_of_runs = score_under_each_rule(choice)
    except RunError as error:
        st.info(escape_markdown(str(error)), icon=":material/rule:")
        return
    measure: str = bind_to_address(
        "measure",
        key="recall-measure",
        options=[UAR, *choice.run.labels],
        default=UAR,
        control=dropdown("Show", _measure_title, width_px=260),
    )
    label = None if measure == UAR else measure
    table = _run_columns(scores_of_runs, label)
    verdicts = [text.own_rule_text(name, by_rule, label) for name, by_rule in scores_of_runs.items()]
    differences = _differences(choice, label) if paired else pd.DataFrame()
    if not differences.empty:
        table = table.merge(_difference_columns(differences), on="rule", how="left")
        verdicts.append(text.same_rule_text(differences, list(scores_of_runs)))
    st.dataframe(table, hide_index=True, width="content", placeholder="–")
    st.caption(f"In percent; ★ marks a run's own rule. {text.RULES_CAPTION}")
    left = st.container()
    if not differences.empty:
        left, right = st.columns([2, 3], gap="medium")
        with right:
            _show_difference_chart(choice, measure, differences)
    left.markdown("\n\n".join(verdict for verdict in verdicts if verdict))


def _show_difference_chart(choice: RunChoice, measure: str, differences: pd.DataFrame) -> None:
    """Show the paired difference under each rule, with its interval."""
    st.markdown(f"**Paired difference of {_measure_title(measure)}**")
    first, second = (run.name for run in choice.both)
    bars = differences.rename(columns={"rule": "label"})
    figure = cached_figure(("rules", choice, measure), lambda: scores.difference_figure(bars, first, second))
    alt = "The paired difference between the runs under each rule"
    show_chart(figure, key="rules", alt=alt, data=differences)


def _difference_columns(differences: pd.DataFrame) -> pd.DataFrame:
    """Format the differences as columns of the table of rules."""
    return pd.DataFrame(
        {
            "rule": differences.rule,
            "difference": differences.difference.map(signed_points),
            "difference, 95 %": format_intervals(differences, signed_points),
        }
    )


def _run_columns(scores_of_runs: Mapping[str, Mapping[Aggregate, RuleScores]], label: str | None) -> pd.DataFrame:
    """Tabulate a row a rule: of each run the value, starred under its own rule, and the interval."""
    table = rule_table(scores_of_runs, label)
    columns = pd.DataFrame({"rule": [title for rule, title in RULE_TITLES.items() if rule in set(table.rule)]})
    for name, rows in table.groupby("run", sort=False):
        values = [f"{percent(v)}{' ★' if own else ''}" for v, own in zip(rows.value, rows.own, strict=True)]
        of_run = {
            "rule": rows.rule.map(RULE_TITLES),
            name: values,
            f"{name}, 95 %": format_intervals(rows, percent),
        }
        columns = columns.merge(pd.DataFrame(of_run), on="rule", how="left")
    return columns


def _differences(choice: RunChoice, label: str | None) -> pd.DataFrame:
    """Tabulate the paired difference under each rule that both runs can be asked for, in the order of the table."""
    assert choice.other is not None
    by_rule = compare_under_each_rule(choice.run, choice.other)
    ordered = {rule: by_rule[rule] for rule in RULE_TITLES if rule in by_rule}
    table = rule_difference_table(ordered, None if label is None else choice.run.labels.index(label))
    return table.assign(rule=table.rule.map(RULE_TITLES))


def _measure_title(measure: str) -> str:
    return measure if measure == UAR else f"recall of {measure}"
