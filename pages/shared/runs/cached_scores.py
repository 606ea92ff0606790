"""Scores and tables of runs, computed once for each run and rule; nobody may write into them."""

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from pages.shared.runs.run_choice import RunChoice, cached_by_run
from segser_core.errors import RunError
from segser_core.prediction.prediction import Context
from segser_core.prediction.rules import Aggregate
from segser_core.runs import clip_table, reaggregate
from segser_core.runs.run import Run
from segser_core.statistics import recall_by_group, scores, scores_by_rule
from segser_core.statistics.calibration import Calibration, measure_calibration
from segser_core.statistics.diarization_difference import ShareOfTimeDifference, compare_share_of_time
from segser_core.statistics.emotion_diarization import DiarizationSummary, diarization_by_context
from segser_core.statistics.paired_difference import Differences
from segser_core.statistics.scores import Comparison, ScoreSummary, summarise_scores
from segser_core.statistics.scores_by_corpus import CorpusScores, scores_by_corpus
from segser_core.statistics.scores_by_rule import RuleScores

MAX_RESULTS = 16


@cached_by_run(max_entries=8, show_spinner="Reading the clips …")
def chosen_clip_table(choice: RunChoice, explained: bool = True) -> pd.DataFrame:
    """Tabulate the test clips of the chosen run beside the other one's; see `clip_table.clip_table`."""
    return clip_table.clip_table(choice.run, choice.rule, choice.other, explained)


def run_predictions(run: Run, rule: Aggregate | None) -> pd.DataFrame:
    """Return a run's predictions under a rule; its own rule where it is None."""
    return _predictions_under(run, rule or reaggregate.stored_rule(run))


@cached_by_run(max_entries=8)
def _predictions_under(run: Run, rule: Aggregate) -> pd.DataFrame:
    return reaggregate.reaggregate(run, rule)


@cached_by_run(max_entries=MAX_RESULTS)
def run_test_rows(run: Run, rule: Aggregate | None) -> pd.DataFrame:
    """Select a run's test rows under a rule."""
    return replace(run, predictions=run_predictions(run, rule)).test_rows


@cached_by_run(max_entries=MAX_RESULTS, show_spinner="Comparing the runs …")
def compare_chosen_runs(choice: RunChoice) -> Comparison:
    """Compute the paired difference of the two chosen runs under the chosen rule.

    Raises:
        RunError: nothing can be paired.
    """
    return scores.compare_runs(*(replace(run, predictions=run_predictions(run, choice.rule)) for run in choice.both))


def summarise_chosen_runs(choice: RunChoice) -> dict[str, ScoreSummary]:
    """Compute the scores of each chosen run under the chosen rule, by name.

    Raises:
        RunError: a run's test rows do not fit one another.
    """
    return {run.name: _summarise(run, choice.rule) for run in choice.both}


@cached_by_run(max_entries=MAX_RESULTS, show_spinner="Resampling the clips …")
def _summarise(run: Run, rule: Aggregate | None) -> ScoreSummary:
    return summarise_scores(run_test_rows(run, rule), run.labels)


def score_by_corpus(choice: RunChoice) -> dict[str, tuple[CorpusScores, ...]]:
    """Compute the scores of each chosen run by corpus under the chosen rule, by name; nothing for runs of one corpus.

    Raises:
        RunError: a run's test rows do not fit one another.
    """
    return {run.name: found for run in choice.both if (found := _by_corpus(run, choice.rule))}


@cached_by_run(max_entries=MAX_RESULTS, show_spinner="Resampling the clips …")
def _by_corpus(run: Run, rule: Aggregate | None) -> tuple[CorpusScores, ...]:
    return scores_by_corpus(run_test_rows(run, rule), run.labels)


def score_under_each_rule(choice: RunChoice) -> dict[str, Mapping[Aggregate, RuleScores]]:
    """Compute the scores of each chosen run under each rule, by name.

    Raises:
        RunError: a test clip has no segment.
    """
    return {run.name: _scores_by_rule(run) for run in choice.both}


@cached_by_run(max_entries=MAX_RESULTS, show_spinner="Trying each rule …")
def _scores_by_rule(run: Run) -> dict[Aggregate, RuleScores]:
    return scores_by_rule.scores_by_rule(run)


@cached_by_run(max_entries=MAX_RESULTS, show_spinner="Pairing the runs under each rule …")
def compare_under_each_rule(first: Run, second: Run) -> dict[Aggregate, Differences]:
    """Compute the paired difference of two runs, which can be paired, under each rule that both can be asked for."""
    return scores_by_rule.differences_by_rule(first, second)


def calibrate_chosen_runs(choice: RunChoice) -> dict[str, Calibration]:
    """Compute how well confidences fit, of each chosen run under the chosen rule, by name."""
    return {run.name: _calibration(run, choice.rule) for run in choice.both}


@cached_by_run(max_entries=MAX_RESULTS)
def _calibration(run: Run, rule: Aggregate | None) -> Calibration:
    try:
        counts = reaggregate.count_segments(run)
    except RunError:
        counts = None
    return measure_calibration(run_predictions(run, rule), run.labels, counts)


def score_label_over_time(choice: RunChoice) -> dict[str, Mapping[Context, DiarizationSummary]]:
    """Score the label over time of each chosen run in each context, by name; runs without stretches are left out.

    Raises:
        RunError: a run's stretches do not fit its predictions.
    """
    scored = {run.name: _label_over_time_scores(run) for run in choice.both}
    return {name: of_run for name, of_run in scored.items() if of_run}


@cached_by_run(max_entries=MAX_RESULTS, show_spinner="Holding the label over time against the truth …")
def _label_over_time_scores(run: Run) -> dict[Context, DiarizationSummary]:
    return diarization_by_context(run)


@cached_by_run(max_entries=MAX_RESULTS, show_spinner="Pairing the recordings …")
def compare_label_over_time(first: Run, second: Run) -> dict[Context, ShareOfTimeDifference]:
    """Compute the paired difference of the share of time of two runs that have stretches, in each context.

    Raises:
        RunError: nothing can be paired.
    """
    return compare_share_of_time(first, second)


@cached_by_run(max_entries=4 * MAX_RESULTS)
def grouped_recall(run: Run, rule: Aggregate | None, by: tuple[str, ...], edge_s: float) -> pd.DataFrame:
    """Compute recall by class and group; see `recall_by_group.recall_by_group`."""
    return recall_by_group.recall_by_group(run_test_rows(run, rule), run.labels, by, edge_s)
