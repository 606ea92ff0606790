"""Stretches: read and written, what is none, and the label over time of a prediction."""

import json
from itertools import pairwise

import numpy as np
import pytest

from segser_core.prediction.exports import stretches_to_textgrid
from segser_core.prediction.prediction import Prediction, Segment
from segser_core.prediction.stretches import Stretch, longest_label, stretches_from_json, stretches_to_json
from segser_core.prediction.timeline import label_over_time, mean_over_segments, step_centres_s, whole_steps

TRUTH = (Stretch(0.0, 1.28, "sad"), Stretch(1.5, 4.0, "überrascht"))


def test_what_is_written_is_read():
    assert stretches_from_json(stretches_to_json(TRUTH)) == TRUTH
    assert json.loads(stretches_to_json(TRUTH)) == [[0.0, 1.28, "sad"], [1.5, 4.0, "überrascht"]]
    assert stretches_from_json(" ") == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "expected \\[\\[start_s, end_s, label\\]"),
        ("[" * 100_000, "expected \\[\\[start_s, end_s, label\\]"),
        ("[]", "expected \\[\\[start_s, end_s, label\\]"),
        ("nan", "expected \\[\\[start_s, end_s, label\\]"),
        ("[[0, 1]]", "a stretch is \\[0, 1\\]; expected"),
        ('[[0, "1", "sad"]]', "expected \\[start_s, end_s, label\\]"),
        ('[[0, true, "sad"]]', "expected \\[start_s, end_s, label\\]"),
        ('[[0, NaN, "sad"]]', "expected \\[start_s, end_s, label\\]"),
        ('[[0, 1, "<b>"]]', "expected \\[start_s, end_s, label\\]"),
        ("[[0, 1, 2]]", "expected \\[start_s, end_s, label\\]"),
        ('[[1, 1, "sad"]]', "lasts from 1 to 1 s; expected 0 ≤ start < end"),
        ('[[-1, 1, "sad"]]', "expected 0 ≤ start < end"),
        ('[[0, 2, "sad"], [1.5, 3, "angry"]]', "begins at 1.5 s, before the last one ends at 2 s"),
    ],
)
def test_what_is_none_is_refused_with_the_reason(text, why):
    with pytest.raises(ValueError, match=why):
        stretches_from_json(text)


def test_the_label_of_most_time_is_summed_over_its_stretches():
    spans = [Stretch(0, 2, "angry"), Stretch(2, 3.5, "sad"), Stretch(3.5, 4, "happy"), Stretch(4, 5, "sad")]
    assert longest_label(spans) == "sad"
    assert longest_label([*spans[:1], Stretch(2, 4, "sad")]) == "angry", "the first of equals"


def test_a_textgrid_has_the_stretches_and_the_pauses():
    text = stretches_to_textgrid(TRUTH, 4.0)
    assert 'name = "emotion"' in text
    assert text.count("xmin") == 2 + 3, "the pause is an interval of its own"
    assert text.index('text = "sad"') < text.index('text = ""') < text.index('text = "überrascht"')


def prediction(segments: list[tuple[float, float, float]], duration_s: float, label: str = "happy") -> Prediction:
    """Make a prediction of two classes from start, end and probability of the first of each segment."""
    made = tuple(Segment(i, a, b, {"sad": p, "happy": 1 - p}) for i, (a, b, p) in enumerate(segments))
    probabilities = {"sad": 0.4, "happy": 0.6} if label == "happy" else {"sad": 0.6, "happy": 0.4}
    return Prediction("a", duration_s, "m", "seg", ("sad", "happy"), label, probabilities, {}, "max", "clip", (), made)


def test_label_over_time_by_hand():
    """0.9 alone, then the mean of 0.9 and 0.3 (sad), then 0.3 alone; the last 0.2 s have no segment."""
    found = label_over_time(prediction([(0, 2, 0.9), (1, 3, 0.3)], 3.2, "sad"))
    assert found == (Stretch(0.0, 2.0, "sad"), Stretch(2.0, 3.0, "happy"), Stretch(3.0, 3.2, "sad"))


def test_label_over_time_fills_the_recording():
    found = label_over_time(prediction([(0, 0.01, 0.9)], 0.01))
    assert found == (Stretch(0.0, 0.01, "happy"),), "shorter than a step"
    g = np.random.default_rng(0)
    segments = [(0.4 * i, 0.4 * i + 0.8, float(g.random())) for i in range(20)]
    spans = label_over_time(prediction(segments, 8.4))
    assert [s.start_s for s in spans[1:]] == [s.end_s for s in spans[:-1]]
    assert (spans[0].start_s, spans[-1].end_s) == (0.0, 8.4)
    assert all(a.label != b.label for a, b in pairwise(spans))


@pytest.mark.parametrize("seed", range(10))
def test_the_mean_equals_a_loop(seed):
    g = np.random.default_rng(seed)
    n = int(g.integers(1, 9))
    start_s = np.round(g.uniform(0, 3, n), 2)
    end_s, p, times_s = start_s + g.uniform(0.1, 2, n), g.dirichlet(np.ones(3), n), step_centres_s(4.0)
    mean = mean_over_segments(start_s, end_s, p, times_s)
    for t, row in zip(times_s, mean, strict=True):
        over = [q for a, b, q in zip(start_s, end_s, p, strict=True) if a <= t < b]
        np.testing.assert_allclose(row, np.mean(over, axis=0) if over else np.full(3, np.nan))


def test_steps_on_a_border_are_found_in_spite_of_rounding():
    for first in range(300):
        for last in (first, first + 1, first + 77):
            assert whole_steps(first / 50, last / 50) == slice(first, last)
