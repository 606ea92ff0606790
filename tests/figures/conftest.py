"""Fixtures of the figures' tests."""

import pytest

from segser_core.runs.run import Run
from segser_core.statistics.scores import ScoreSummary, summarise_scores


@pytest.fixture(scope="session")
def summaries(two_runs: tuple[Run, Run]) -> dict[str, ScoreSummary]:
    """The scores of both made-up runs, by name."""
    return {run.name: summarise_scores(run.predictions, run.labels) for run in two_runs}
