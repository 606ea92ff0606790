from dataclasses import replace

import numpy as np
import pytest

from segser_core.errors import SettingError
from segser_core.prediction.prediction import Prediction, Segment
from segser_core.prediction.rules import AGGREGATES, aggregate
from segser_core.systems import find_system

UTTERANCE = np.array([0.2, 0.5, 0.3])
SEGMENTS = np.array([[0.5, 0.4, 0.1], [0.1, 0.7, 0.2], [0.45, 0.35, 0.2], [0.0, 0.7, 0.3], [0.2, 0.2, 0.6]])


@pytest.mark.parametrize(
    ("rule", "label", "expected"),
    [
        ("utterance", 1, UTTERANCE),
        ("max", 1, SEGMENTS[1]),  # 0.7, the first of two equals
        ("mean", 1, SEGMENTS.mean(axis=0)),
        ("vote", 1, [0.4, 0.4, 0.2]),  # two votes each; the mean of class 1 is higher
        ("top-k", 1, SEGMENTS[[1, 3, 4]].mean(axis=0)),
    ],
)
def test_rules_by_hand(rule, label, expected):
    index, p = aggregate(UTTERANCE, SEGMENTS, rule)
    assert index == label
    np.testing.assert_allclose(p, expected)


@pytest.mark.parametrize("rule", AGGREGATES)
def test_probabilities_sum_to_one_and_the_label_is_among_the_highest(rule):
    g = np.random.default_rng(0)
    for _ in range(200):
        segments = g.dirichlet(np.ones(4), g.integers(1, 9))
        index, p = aggregate(g.dirichlet(np.ones(4)), segments, rule)
        assert p.sum() == pytest.approx(1)
        assert p[index] == p.max()


def test_a_tied_vote_is_decided_by_the_mean():
    segments = np.array([[0.9, 0.1], [0.45, 0.55]])
    assert aggregate(UTTERANCE[:2], segments, "vote")[0] == 0


def test_an_unknown_rule_is_refused():
    with pytest.raises(SettingError, match="'best' is unknown"):
        aggregate(UTTERANCE, SEGMENTS, "best")


def test_the_papers_rule_belongs_to_systems_with_segments():
    for system in ("baseline", "tri-w", "layer-average", "p-tapt"):
        assert find_system(system).rule == "utterance"
    assert [find_system(s).rule for s in ("seg", "seg+tri-s", "seg+tri-w")] == ["max", "max", "max"]


def test_a_foreign_system_whose_name_begins_with_seg_has_the_rule_of_utterances():
    assert find_system("segformer").rule == "utterance"
    assert prediction().is_probe is False
    assert replace(prediction(), system="segformer").is_probe


def prediction(rule="max"):
    labels = ("a", "b", "c")
    named = [dict(zip(labels, p.tolist(), strict=True)) for p in (UTTERANCE, *SEGMENTS)]
    index, p = aggregate(UTTERANCE, SEGMENTS, rule)
    return Prediction(
        "x.wav", 4.0, "m", "seg", labels, labels[index], dict(zip(labels, p.tolist(), strict=True)), named[0], rule,
        "clip", (), tuple(Segment(i, i * 0.8, i * 0.8 + 1.6, q) for i, q in enumerate(named[1:])),
    )  # fmt: skip


def test_another_rule_needs_no_second_pass():
    for rule in AGGREGATES:
        assert prediction("max").with_rule(rule) == prediction(rule)


def test_the_deciding_segment():
    assert prediction("max").deciding_segment.index == 1
    assert prediction("mean").deciding_segment is None


def test_the_dict_holds_what_the_command_line_prints():
    d = prediction().to_dict()
    assert d["confidence"] == d["probabilities"][d["label"]]
    assert len(d["segments"]) == 5
    assert set(d["segments"][0]) == {"index", "start_s", "end_s", "label", "confidence", "probabilities"}
