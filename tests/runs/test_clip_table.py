"""The table of clips against a loop over them."""

from dataclasses import replace

import numpy as np
import pytest

from segser_core.errors import RunError
from segser_core.runs.clip_table import clip_table
from segser_core.runs.replay import replay_prediction
from tests.support.made_run import with_seeds_and_folds


def test_what_may_explain_a_mistake_is_found_as_a_loop_finds_it(two_runs):
    run, _ = two_runs
    for row in clip_table(run).itertuples():
        of = run.segments[run.segments.utterance_id == row.utterance_id].sort_values("segment")
        p = of[[f"p_{c}" for c in run.labels]].to_numpy()
        surest = of.iloc[p.max(axis=1).argmax()]
        assert row.segments == len(of)
        assert row.true_share == pytest.approx(np.mean([run.labels[i] == row.label for i in p.argmax(axis=1)]))
        assert (row.surest_from_s, row.surest_to_s) == (surest.start_s, surest.end_s)
        assert row.decided_at == pytest.approx((surest.start_s + surest.end_s) / 2 / row.duration_s)
        assert row.correct == (row.label == row.predicted)


@pytest.mark.parametrize("rule", [None, "mean"])
def test_the_other_run_stands_beside_under_the_same_rule(two_runs, rule):
    run, other = two_runs
    table, alone = clip_table(run, rule, other), clip_table(other, rule).set_index("utterance_id")
    for row in table.itertuples():
        theirs = alone.loc[row.utterance_id]
        assert row.other_predicted == theirs.predicted
        assert row.other_correct == theirs.correct
        assert row.other_confidence == pytest.approx(theirs.confidence)
    assert "other_label" not in table


def test_clips_that_the_other_run_lacks_have_nothing_of_it(two_runs):
    run, other = two_runs
    fewer = replace(other, predictions=other.predictions.iloc[5:])
    table = clip_table(run, None, fewer)
    assert len(table) == 400
    assert table.other_predicted.isna().sum() == table.other_correct.isna().sum() == 5


def test_a_clip_of_another_label_in_the_other_run_is_refused(two_runs):
    run, other = two_runs
    named = other.predictions.assign(label=np.where(other.predictions.label == "sad", "happy", other.predictions.label))
    with pytest.raises(RunError, match="clips have another label in baseline"):
        clip_table(run, None, replace(other, predictions=named))


def test_a_run_without_segments_durations_or_test_clips(two_runs):
    run, _ = two_runs
    bare = replace(run, segments=None, predictions=run.predictions.drop(columns="duration_s"))
    assert not {"segments", "true_share", "decided_at"} & set(clip_table(bare))
    known = clip_table(replace(run, predictions=bare.predictions))
    assert ((known.decided_at > 0) & (known.decided_at < 1)).all()
    with pytest.raises(RunError, match="no test utterance"):
        clip_table(replace(run, predictions=run.predictions.assign(split="dev")))


def test_several_seeds_and_folds_have_a_row_each_with_their_own_segments(two_runs):
    run = with_seeds_and_folds(two_runs[0])
    table = clip_table(run, "mean")
    assert len(table) == 800
    assert sorted(table.seed.unique()) == [0, 1]
    for row in table.iloc[::73].itertuples():
        said = replay_prediction(run, row.utterance_id, row.seed, "mean")
        assert said.label == row.predicted
        assert said.confidence == pytest.approx(row.confidence)
        surest = max(said.segments, key=lambda s: s.confidence)
        assert (surest.start_s, surest.end_s) == (row.surest_from_s, row.surest_to_s)
