"""The scores that the paper reports, Table 1, as a reference beside one's own.

Figures of its test sets, given as fractions here. The paper's brackets "UA" are accuracy: on RAVDESS
they are exactly 141, 150, 163 and 160 of 208 clips. P-TAPT's bracket alone is a mean of recalls, and
so stands under UAR.
"""

from dataclasses import dataclass

CITATION = (
    "Porjazovski, Grósz and Kurimo, “Improved Spoken Emotion Recognition With Combined Segment-Based Processing "
    "And Triplet Loss”, Table 1"
)
CORPORA = ("iemocap", "ravdess", "fesc")
SYSTEMS = ("p-tapt", "layer-average", "baseline", "seg", "tri-w", "seg+tri-s", "seg+tri-w")
# UAR and accuracy in percent, corpora in the order above; None where the table is empty
_TABLE: tuple[tuple[tuple[float | None, float | None], ...], ...] = (
    ((74.3, None), (None, None), (None, None)),
    ((67.2, None), (84.3, None), (None, None)),
    ((66.5, 65.6), (68.5, 67.8), (57.1, 60.5)),
    ((67.6, 66.7), (73.2, 72.1), (60.1, 62.1)),
    ((73.6, 72.6), (80.4, 78.4), (61.0, 62.1)),
    ((74.6, 73.9), (79.0, 76.9), (63.6, 64.9)),
    ((73.9, 72.9), (80.5, 78.4), (64.3, 65.0)),
)
OWN_STATISTICS = {"ravdess": (0.843, 0.757), "iemocap": (0.672, 0.658)}


@dataclass(frozen=True)
class Reported:
    """What the paper says of a system on a corpus; fractions, None where it says nothing."""

    system: str
    uar: float
    accuracy: float | None


def reported(corpus: str) -> tuple[Reported, ...]:
    """The paper's systems on a corpus, in its order; empty for a corpus that it does not have."""
    if corpus not in CORPORA:
        return ()
    pairs = [(system, row[CORPORA.index(corpus)]) for system, row in zip(SYSTEMS, _TABLE, strict=True)]
    return tuple(Reported(s, uar / 100, None if acc is None else acc / 100) for s, (uar, acc) in pairs if uar)


def layer_average_note(corpus: str) -> tuple[float, float] | None:
    """UAR of `layer-average` with the test speakers' own statistics, which is what stands in the table, and without.

    The second normalises by the statistics of the training set, which is all that is known in use.
    """
    return OWN_STATISTICS.get(corpus)
