"""Losses where the emotion changes, raters disagree, or a corpus lacks a class."""

import pytest
import torch

from segser_core.network.losses import (
    choose_triplets_within,
    nll_loss,
    segment_loss,
    soft_nll_loss,
    soft_targets,
    without_unknown,
)
from segser_core.network.segments import Windows, frame_means

WINDOWS = Windows(4, 2)
ALL = torch.ones(2, 3, dtype=torch.bool)


def one_hot(labels):
    return torch.eye(3)[torch.tensor(labels)]


def targets_of(*recordings):
    return torch.nn.utils.rnn.pad_sequence([one_hot(r) for r in recordings], batch_first=True)


def made(targets, lengths, known=ALL, single=(False, True), smoothing=0.0):
    return soft_targets(targets, torch.tensor(lengths), known, torch.tensor(single), WINDOWS, smoothing)


def test_a_segments_target_is_the_share_of_its_time():
    soft = made(targets_of([0] * 3 + [1] * 5, [2] * 6), [8, 6])
    assert soft.segments[0].tolist() == [[0.75, 0.25, 0], [0.25, 0.75, 0], [0, 1, 0]]
    assert soft.segments[1, :2].tolist() == [[0, 0, 1], [0, 0, 1]]
    assert soft.pure.tolist() == [[False, False, True], [True, True, False]]
    assert soft.utterance.tolist() == [[0.375, 0.625, 0], [0, 0, 1]]


def test_smoothing_spreads_over_the_known_classes_alone():
    known = torch.tensor([[True, True, False], [True, True, True]])
    soft = made(targets_of([0] * 4, [2] * 4), [4, 4], known, (True, True), 0.3)
    torch.testing.assert_close(soft.utterance, torch.tensor([[0.85, 0.15, 0], [0.1, 0.1, 0.8]]))
    assert soft.pure.all()


def test_hard_targets_cost_what_labels_cost():
    g = torch.Generator().manual_seed(0)
    utterance, segments = torch.randn(2, 3, generator=g), torch.randn(2, 2, 3, generator=g)
    mask, labels = torch.ones(2, 2, dtype=torch.bool), torch.tensor([0, 2])
    soft = made(targets_of([0] * 6, [2] * 6), [6, 6], single=(True, True), smoothing=0.1)
    for over in ("sum", "mean"):
        common = {"over_segments": over, "smoothing": 0.1}
        cut = torch.tensor([True, True])
        expected = segment_loss(utterance, segments, mask, cut, labels, **common)
        torch.testing.assert_close(segment_loss(utterance, segments, mask, cut, labels, **common, soft=soft), expected)
    torch.testing.assert_close(soft_nll_loss(utterance, soft), nll_loss(utterance, labels, 0.1))


def test_a_recording_of_several_emotions_has_no_utterance_loss():
    utterance = torch.tensor([[9.0, 0, 0], [0, 0, 9.0]], requires_grad=True)
    soft = made(targets_of([0] * 3 + [1] * 3, [0] * 6), [6, 6])
    soft_nll_loss(utterance, soft).backward()
    assert utterance.grad[0].abs().sum() == 0
    assert utterance.grad[1].abs().sum() > 0


def test_a_class_that_a_corpus_lacks_has_no_share_and_no_gradient():
    logits = torch.zeros(2, 2, 3, requires_grad=True)
    known = torch.tensor([[True, True, False], [True, True, True]])
    p = without_unknown(logits, known).softmax(-1)
    torch.testing.assert_close(p[:, 0], torch.tensor([[0.5, 0.5, 0], [1 / 3, 1 / 3, 1 / 3]]))
    p.log().clamp(min=-50).sum().backward()
    assert logits.grad[0, :, 2].abs().sum() == 0


def test_negatives_come_from_the_same_recording():
    labels, clips = torch.tensor([0, 1, 1, 0, 2]), torch.tensor([5, 5, 5, 6, 6])
    vectors = torch.tensor([[0.0], [9.0], [1.0], [3.0], [4.0]])
    found = choose_triplets_within(labels, clips, vectors)
    assert found.anchors.tolist() == [0, 3]
    assert found.positives.tolist() == [3, 0]
    assert found.negatives.tolist() == [2, 4]  # of recording 5 the nearer one
    assert len(choose_triplets_within(labels[:0], clips[:0], vectors[:0]).anchors) == 0


@pytest.mark.parametrize(("tail", "last"), [("align-right", 2.0), ("drop", 1.0)])
def test_a_frame_has_the_mean_of_the_segments_that_cover_it(tail, last):
    windows = Windows(4, 2, tail)
    segments = torch.arange(float(len(windows.bounds(7))))[:, None]
    found = frame_means(segments, windows, 7).flatten()
    assert found[:2].tolist() == [0, 0]
    assert found[6] == last
    assert found[2] == 0.5
