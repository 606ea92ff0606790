"""Emotion diarization: by hand, against pyannote.metrics and slow loops, at the edges, and with intervals."""

import numpy as np
import pytest
from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.identification import IdentificationErrorRate

from segser_core.prediction.stretches import Stretch
from segser_core.runs.run import read_run
from segser_core.statistics.bootstrap import FEWEST_SPEAKERS
from segser_core.statistics.emotion_diarization import (
    COUNTS,
    DIARIZATION_MEASURES,
    boundary_errors,
    diarization_by_context,
    summarise_diarization,
    tally_recordings,
    true_steps,
    weighted_median,
)
from tests.support.changing_runs import (
    HAPPY,
    NEUTRAL,
    SAD,
    changing_recording,
    random_recording,
    write_changing_run,
)
from tests.support.run_folders import RUN_LABELS

ONE_OF_EACH = [Stretch(0.0, 1.0, "neutral"), Stretch(1.0, 2.0, "happy"), Stretch(2.0, 4.0, "sad")]


def values(recordings) -> dict[str, float]:
    """Every measure's value."""
    found = summarise_diarization(recordings, RUN_LABELS)
    return {name: getattr(found, name).value for name in DIARIZATION_MEASURES}


def test_by_hand():
    """Of 200 steps: 10 false alarms, 20 missed, 30 confused, 140 right; the changes at 1 and 2 s are told at 0.8, 2.2.

    Told: neutral to 0.8 s, happy to 1.4 s, sad to 1.6 s, happy to 2.2 s, sad to 3.6 s, neutral to the end. That is a
    false alarm of 0.2 s, confusion of 0.2 and 0.2 s, and 0.4 s of missed emotion: 0.05, 0.1 and 0.1 of 4 s. Of the five
    changes of label, 0.8 and 2.2 s are the nearest of the true ones, so that three in 4 s are surplus.
    """
    steps = np.repeat([NEUTRAL, HAPPY, SAD, HAPPY, SAD, NEUTRAL], [40, 30, 10, 30, 70, 20])
    found = values([changing_recording(ONE_OF_EACH, steps, predicted=SAD, alone=(NEUTRAL, SAD, SAD))])
    assert found["false_alarm"] == pytest.approx(0.05)
    assert found["missed"] == pytest.approx(0.1)
    assert found["confused"] == pytest.approx(0.1)
    assert found["eder"] == pytest.approx(0.25)
    assert found["share_of_time"] == pytest.approx(0.75)
    assert found["floor"] == pytest.approx(0.5), "sad is half of the time"
    assert found["ceiling"] == pytest.approx(0.75), "all but the second of happy"
    assert found["boundary_error_s"] == pytest.approx(0.2)
    assert found["surplus_changes_per_min"] == pytest.approx(3 * 15)


def test_time_by_class_by_hand():
    """Neutral all through: of neutral all, of happy and sad nothing is right."""
    found = summarise_diarization([changing_recording(ONE_OF_EACH, np.full(200, NEUTRAL))], RUN_LABELS)
    assert [e.value for e in found.by_class] == [1.0, 0.0, 0.0]
    assert (found.missed.value, found.false_alarm.value, found.share_of_time.value) == (0.75, 0.0, 0.25)


def pyannote_seconds(recording) -> dict[str, float]:
    """Score a recording by pyannote.metrics; neutral has no annotation, pauses are not scored."""
    reference, hypothesis = Annotation(), Annotation()
    for s in recording.stretches:
        if s.label != "neutral":
            reference[Segment(s.start_s, s.end_s)] = s.label
    for k, told in enumerate(recording.steps):
        if told != NEUTRAL:
            hypothesis[Segment(k / 50, (k + 1) / 50)] = RUN_LABELS[told]
    scored = Timeline([Segment(s.start_s, s.end_s) for s in recording.stretches])
    return IdentificationErrorRate()(reference, hypothesis.support(), uem=scored.support(), detailed=True)


@pytest.mark.parametrize("pauses", [False, True])
@pytest.mark.parametrize("seed", range(15))
def test_eder_and_its_parts_equal_pyannotes(seed, pauses):
    recording = random_recording(np.random.default_rng(seed), pauses=pauses)
    found, theirs = values([recording]), pyannote_seconds(recording)
    whole_s = sum(s.duration_s for s in recording.stretches)
    parts = {"false_alarm": "false alarm", "missed": "missed detection", "confused": "confusion"}
    for ours, name in parts.items():
        assert found[ours] == pytest.approx(theirs[name] / whole_s, abs=1e-6)
    assert found["eder"] == pytest.approx(sum(theirs[name] for name in parts.values()) / whole_s, abs=1e-6)
    if theirs["total"]:
        rate = theirs["identification error rate"]
        assert found["eder"] == pytest.approx(rate * theirs["total"] / whole_s, abs=1e-6)


def slow_boundaries(recording) -> tuple[list[float], int]:
    """Find the errors and the surplus changes by loops."""
    told = [k / 50 for k in range(1, len(recording.steps)) if recording.steps[k] != recording.steps[k - 1]]
    errors, nearest = [], set()
    for a, b in zip(recording.stretches, recording.stretches[1:], strict=False):
        if a.label == b.label:
            continue
        away = [0 if a.end_s <= t <= b.start_s else min(abs(t - a.end_s), abs(t - b.start_s)) for t in told]
        errors.append(min(away, default=len(recording.steps) / 50))
        nearest |= {away.index(min(away))} if away else set()
    return errors, len(told) - len(nearest)


@pytest.mark.parametrize("seed", range(15))
def test_boundaries_equal_a_loop(seed):
    recording = random_recording(np.random.default_rng(seed), pauses=seed % 2 == 0)
    errors, surplus = boundary_errors(recording.stretches, recording.steps)
    expected = slow_boundaries(recording)
    np.testing.assert_allclose(errors, expected[0], atol=1e-6)
    assert surplus == expected[1]


