"""One clip's prediction against the row it came from, and the weights that made it."""

from dataclasses import replace

import pytest

from segser_core.bundled import BUNDLED
from segser_core.errors import RunError
from segser_core.prediction.rules import AGGREGATES
from segser_core.runs.clip_table import clip_table
from segser_core.runs.replay import checkpoint_of_clip, replay_prediction, replay_predictions
from segser_core.runs.run import read_run


@pytest.mark.parametrize("rule", [None, *AGGREGATES])
def test_a_prediction_is_the_row_it_came_from_and_its_own_rule_agrees(two_runs, rule):
    for run in two_runs:
        table = clip_table(run, rule)
        row = table.iloc[13]
        said = replay_prediction(run, row.utterance_id, rule=rule)
        assert (said.label, said.duration_s, said.file) == (row.predicted, row.duration_s, row.path)
        assert said.probabilities == {c: pytest.approx(row[f"p_{c}"]) for c in run.labels}
        again = said.with_rule(said.aggregate)
        assert again.label == said.label
        assert again.confidence == pytest.approx(said.confidence)
        if said.deciding_segment is not None:
            assert (said.deciding_segment.start_s, said.deciding_segment.end_s) == (row.surest_from_s, row.surest_to_s)


def test_a_clip_that_is_not_there_is_said_by_name(two_runs):
    run, _ = two_runs
    with pytest.raises(RunError, match="no test clip nobody of seed 0"):
        replay_prediction(run, "nobody")
    with pytest.raises(RunError, match="of seed 7"):
        replay_prediction(run, run.predictions.utterance_id[0], 7)
    with pytest.raises(RunError, match=r"no segments\.parquet"):
        replay_prediction(replace(run, segments=None), run.predictions.utterance_id[0])


def test_many_predictions_come_in_the_order_asked_for(two_runs):
    run, _ = two_runs
    keys = [(u, 0) for u in run.predictions.utterance_id[[5, 3, 9]]]
    assert [(u, s) for u, s, _ in replay_predictions(run, keys)] == keys
    assert [p for *_, p in replay_predictions(run, keys)] == [replay_prediction(run, u) for u, _ in keys]


def test_weights_are_those_of_the_bundled_model_of_the_run_or_of_its_seed_and_fold(two_runs, tmp_path):
    run, _ = two_runs
    assert checkpoint_of_clip(run, 0, 0) is None
    assert checkpoint_of_clip(read_run(BUNDLED / "baseline"), 0, 0) == "baseline"
    trained = replace(run, path=tmp_path)
    one = tmp_path / "checkpoint" / "seed-1" / "fold-2"
    one.mkdir(parents=True)
    (one / "config.json").touch()
    assert checkpoint_of_clip(trained, 1, 2) == str(one)
    assert checkpoint_of_clip(trained, 1, 3) is None
    (tmp_path / "checkpoint" / "config.json").touch()
    assert checkpoint_of_clip(trained, 1, 3) == str(tmp_path)
