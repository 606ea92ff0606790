"""Build a prediction of four segments by hand."""

from segser_core.prediction.prediction import Prediction, Segment

PREDICTION_LABELS = ("angry", "happy", "sad")
SEGMENT_PROBABILITIES = ((0.7, 0.2, 0.1), (0.1, 0.8, 0.1), (0.25, 0.25, 0.5), (1 / 3, 1 / 3 - 1e-9, 1 / 3 + 1e-9))
# Segments of 2.8 s, one each 1.4 s, of a recording of 6.5 s: the last is flush with the end.
SEGMENT_BOUNDS_S = ((0.0, 2.8), (1.4, 4.2), (2.8, 5.6), (3.7, 6.5))


def by_label(p, labels=PREDICTION_LABELS):
    """Name probabilities by label."""
    return dict(zip(labels, p, strict=True))


def make_prediction(file="clips/one.wav", labels=PREDICTION_LABELS, bounds=SEGMENT_BOUNDS_S, duration_s=6.5):
    """Build a prediction by hand, with a segment for each of the bounds."""
    p = SEGMENT_PROBABILITIES
    segments = tuple(Segment(i, *b, by_label(q, labels)) for i, (b, q) in enumerate(zip(bounds, p, strict=False)))
    return Prediction(
        file=file, duration_s=duration_s, model="seg+tri-w", system="seg+tri-w", labels=labels, label=labels[1],
        probabilities=by_label(p[1], labels), utterance=by_label(p[0], labels), aggregate="max", context="clip",
        warnings=("The recording is clipped.",), segments=segments,
    )  # fmt: skip