def test_a_change_may_be_told_anywhere_in_a_pause():
    truth = [Stretch(0, 1, "sad"), Stretch(2, 3, "happy")]
    for at in (50, 75, 100):
        assert boundary_errors(truth, np.repeat([SAD, HAPPY], [at, 150 - at]))[0].tolist() == [0.0]
    assert boundary_errors(truth, np.repeat([SAD, HAPPY], [40, 110]))[0].tolist() == [0.2]


def test_where_the_label_never_changes_the_error_is_the_recordings_length():
    errors, surplus = boundary_errors(ONE_OF_EACH, np.full(200, SAD))
    assert (errors.tolist(), surplus) == ([4.0, 4.0], 0)


def test_steps_on_a_border_and_in_a_pause_are_not_scored():
    """From 0.05 s on the first whole step is the third; the one from 0.10 to 0.12 s is cut by the border at 0.11 s."""
    truth = [Stretch(0.05, 0.11, "sad"), Stretch(0.15, 0.2, "happy")]
    assert true_steps(truth, RUN_LABELS, 10).tolist() == [-1, -1, -1, SAD, SAD, -1, -1, -1, HAPPY, HAPPY]


def test_without_neutral_among_the_labels_all_that_is_wrong_is_confused():
    recording = changing_recording([Stretch(0, 1, "happy"), Stretch(1, 2, "sad")], np.zeros(100, dtype=int))
    found = summarise_diarization([recording], ("happy", "sad"))
    assert (found.confused.value, found.missed.value, found.false_alarm.value) == (0.5, 0.0, 0.0)


def test_what_is_not_known_is_nan():
    found = summarise_diarization([changing_recording([Stretch(0, 1, "sad")], np.full(50, SAD))], RUN_LABELS)
    assert np.isnan(found.ceiling.value)
    assert np.isnan(found.boundary_error_s.value), "there is no change"
    assert np.isnan(found.by_class[HAPPY].value)
    assert np.isnan(found.share_of_time.interval.low), "one recording has no interval"
    assert found.share_of_time.by_speaker is None


@pytest.mark.parametrize("seed", range(5))
def test_a_weighted_median_equals_that_of_repeated_values(seed):
    g = np.random.default_rng(seed)
    ordered, weights = np.sort(g.normal(size=9)), g.integers(0, 4, (20, 9))
    expected = [np.median(np.repeat(ordered, w)) for w in weights]
    np.testing.assert_allclose(weighted_median(ordered, weights), expected)
    assert np.isnan(weighted_median(ordered, np.zeros((1, 9), dtype=int))[0])


def recordings_of_speakers(n: int, speakers: int) -> list:
    g = np.random.default_rng(1)
    return [random_recording(g, f"u{i}", speaker=f"s{i % speakers}") for i in range(n)]


def test_intervals_are_those_of_a_slow_bootstrap():
    recordings = recordings_of_speakers(40, 8)
    found = summarise_diarization(recordings, RUN_LABELS)
    counts = tally_recordings(recordings, RUN_LABELS).counts
    g = np.random.default_rng(5)
    drawn = [counts[g.integers(0, 40, 40)].sum(axis=0) for _ in range(4000)]
    shares = [d[COUNTS.index("right")] / d[COUNTS.index("steps")] for d in drawn]
    low, high = np.quantile(shares, [0.025, 0.975])
    interval = found.share_of_time.interval
    assert interval.low == pytest.approx(low, abs=0.02)
    assert interval.high == pytest.approx(high, abs=0.02)
    assert interval.low < low, "it is expanded for few recordings"
    assert found.eder.interval.low == pytest.approx(1 - interval.high)
    assert (found.recordings, found.speakers, found.few_speakers) == (40, 8, True)
    assert found.share_of_time.by_speaker.low < found.share_of_time.value < found.share_of_time.by_speaker.high


def test_no_interval_by_speaker_of_few_speakers_or_unknown_ones():
    few = summarise_diarization(recordings_of_speakers(20, FEWEST_SPEAKERS - 1), RUN_LABELS)
    assert (few.speakers, few.share_of_time.by_speaker) == (FEWEST_SPEAKERS - 1, None)
    recordings = [*recordings_of_speakers(20, 10), random_recording(np.random.default_rng(2), "x", speaker="")]
    unknown = summarise_diarization(recordings, RUN_LABELS)
    assert (unknown.speakers, unknown.share_of_time.by_speaker) == (0, None)


def test_seeds_of_a_recording_are_drawn_together():
    """Twice the same seed leaves values and intervals as they are."""
    once = recordings_of_speakers(20, 6)
    g = np.random.default_rng(1)
    again = [random_recording(g, f"u{i}", speaker=f"s{i % 6}", seed=1) for i in range(20)]
    one, two = (summarise_diarization(r, RUN_LABELS) for r in (once, [*once, *again]))
    assert one.share_of_time == two.share_of_time
    assert one.boundary_error_s.value == two.boundary_error_s.value
    assert (one.recordings, one.minutes, one.changes) == (two.recordings, two.minutes, two.changes)


def test_a_run_is_scored_in_each_context(tmp_path):
    run = read_run(write_changing_run(tmp_path / "run"))
    found = diarization_by_context(run)
    assert list(found) == ["clip", "segment"]
    assert found["segment"].ceiling.value == 1.0
    assert found["clip"].ceiling.value < 1.0
    assert found["clip"].share_of_time.by_speaker is not None
    perfect = diarization_by_context(read_run(write_changing_run(tmp_path / "perfect", share_right=1.0)))
    assert perfect["clip"].boundary_error_s.value <= 1.0
