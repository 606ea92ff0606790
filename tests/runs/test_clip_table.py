"""The table of clips against a loop over them; one clip's prediction against the row it came from; levels and cuts."""

from dataclasses import replace

import numpy as np
import pytest

from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.audio.levels import measure_level, trim_to_end
from segser_core.bundled import BUNDLED
from segser_core.errors import RunError
from segser_core.prediction.rules import AGGREGATES
from segser_core.runs.clip_table import clip_table
from segser_core.runs.replay import checkpoint_of_clip, replay_prediction, replay_predictions
from segser_core.runs.run import read_run
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


def test_the_first_and_last_seconds_of_a_clip():
    samples = np.arange(10 * SAMPLE_RATE_HZ)
    assert trim_to_end(samples, "first", 3).tolist() == samples[:48_000].tolist()
    assert trim_to_end(samples, "last", 3).tolist() == samples[-48_000:].tolist()
    assert len(trim_to_end(samples, "first", 60)) == len(trim_to_end(samples, "last", 60)) == len(samples)


def tone(seconds: float, peak: float) -> np.ndarray:
    return (peak * np.sin(np.arange(int(seconds * SAMPLE_RATE_HZ)) * 0.5)).astype(np.float32)


def test_the_level_of_a_tone_is_3_db_below_its_peak():
    assert measure_level(tone(2, 0.1), 0, 2).rms_db == pytest.approx(-23.01, abs=0.05)
    assert measure_level(tone(2, 0.1), 0, 2).silent_share == 0


def test_silence_is_what_is_far_below_the_loudest_piece_whatever_the_gain():
    for gain in (1.0, 0.01):
        samples = gain * np.concatenate([tone(1, 0.5), tone(1, 0.5 * 10 ** (-40 / 20))])
        assert measure_level(samples, 0, 1).silent_share == 0
        assert measure_level(samples, 0, 2).silent_share == pytest.approx(0.5)
        assert measure_level(samples, 1, 2).silent_share == 1


@pytest.mark.parametrize(
    ("samples", "stretch"),
    [(np.zeros(16_000, np.float32), (0, 1)), (tone(1, 0.1), (5, 6)), (tone(1, 0.1), (0.5, 0.5))],
    ids=["zeros", "beyond the end", "empty"],
)
def test_where_there_is_nothing_to_hear_all_is_silent(samples, stretch):
    level = measure_level(samples, *stretch)
    assert level.silent_share == 1
    assert level.rms_db == -120


def test_a_stretch_shorter_than_a_piece_has_a_level():
    assert measure_level(tone(1, 0.1), 0.5, 0.505).silent_share == 0
    assert -25 < measure_level(tone(0.01, 0.1), 0, 1).rms_db < -21
