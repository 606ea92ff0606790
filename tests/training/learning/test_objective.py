import math

import pytest
import torch

from segser_core.network.losses import choose_triplets, nll_loss, segment_loss, triplet_loss
from segser_core.network.model import SegmentEmotionOutput
from segser_core.systems import SYSTEMS
from tests.support.networks import tiny_model
from training.learning.objective import Objective, balanced_class_weights, symmetric_divergence

LABELS, LENGTHS = torch.tensor([0, 1, 0, 2]), torch.tensor([30, 28, 12, 31])
MASK = torch.tensor([[1, 1, 1], [1, 1, 0], [1, 0, 0], [1, 1, 1]], dtype=torch.bool)
CUT = torch.tensor([True, True, False, True])


def output(seed=0):
    g = torch.Generator().manual_seed(seed)
    return SegmentEmotionOutput(
        torch.randn(4, 3, generator=g), torch.randn(4, 3, 3, generator=g), MASK, CUT,
        torch.randn(4, 6, generator=g).requires_grad_(), torch.randn(4, 3, 6, generator=g).requires_grad_(),
    )  # fmt: skip


def loss(system, **how):
    return Objective(SYSTEMS[system], **how)(output(), LABELS, LENGTHS)


def test_the_five_systems_of_the_paper():
    out = output()
    utterance = nll_loss(out.utterance_logits, LABELS)
    segments = segment_loss(out.utterance_logits, out.segment_logits, MASK, CUT, LABELS)
    triplet = triplet_loss(out.utterance_vectors, choose_triplets(LABELS, LENGTHS)).loss
    assert loss("baseline").total == utterance
    assert loss("seg").total == segments
    assert loss("tri-w").total == utterance + triplet
    assert loss("seg+tri-w").total == segments + triplet
    assert loss("seg+tri-w", alpha=0.2).total.item() == pytest.approx((0.8 * segments + 0.2 * triplet).item())
    assert loss("baseline", alpha=0.7).total == utterance  # without triplets there is nothing to weigh


def test_triplets_on_segments_compare_only_cut_recordings_at_one_position():
    """Recording 2 is not cut, so class 0 has no pair left: no triplet at all."""
    assert loss("seg+tri-s").triplet.active == 0
    labels = torch.tensor([0, 1, 2, 0])  # now 0 and 3 are a pair, 1 their negative, at positions 0 and 1 only
    out = output()
    got = Objective(SYSTEMS["seg+tri-s"])(out, labels, LENGTHS)
    each = [
        torch.relu((v[a, j] - v[p, j]).norm() - (v[a, j] - v[1, j]).norm() + 1)
        for v in [out.segment_vectors] for j in (0, 1) for a, p in ((0, 3), (3, 0))
    ]  # fmt: skip
    assert got.triplet.loss.item() == pytest.approx(torch.stack(each).mean().item(), abs=1e-6)


def test_a_recording_between_one_segment_and_two_is_cut_under_drop():
    """T = 100 under windows of 80 and a stride of 40: one segment, which is not the whole recording."""
    model = tiny_model(tail="drop")
    model.config.segment_frames, model.config.stride_frames = 80, 40
    lengths, labels = torch.tensor([100, 80]), torch.tensor([0, 1])
    features = model.encoder.features(torch.randn(100 * 320, generator=torch.Generator().manual_seed(0)))
    with torch.no_grad():
        out = model(torch.stack([features, features]), lengths)
    nll = [out.utterance_logits[i].log_softmax(-1)[labels[i]] for i in (0, 1)]
    expected = -(nll[0] + out.segment_logits[0, 0].log_softmax(-1)[0] + nll[1]) / 2
    assert out.segment_mask.sum() == 2
    assert out.cut.tolist() == [True, False]
    assert Objective(SYSTEMS["seg"])(out, labels, lengths).total.item() == pytest.approx(expected.item(), abs=1e-6)


def test_gradients_reach_the_vectors_that_a_system_compares():
    out = output()
    Objective(SYSTEMS["tri-w"])(out, LABELS, LENGTHS).total.backward()
    assert out.utterance_vectors.grad.isfinite().all()
    assert out.utterance_vectors.grad.abs().sum() > 0


def test_divergence_by_hand():
    """p = (0.8, 0.2) and q = (0.5, 0.5): KL(p‖q) = 0.1927, KL(q‖p) = 0.2231."""
    p, q = torch.tensor([[0.8, 0.2]]).log(), torch.tensor([[0.5, 0.5]]).log()
    assert symmetric_divergence(p, q).item() == pytest.approx((0.19274 + 0.22314) / 2, abs=1e-4)
    assert symmetric_divergence(p, p) == 0
    assert symmetric_divergence(q, p) == symmetric_divergence(p, q)


def test_the_two_systems_beside_the_five_have_the_utterances_loss():
    for system in ("layer-average", "p-tapt"):
        assert loss(system).total == nll_loss(output().utterance_logits, LABELS)


def test_class_weights_by_hand():
    """Of four recordings two are of class 0; one that is always right costs nothing, whatever the weights."""
    weights = balanced_class_weights(LABELS.tolist())
    assert weights.tolist() == pytest.approx([4 / (3 * 2), 4 / 3, 4 / 3])
    logits = torch.zeros(4, 3)
    logits[0, 0] = 100.0
    uneven = (2 / 3 * math.log(3) + 2 * 4 / 3 * math.log(3)) / (2 * 2 / 3 + 2 * 4 / 3)
    assert nll_loss(logits, LABELS, weights=weights).item() == pytest.approx(uneven)


def test_a_weighted_loss_is_what_a_loop_adds_up():
    logits, weights = output().utterance_logits, torch.tensor([0.5, 2.0, 1.0])
    each = [-weights[y] * row.log_softmax(-1)[y] for row, y in zip(logits, LABELS, strict=True)]
    expected = sum(each) / sum(weights[y] for y in LABELS)
    torch.testing.assert_close(loss("p-tapt", weights=weights).total, expected)
