"""The paired difference of the share of time: by hand, against a slow bootstrap, and what cannot be paired."""

from dataclasses import replace

import numpy as np
import pytest

from segser_core.errors import RunError
from segser_core.prediction.stretches import Stretch
from segser_core.runs.run import read_run
from segser_core.statistics.bootstrap import FEWEST_SPEAKERS
from segser_core.statistics.diarization_difference import compare_share_of_time, paired_share_of_time
from segser_core.statistics.emotion_diarization import tally_recordings
from tests.support.changing_runs import changing_recording, random_recording, write_changing_run
from tests.support.run_folders import RUN_LABELS

NEUTRAL, HAPPY, SAD = range(3)


def two_sides(n: int = 30) -> tuple[list, list]:
    """The same recordings with labels over time of two runs, the first one better."""
    g = np.random.default_rng(0)
    first = [random_recording(g, f"u{i}", speaker=f"s{i % 7}") for i in range(n)]
    second = [replace(r, steps=np.where(g.random(len(r.steps)) < 0.5, SAD, r.steps)) for r in first]
    return first, second


def compare(first, second):
    return paired_share_of_time(first, second, RUN_LABELS, RUN_LABELS)


def test_by_hand():
    """The first is right in 1.5 of 4 s more than the second; the order of the second run's labels is another one."""
    truth = [Stretch(0, 2, "sad"), Stretch(2, 4, "happy")]
    first = changing_recording(truth, np.repeat([SAD, HAPPY], 100))
    second = changing_recording(truth, np.repeat([0, 2, 1], [100, 75, 25]))
    found = paired_share_of_time([first], [second], RUN_LABELS, ("sad", "happy", "neutral"))
    assert found.by_recording.value == pytest.approx(1.5 / 4)
    assert np.isnan(found.by_recording.p_value)
    assert (found.by_speaker, found.recordings, found.left_out) == (None, 1, 0)


def test_the_interval_is_that_of_a_slow_bootstrap():
    first, second = two_sides()
    found = compare(first, second)
    one, two = (tally_recordings(side, RUN_LABELS).counts for side in (first, second))
    g = np.random.default_rng(3)
    drawn = []
    for _ in range(4000):
        taken = g.integers(0, len(one), len(one))
        drawn.append((one[taken, 1].sum() - two[taken, 1].sum()) / one[taken, 0].sum())
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert found.by_recording.interval.low == pytest.approx(low, abs=0.02)
    assert found.by_recording.interval.high == pytest.approx(high, abs=0.02)
    assert found.by_speaker is not None
    assert found.speakers == 7


def test_a_run_does_not_differ_from_itself():
    first, _ = two_sides()
    found = compare(first, first)
    assert (found.by_recording.value, found.by_recording.p_value) == (0.0, 1.0)


def test_recordings_without_a_partner_are_counted():
    first, second = two_sides(10)
    assert compare(first, second[2:]).left_out == 2
    assert compare(first[:4], second).recordings == 4
    few = [replace(r, speaker=f"s{i % (FEWEST_SPEAKERS - 1)}") for i, r in enumerate(first)]
    assert compare(few, second).by_speaker is None


def test_what_cannot_be_paired_is_refused():
    first, second = two_sides(10)
    with pytest.raises(RunError, match="nothing is paired"):
        compare(first, [replace(r, seed=1) for r in second])
    moved = replace(second[3], stretches=(Stretch(0.0, 0.5, "sad"),))
    with pytest.raises(RunError, match="1 recordings have other stretches in the other run, u3 among them"):
        compare(first, [*second[:3], moved, *second[4:]])


def test_runs_are_compared_in_the_contexts_that_both_have(tmp_path):
    first = read_run(write_changing_run(tmp_path / "a", share_right=1.0))
    second = read_run(write_changing_run(tmp_path / "b", share_right=0.3, generator=1))
    found = compare_share_of_time(first, second)
    assert list(found) == ["clip", "segment"]
    assert found["clip"].by_recording.value > 0.2
    in_context = second.segments.drop(columns=[c for c in second.segments if c.startswith("i_")])
    assert list(compare_share_of_time(first, replace(second, segments=in_context))) == ["clip"]
    without = replace(second, predictions=second.predictions.drop(columns="stretches"))
    assert compare_share_of_time(first, without) == {}
