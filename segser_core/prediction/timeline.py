"""Lay segments beside one another on a time axis, and find where two models disagree."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from segser_core.prediction.prediction import Prediction, Segment

Stretch = tuple[float, float]  # start and end, in seconds


def disagreements(a: Prediction, b: Prediction) -> list[Stretch]:
    """Where two models name different emotions; a moment belongs to the segment whose centre is nearest."""
    edges = np.unique([0.0, *_borders(a), *_borders(b), a.duration_s])
    middles = (edges[:-1] + edges[1:]) / 2
    found: list[Stretch] = []
    for start, end, *labels in zip(
        edges[:-1].tolist(), edges[1:].tolist(), _labels_at(a, middles), _labels_at(b, middles), strict=True
    ):
        if labels[0] == labels[1]:
            continue
        if found and found[-1][1] == start:
            start = found.pop()[0]
        found.append((start, end))
    return found


def lanes_of(segments: Sequence[Segment]) -> list[int]:
    """The lane of each segment, from 0, so that neighbours that overlap do not cover one another."""
    ends: list[float] = []
    lanes = []
    for segment in segments:
        free = (lane for lane, end in enumerate(ends) if end <= segment.start_s + 1e-6)
        lane = next(free, len(ends))
        ends[lane:] = [segment.end_s, *ends[lane + 1 :]]
        lanes.append(lane)
    return lanes


def centre_s(segment: Segment) -> float:
    """The middle of a segment, in seconds."""
    return (segment.start_s + segment.end_s) / 2


def _borders(prediction: Prediction) -> list[float]:
    """Halfway between the centres of neighbouring segments: who is nearest changes there."""
    return [(centre_s(s) + centre_s(t)) / 2 for s, t in pairwise(prediction.segments)]


def _labels_at(prediction: Prediction, times_s: np.ndarray) -> list[str]:
    """What a model hears at each of these times, in the segment whose centre is nearest."""
    return [prediction.segments[i].label for i in np.searchsorted(_borders(prediction), times_s)]
