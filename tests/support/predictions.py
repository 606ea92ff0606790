"""Build a prediction of four segments by hand."""

from segser_core.prediction.prediction import Prediction, Segment

LABELS = ("angry", "happy", "sad")
P = ((0.7, 0.2, 0.1), (0.1, 0.8, 0.1), (0.25, 0.25, 0.5), (1 / 3, 1 / 3 - 1e-9, 1 / 3 + 1e-9))
# Segments of 2.8 s, one each 1.4 s, of a recording of 6.5 s: the last is flush with the end.
BOUNDS = ((0.0, 2.8), (1.4, 4.2), (2.8, 5.6), (3.7, 6.5))


def named(p, labels=LABELS):
    return dict(zip(labels, p, strict=True))


def prediction(file="clips/one.wav", labels=LABELS, bounds=BOUNDS, duration_s=6.5):
    segments = tuple(Segment(i, *b, named(p, labels)) for i, (b, p) in enumerate(zip(bounds, P, strict=False)))
    return Prediction(
        file=file, duration_s=duration_s, model="seg+tri-w", system="seg+tri-w", labels=labels, label=labels[1],
        probabilities=named(P[1], labels), utterance=named(P[0], labels), aggregate="max", context="clip",
        warnings=("The recording is clipped.",), segments=segments,
    )  # fmt: skip
