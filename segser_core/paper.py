"""Figures that the paper reports: Tables 1 and 2, the split at 10 s, and the settings it chose.

Figures of its test sets, given as fractions here. The paper's brackets "UA" are accuracy: on RAVDESS
they are exactly 141, 150, 163 and 160 of 208 clips. P-TAPT's bracket alone is a mean of recalls, and
so stands under UAR.
"""

from dataclasses import dataclass

from segser_core.systems import SYSTEMS

CITATION = (
    "Porjazovski, Grósz and Kurimo, “Improved Spoken Emotion Recognition With Combined Segment-Based Processing "
    "And Triplet Loss”, Table 1"
)
PAPER_CORPORA = ("iemocap", "ravdess", "fesc")
# UAR and accuracy in percent, a row a system in the order of `SYSTEMS`, corpora in the order above;
# None where the table is empty
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
PROTOCOLS = {"iemocap": "iemocap-session", "ravdess": "ravdess-paper", "fesc": "fesc-speaker"}
ENCODERS = dict.fromkeys(PAPER_CORPORA, "wav2vec2-base") | {"fesc": "wav2vec2-large-xlsr-53-finnish"}
SEGMENT_FRAMES = {"iemocap": 140, "ravdess": 80, "fesc": 120}
ALPHA = {"tri-w": 0.7, "seg+tri-s": 0.1, "seg+tri-w": 0.2}  # on RAVDESS; the other corpora follow Eq. 1
BEST = {"iemocap": "seg+tri-s", "ravdess": "seg+tri-w", "fesc": "seg+tri-w"}
# Table 2: UAR in percent with the best system's predictions taken as truth; None where that is the system itself
_AGREEMENT: dict[str, tuple[float | None, ...]] = {
    "baseline": (75.1, 78.3, 71.5),
    "seg": (74.5, 78.2, 72.8),
    "tri-w": (82.8, 86.8, 80.2),
    "seg+tri-s": (None, 89.7, 79.7),
    "seg+tri-w": (83.0, None, None),
}
EDGE_S = 10.0
# UAR in percent of clips up to `EDGE_S` and of longer ones
_BY_LENGTH = {
    ("iemocap", "baseline"): (65.9, 70.6),
    ("iemocap", "seg"): (67.2, 69.7),
    ("fesc", "baseline"): (57.0, 69.0),
    ("fesc", "seg"): (59.3, 72.7),
}


@dataclass(frozen=True)
class ReportedScores:
    """Scores that the paper reports of a system on a corpus; fractions, None where it reports none."""

    system: str
    uar: float
    accuracy: float | None


def reported_scores(corpus: str) -> tuple[ReportedScores, ...]:
    """List the paper's systems on a corpus, in its order; empty for a corpus that it does not have."""
    if corpus not in PAPER_CORPORA:
        return ()
    pairs = [(system, row[PAPER_CORPORA.index(corpus)]) for system, row in zip(SYSTEMS, _TABLE, strict=True)]
    return tuple(ReportedScores(s, _share(uar), None if acc is None else _share(acc)) for s, (uar, acc) in pairs if uar)


def _share(percent: float) -> float:
    """Convert percent with one decimal to the nearest fraction."""
    return round(percent / 100, 3)


def layer_average_note(corpus: str) -> tuple[float, float] | None:
    """Look up UAR of `layer-average` with the test speakers' own statistics, as in Table 1, and without.

    The second normalises by the statistics of the training set, which is all that is known in use.
    """
    return OWN_STATISTICS.get(corpus)


def reported_agreement(corpus: str, system: str) -> float | None:
    """Look up Table 2 as a fraction; None for the best system itself, and where the paper reports nothing."""
    row = _AGREEMENT.get(system)
    value = row[PAPER_CORPORA.index(corpus)] if row and corpus in PAPER_CORPORA else None
    return None if value is None else _share(value)


def reported_by_length(corpus: str, system: str) -> tuple[float, float] | None:
    """Look up UAR of clips up to 10 s and of longer ones, as fractions; None where the paper reports nothing."""
    found = _BY_LENGTH.get((corpus, system))
    return None if found is None else (_share(found[0]), _share(found[1]))
