"""What the page on recall shows, found once for each run and rule; a frame that is kept is never written into."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from pages.shared.runs.run_picker import Choice, key_of, predictions_of
from segser_core.errors import RunError
from segser_core.prediction.rules import Aggregate
from segser_core.runs import reaggregate
from segser_core.runs.run import Run
from segser_core.runs.test_split import test_rows
from segser_core.statistics import recall_by_group, scores_by_rule
from segser_core.statistics.calibration import Calibration, calibrate
from segser_core.statistics.paired_difference import Differences
from segser_core.statistics.scores import Summary, summarise
from segser_core.statistics.scores_by_rule import RuleScores

KEEP = 16


def shown(choice: Choice) -> tuple:
    """What tells a choice of runs and rule from any other; for figures that are kept."""
    return key_of(choice.run), key_of(choice.other), choice.rule


def summaries_of(choice: Choice) -> dict[str, Summary]:
    """The scores of each chosen run under the chosen rule, by name.

    Raises:
        RunError: a run's test rows do not fit one another.
    """
    return {run.name: _summary(key_of(run), choice.rule, run) for run in choice.both}


def rules_of(choice: Choice) -> dict[str, Mapping[Aggregate, RuleScores]]:
    """The scores of each chosen run under each rule, by name.

    Raises:
        RunError: a test clip has no segment.
    """
    return {run.name: _by_rule(key_of(run), run) for run in choice.both}


def rule_differences_of(choice: Choice) -> dict[Aggregate, Differences]:
    """The paired difference of the two chosen runs, which can be paired, under each rule that both can be asked for."""
    return _rule_differences(key_of(choice.run), key_of(choice.other), choice)


def calibrations_of(choice: Choice) -> dict[str, Calibration]:
    """How well confidences fit, of each chosen run under the chosen rule, by name."""
    return {run.name: _calibration(key_of(run), choice.rule, run) for run in choice.both}


def clips_of(run: Run, rule: Aggregate | None) -> pd.DataFrame:
    """A run's test rows under a rule."""
    return _clips(key_of(run), rule, run)


def breakdown_of(run: Run, rule: Aggregate | None, by: tuple[str, ...], edge_s: float) -> pd.DataFrame:
    """Recall by class and group; see `breakdown.breakdown`."""
    return _breakdown(key_of(run), rule, by, edge_s, run)


@st.cache_resource(max_entries=KEEP, show_spinner="Resampling the clips …")
def _summary(key: tuple, rule: Aggregate | None, _run: Run) -> Summary:
    return summarise(predictions_of(_run, rule), _run.labels)


@st.cache_resource(max_entries=KEEP, show_spinner="Trying each rule …")
def _by_rule(key: tuple, _run: Run) -> dict[Aggregate, RuleScores]:
    return scores_by_rule.scores_by_rule(_run)


@st.cache_resource(max_entries=KEEP, show_spinner="Pairing the runs under each rule …")
def _rule_differences(key: tuple, other: tuple | None, _choice: Choice) -> dict[Aggregate, Differences]:
    assert _choice.other is not None
    return scores_by_rule.differences_by_rule(_choice.run, _choice.other)


@st.cache_resource(max_entries=KEEP, show_spinner=False)
def _calibration(key: tuple, rule: Aggregate | None, _run: Run) -> Calibration:
    try:
        counts = reaggregate.segments_per_clip(_run)
    except RunError:
        counts = None
    return calibrate(predictions_of(_run, rule), _run.labels, counts)


@st.cache_resource(max_entries=KEEP, show_spinner=False)
def _clips(key: tuple, rule: Aggregate | None, _run: Run) -> pd.DataFrame:
    return test_rows(predictions_of(_run, rule))


@st.cache_resource(max_entries=4 * KEEP, show_spinner=False)
def _breakdown(key: tuple, rule: Aggregate | None, by: tuple[str, ...], edge_s: float, _run: Run) -> pd.DataFrame:
    return recall_by_group.breakdown(_clips(key, rule, _run), _run.labels, by, edge_s)
