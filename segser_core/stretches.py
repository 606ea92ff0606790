"""Stretches of time in a recording: where segments lie beside one another, and where two models differ."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.prediction import Prediction, Segment

Stretch = tuple[float, float]  # start and end, in seconds
ENVELOPE_BINS = 600


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


def envelope(samples: np.ndarray, bins: int = ENVELOPE_BINS) -> tuple[np.ndarray, np.ndarray]:
    """The waveform's outline: the smallest and largest sample of each bin, and their times in seconds.

    Args:
        samples: (N,) at 16 kHz, N >= 1.
        bins: at most this many.

    Returns:
        (2 bins,) times and (2 bins,) amplitudes, to be joined by a line.
    """
    starts = np.linspace(0, len(samples), min(bins, len(samples)), endpoint=False).astype(int)
    low, high = np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts)
    return np.repeat(starts / SAMPLE_RATE_HZ, 2), np.stack([low, high], axis=1).ravel()


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
