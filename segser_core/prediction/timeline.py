"""Lay segments beside one another on a time axis, and find where two models disagree."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from segser_core.prediction.prediction import Prediction, Segment

TimeSpan = tuple[float, float]  # start and end, in seconds


def find_disagreements(a: Prediction, b: Prediction) -> list[TimeSpan]:
    """Find where two models name different emotions; a moment belongs to the segment of the nearest centre."""
    edges = np.unique([0.0, *_borders(a), *_borders(b), a.duration_s])
    middles = (edges[:-1] + edges[1:]) / 2
    found: list[TimeSpan] = []
    for start, end, *labels in zip(
        edges[:-1].tolist(), edges[1:].tolist(), _labels_at(a, middles), _labels_at(b, middles), strict=True
    ):
        if labels[0] == labels[1]:
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


def segment_centre_s(segment: Segment) -> float:
    """Compute the middle of a segment, in seconds."""
    return (segment.start_s + segment.end_s) / 2


def _borders(prediction: Prediction) -> list[float]:
    """Compute the times halfway between the centres of neighbouring segments."""
    return [(segment_centre_s(s) + segment_centre_s(t)) / 2 for s, t in pairwise(prediction.segments)]


def _labels_at(prediction: Prediction, times_s: np.ndarray) -> list[str]:
    """Look up a model's label at each of these times, in the segment of the nearest centre."""
    return [prediction.segments[i].label for i in np.searchsorted(_borders(prediction), times_s)]
