"""Lay segments beside one another on a time axis: lanes, the label over time, and where two models disagree."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from segser_core.prediction.prediction import Prediction, Segment
from segser_core.prediction.stretches import Stretch

STEPS_PER_S = 50  # steps of 20 ms, the length of a frame
ROUNDING_STEPS = 1e-6
NO_SPEECH_CLASS = -2  # in place of a class, where no segment is speech
TimeSpan = tuple[float, float]  # start and end, in seconds


def find_disagreements(a: Prediction, b: Prediction) -> list[TimeSpan]:
    """Find where two models name different emotions; a moment belongs to the segment of the nearest centre.

    Where that is no speech for one of them, they do not differ.
    """
    edges = np.unique([0.0, *_borders(a), *_borders(b), a.duration_s])
    middles = (edges[:-1] + edges[1:]) / 2
    found: list[TimeSpan] = []
    for start, end, *labels in zip(
        edges[:-1].tolist(), edges[1:].tolist(), _labels_at(a, middles), _labels_at(b, middles), strict=True
    ):
        if labels[0] == labels[1] or not all(labels):
            continue
        if found and found[-1][1] == start:
            start = found.pop()[0]
        found.append((start, end))
    return found


def assign_lanes(segments: Sequence[Segment]) -> list[int]:
    """Assign each segment a lane, from 0, so that neighbours that overlap do not cover one another.

    Example:
        >>> p = {"sad": 1.0}
        >>> assign_lanes([Segment(0, 0.0, 1.6, p), Segment(1, 0.8, 2.4, p), Segment(2, 1.6, 3.2, p)])
        [0, 1, 0]
    """
    ends: list[float] = []
    lanes = []
    for segment in segments:
        free = (lane for lane, end in enumerate(ends) if end <= segment.start_s + 1e-6)
        lane = next(free, len(ends))
        ends[lane:] = [segment.end_s, *ends[lane + 1 :]]
        lanes.append(lane)
    return lanes


def whole_steps(start_s: float, end_s: float) -> slice:
    """Find the steps of 20 ms that lie wholly between two times in seconds.

    Example:
        >>> whole_steps(0.05, 0.14)
        slice(3, 7, None)
    """
    # 0.14 · 50 is 7.000000000000001: what is off by rounding alone is on the border
    return slice(math.ceil(start_s * STEPS_PER_S - ROUNDING_STEPS), math.floor(end_s * STEPS_PER_S + ROUNDING_STEPS))


def step_centres_s(duration_s: float) -> np.ndarray:
    """Compute the centres of the whole steps of 20 ms in a recording, one at least: (T,) seconds."""
    return (np.arange(max(1, whole_steps(0, duration_s).stop)) + 0.5) / STEPS_PER_S


def mean_over_segments(start_s: np.ndarray, end_s: np.ndarray, p: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """Average, at each moment, the probabilities of the segments that cover it.

    Args:
        start_s, end_s: (S,) of the segments; a segment covers start ≤ t < end.
        p: (S, C) their probabilities.
        times_s: (T,) moments, ascending.

    Returns:
        (T, C) probabilities, NaN at moments that no segment covers.

    Example:
        >>> p = np.array([[1.0, 0.0], [0.0, 1.0]])
        >>> mean_over_segments(np.array([0, 1]), np.array([2, 3]), p, np.array([0.5, 1.5, 2.5]))
        array([[1. , 0. ],
               [0.5, 0.5],
               [0. , 1. ]])
    """
    total, count = np.zeros((len(times_s), p.shape[1])), np.zeros((len(times_s), 1))
    first, last = np.searchsorted(times_s, start_s), np.searchsorted(times_s, end_s)
    for a, b, q in zip(first, last, p, strict=True):
        total[a:b] += q
        count[a:b] += 1
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)


def label_steps(
    start_s: np.ndarray, end_s: np.ndarray, p: np.ndarray, times_s: np.ndarray, otherwise: int
) -> np.ndarray:
    """Find the class of the highest mean probability at each moment, the first of equals: (T,) indices.

    Args:
        start_s, end_s, p, times_s: as in `mean_over_segments`.
        otherwise: the class of moments that no segment covers.
    """
    mean = mean_over_segments(start_s, end_s, p, times_s)
    covered = ~np.isnan(mean[:, 0])
    return np.where(covered, np.where(covered[:, None], mean, 0).argmax(axis=1), otherwise)


def prediction_steps(prediction: Prediction, duration_s: float) -> np.ndarray:
    """Find the class of each step of 20 ms up to a duration: (T,) indices into the prediction's labels.

    Where no segment is, the recording's label stands; where all segments are without speech, `NO_SPEECH_CLASS`.
    """
    times_s, labels = step_centres_s(duration_s), prediction.labels
    mute = [s for s in prediction.segments if not s.is_heard]
    if len(mute) == len(prediction.segments):
        return np.full(len(times_s), NO_SPEECH_CLASS)
    found = label_steps(*_spans_and_p(prediction, prediction.heard_segments), times_s, NO_SPEECH_CLASS)
    anywhere = label_steps(*_spans_and_p(prediction, prediction.segments), times_s, NO_SPEECH_CLASS)
    return np.where(anywhere == NO_SPEECH_CLASS, labels.index(prediction.label), found)


def _spans_and_p(prediction: Prediction, segments: Sequence[Segment]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return starts (S,), ends (S,) and probabilities (S, C) of segments."""
    start_s, end_s = (np.array([getattr(s, side) for s in segments]) for side in ("start_s", "end_s"))
    return start_s, end_s, np.array([[s.probabilities[c] for c in prediction.labels] for s in segments])


def label_over_time(prediction: Prediction) -> tuple[Stretch, ...]:
    """Find the stretches of equal label in steps of 20 ms; where no segment is, the recording's label stands.

    There is no stretch where the segments are without speech.
    """
    steps, labels = prediction_steps(prediction, prediction.duration_s), prediction.labels
    edges = [0, *(np.flatnonzero(np.diff(steps)) + 1).tolist()]
    ends_s = [*(e / STEPS_PER_S for e in edges[1:]), prediction.duration_s]
    spans = ((e, end) for e, end in zip(edges, ends_s, strict=True) if steps[e] != NO_SPEECH_CLASS)
    return tuple(Stretch(e / STEPS_PER_S, end, labels[steps[e]]) for e, end in spans)


def segment_centre_s(segment: Segment) -> float:
    """Compute the middle of a segment, in seconds."""
    return (segment.start_s + segment.end_s) / 2


def _borders(prediction: Prediction) -> list[float]:
    """Compute the times halfway between the centres of neighbouring segments."""
    return [(segment_centre_s(s) + segment_centre_s(t)) / 2 for s, t in pairwise(prediction.segments)]


def _labels_at(prediction: Prediction, times_s: np.ndarray) -> list[str]:
    """Look up a model's label at each of these times, in the segment of the nearest centre; empty without speech."""
    nearest = [prediction.segments[i] for i in np.searchsorted(_borders(prediction), times_s)]
    return [s.label if s.is_heard else "" for s in nearest]
