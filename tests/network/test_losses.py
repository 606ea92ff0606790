import math

import pytest
import torch

from segser_core.network.losses import (
    Triplets,
    choose_triplets,
    combined_loss,
    euclidean_distance,
    nll_loss,
    segment_loss,
    triplet_loss,
)


def test_nll_by_hand():
    logits = torch.tensor([[0.0, math.log(3.0)], [0.0, 0.0]])
    expected = (-math.log(0.75) - math.log(0.5)) / 2
    assert nll_loss(logits, torch.tensor([1, 0])).item() == pytest.approx(expected, abs=1e-6)


def random_batch(seed=0):
    g = torch.Generator().manual_seed(seed)
    mask = torch.tensor([[1, 1, 1], [1, 0, 0], [1, 1, 0], [1, 1, 1]], dtype=torch.bool)
    cut = torch.tensor([True, False, True, True])
    return torch.randn(4, 5, generator=g), torch.randn(4, 3, 5, generator=g), mask, cut, torch.tensor([0, 4, 2, 2])


@pytest.mark.parametrize("over", ["sum", "mean"])
def test_eq_3_equals_a_slow_loop(over):
    utterances, segments, mask, cut, labels = random_batch()
    total = 0.0
    for i in range(4):
        count = int(mask[i].sum()) if cut[i] else 0
        each = [-segments[i, j].log_softmax(0)[labels[i]].item() for j in range(count)]
        total += sum(each) / (max(1, len(each)) if over == "mean" else 1)
        total += -utterances[i].log_softmax(0)[labels[i]].item()
    got = segment_loss(utterances, segments, mask, cut, labels, over_segments=over)
    assert got.item() == pytest.approx(total / 4, abs=1e-5)


def test_eq_3_counts_an_uncut_recording_once():
    utterances, segments, _, _, labels = random_batch()
    alone = torch.tensor([[True, False, False]] * 4)
    assert segment_loss(utterances, segments, alone, torch.tensor([False] * 4), labels).item() == pytest.approx(
        nll_loss(utterances, labels).item(), abs=1e-6
    )


def test_eq_3_counts_the_one_segment_that_drop_leaves_of_a_longer_recording():
    utterances, segments, _, _, labels = random_batch()
    one = torch.tensor([[True, False, False]] * 4)
    each = -segments[:, 0].log_softmax(-1)[range(4), labels] - utterances.log_softmax(-1)[range(4), labels]
    got = segment_loss(utterances, segments, one, torch.tensor([True] * 4), labels)
    assert got.item() == pytest.approx(each.mean().item(), abs=1e-6)


def test_eq_3_ignores_what_is_no_segment():
    utterances, segments, mask, cut, labels = random_batch()
    poisoned = segments.masked_fill(~mask[..., None], 1e4)
    assert segment_loss(utterances, poisoned, mask, cut, labels) == segment_loss(
        utterances, segments, mask, cut, labels
    )


def slow_triplets(labels, durations, groups=None):
    rows, found = len(labels), []
    for a in range(rows):
        same = [(a + k) % rows for k in range(1, rows)]
        same = [r for r in same if groups is None or groups[r] == groups[a]]
        positives = [r for r in same if labels[r] == labels[a]]
        negatives = [r for r in sorted(same) if labels[r] != labels[a]]
        if positives and negatives:
            p = positives[0]
            found.append((a, p, min(negatives, key=lambda r: abs(durations[r] - durations[p]))))
    return found


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("grouped", [False, True])
def test_triplets_equal_a_slow_loop(seed, grouped):
    g = torch.Generator().manual_seed(seed)
    rows = int(torch.randint(1, 15, (), generator=g))
    labels = torch.randint(0, 3, (rows,), generator=g)
    durations = torch.randint(10, 40, (rows,), generator=g)
    groups = torch.randint(0, 3, (rows,), generator=g) if grouped else None
    got = torch.stack(choose_triplets(labels, durations, groups), dim=1).tolist()
    expected = slow_triplets(labels.tolist(), durations.tolist(), None if groups is None else groups.tolist())
    assert [tuple(t) for t in got] == expected


def test_a_clip_that_a_batch_holds_twice_is_no_positive_of_itself():
    labels, durations, clips = torch.tensor([0, 0, 0, 1]), torch.tensor([5, 5, 6, 7]), torch.tensor([7, 7, 8, 9])
    chosen = choose_triplets(labels, durations, clips=clips)
    assert chosen.positives.tolist() == [2, 2, 0]
    assert chosen.anchors.tolist() == [0, 1, 2]
    assert len(choose_triplets(labels, durations, clips=torch.tensor([7, 7, 7, 9])).anchors) == 0


def test_the_negative_is_of_like_duration():
    labels, durations = torch.tensor([0, 0, 1, 1, 2]), torch.tensor([50, 90, 10, 88, 95])
    chosen = choose_triplets(labels, durations)
    assert (chosen.anchors[0], chosen.positives[0], chosen.negatives[0]) == (0, 1, 3)  # 88 is nearest to 90


def test_eq_2_by_hand():
    vectors = torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0], [6.0, 8.0]])
    triplets = Triplets(torch.tensor([0, 0]), torch.tensor([1, 2]), torch.tensor([2, 3]))
    got = triplet_loss(vectors, triplets)  # max(5 − 1 + 1, 0) = 5 and max(1 − 10 + 1, 0) = 0
    assert got.loss.item() == pytest.approx(2.5)
    assert got.to_positive.item() == pytest.approx(3.0)
    assert got.to_negative.item() == pytest.approx(5.5)
    assert got.active.item() == 0.5


def test_no_valid_triplet_costs_nothing_and_says_so():
    vectors = torch.randn(3, 4, requires_grad=True)
    none = choose_triplets(torch.tensor([1, 1, 1]), torch.tensor([1, 2, 3]))
    assert len(none.anchors) == 0
    got = triplet_loss(vectors, none)
    got.loss.backward()
    assert got.loss == 0
    assert got.active == 0
    assert (vectors.grad == 0).all()


def test_an_empty_batch_of_segments_has_no_triplet():
    empty = torch.empty(0, dtype=torch.long)
    assert triplet_loss(torch.empty(0, 4), choose_triplets(empty, empty, empty)).loss == 0


def test_gradient_is_finite_where_two_vectors_are_equal():
    a = torch.ones(2, 3, requires_grad=True)
    euclidean_distance(a, torch.ones(2, 3)).sum().backward()
    assert a.grad.isfinite().all()


def test_distance_is_the_l2_norm():
    g = torch.Generator().manual_seed(0)
    a, b = torch.randn(7, 5, generator=g), torch.randn(7, 5, generator=g)
    torch.testing.assert_close(euclidean_distance(a, b), torch.linalg.vector_norm(a - b, dim=1))


def test_eq_1_and_eq_4():
    nll, triplet = torch.tensor(2.0), torch.tensor(0.5)
    assert combined_loss(nll, triplet).item() == 2.5
    assert combined_loss(nll, triplet, alpha=0.2).item() == pytest.approx(0.8 * 2.0 + 0.2 * 0.5)
