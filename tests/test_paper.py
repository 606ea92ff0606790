"""The paper's figures, checked against what they must be."""

from fractions import Fraction

import pytest

from segser_core import paper


def test_the_brackets_on_ravdess_are_clips_of_208():
    found = {r.system: r.accuracy for r in paper.reported_scores("ravdess") if r.accuracy}
    clips = {"baseline": 141, "seg": 150, "tri-w": 163, "seg+tri-s": 160, "seg+tri-w": 163}
    assert {s: round(100 * Fraction(n, 208), 1) for s, n in clips.items()} == {
        s: round(Fraction(str(round(100 * a, 1))), 1) for s, a in found.items()
    }


def test_p_tapt_stands_under_uar_and_other_corpora_have_nothing():
    first = paper.reported_scores("iemocap")[0]
    assert (first.system, first.uar, first.accuracy) == ("p-tapt", 0.743, None)
    assert paper.reported_scores("emodb") == ()
    assert paper.reported_agreement("emodb", "seg") is None


@pytest.mark.parametrize("corpus", paper.PAPER_CORPORA)
def test_the_best_system_is_the_one_that_others_are_held_against(corpus):
    uar = {r.system: r.uar for r in paper.reported_scores(corpus) if r.system in ("baseline", *paper.ALPHA, "seg")}
    assert paper.BEST[corpus] == max(uar, key=lambda s: uar[s])
    others = [paper.reported_agreement(corpus, s) for s in uar if s != paper.BEST[corpus]]
    assert paper.reported_agreement(corpus, paper.BEST[corpus]) is None
    assert all(0.7 < a < 0.9 for a in others)


def test_longer_clips_score_higher_in_the_paper():
    found = [paper.reported_by_length(c, s) for c in ("iemocap", "fesc") for s in ("baseline", "seg")]
    assert all(long > short for short, long in found)
    assert paper.reported_by_length("ravdess", "seg") is None
