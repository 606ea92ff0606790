"""UAR, or a class's recall, of the chosen runs under every rule of aggregation, and paired under each."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from pages.shared.app.address import in_address
from pages.shared.recall.blocks import bounds
from pages.shared.runs import cached_scores, charts
from pages.shared.runs.run_picker import Choice
from pages.shared.text import common, recall
from segser_core.errors import RunError
from segser_core.figures import scores
from segser_core.formatting import percent, signed
from segser_core.prediction.rules import Aggregate
from segser_core.statistics.scores_by_rule import RuleScores, rule_difference_table, rule_table

UAR = "UAR"


@st.fragment
def rules(choice: Choice, paired: bool) -> None:
    """The table of rules; of two runs that can be paired also the difference under each rule, in it and as a chart."""
    try:
        found = cached_scores.rules_of(choice)
    except RunError as error:
        st.info(common.plain(str(error)), icon=":material/rule:")
        return
    chosen = in_address("measure", "recall-measure", [UAR, *choice.run.labels], UAR, _measure)
    label = None if chosen == UAR else chosen
    table = _wide(found, label)
    lines = [recall.rule_verdict(name, by_rule, label) for name, by_rule in found.items()]
    differences = _differences(choice, label) if paired else pd.DataFrame()
    if not differences.empty:
        table = table.merge(_listed(differences), on="rule", how="left")
        lines.append(recall.same_rule_verdict(differences, list(found)))
    st.dataframe(table, hide_index=True, width="content", placeholder="–")
    st.caption(f"In percent; ★ marks a run's own rule. {recall.RULES_ASIDE}")
    verdicts = st.container()
    if not differences.empty:
        verdicts, chart = st.columns([2, 3], gap="medium")
        with chart:
            _chart(choice, chosen, differences)
    verdicts.markdown("\n\n".join(line for line in lines if line))


def _chart(choice: Choice, measure: str, differences: pd.DataFrame) -> None:
    """The paired difference under each rule, with its interval."""
    st.markdown(f"**Paired difference of {_said(measure)}**")
    names = (run.name for run in choice.both)
    bars = differences.rename(columns={"rule": "label"})
    figure = charts.drawn(
        ("rules", *cached_scores.shown(choice), measure), lambda: scores.difference_figure(bars, *names)
    )
    charts.show(figure, "rules", "The paired difference between the runs under each rule", differences)


def _listed(differences: pd.DataFrame) -> pd.DataFrame:
    """The differences as columns of the table."""
    said, sure = differences.difference.map(signed), bounds(differences, signed)
    return pd.DataFrame({"rule": differences.rule, "difference": said, "difference, 95 %": sure})


def _wide(found: Mapping[str, Mapping[Aggregate, RuleScores]], label: str | None) -> pd.DataFrame:
    """A row a rule: of each run the value, starred under its own rule, and the interval."""
    table = rule_table(found, label)
    wide = pd.DataFrame({"rule": [common.RULES[rule] for rule in common.RULES if rule in set(table.rule)]})
    for name, rows in table.groupby("run", sort=False):
        values = [f"{percent(v)}{' ★' if own else ''}" for v, own in zip(rows.value, rows.own, strict=True)]
        one = pd.DataFrame({"rule": rows.rule.map(common.RULES), name: values, f"{name}, 95 %": bounds(rows, percent)})
        wide = wide.merge(one, on="rule", how="left")
    return wide


def _differences(choice: Choice, label: str | None) -> pd.DataFrame:
    """The paired difference under each rule that both runs can be asked for, in the order of the table."""
    found = cached_scores.rule_differences_of(choice)
    ordered = {rule: found[rule] for rule in common.RULES if rule in found}
    table = rule_difference_table(ordered, None if label is None else choice.run.labels.index(label))
    return table.assign(rule=table.rule.map(common.RULES))


def _said(measure: str) -> str:
    return measure if measure == UAR else f"recall of {measure}"


def _measure(options: list[str], key: str) -> str:
    return st.selectbox("Show", options, key=key, format_func=_said, persist_state="session", width=260)
