"""The paper's losses, Equations 1 to 4, one short function each.

Symbols: i a recording of the batch (B of them), j one of its segments (S at most), p the
probabilities of C classes, y the labels, X a vector of D features (the mean of frames that
enters the linear layer, not normalised), d the Euclidean distance, λ the margin, α a weight.
The paper leaves the reductions open; those here are named in each function.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from segser_core.network.segments import Windows, mean_over_time, segment_means

MARGIN = 1.0
UNKNOWN_LOGIT = -1e4  # no share of a softmax; infinity times a target of 0 would be no number


def nll_loss(logits: Tensor, labels: Tensor, smoothing: float = 0.0, weights: Tensor | None = None) -> Tensor:
    """Compute L_nll(i) = −log p_i(y_i), the mean over the batch: (B, C), (B,) → scalar.

    `smoothing` spreads that share of the target over all classes (0: the paper's loss). With `weights`
    (C,) the mean is weighted, each recording by its class.

    Example:
        >>> round(nll_loss(torch.tensor([[0.0, 0.0]]), torch.tensor([1])).item(), 4)  # −log ½
        0.6931
    """
    return cross_entropy(logits, labels, weight=weights, label_smoothing=smoothing)


class SoftTargets(NamedTuple):
    """Targets as shares of the classes, where the emotion changes, raters disagree or a class is unknown.

    Attributes:
        utterance: (B, C), each row sums to 1.
        segments: (B, S, C), the share of a segment's time.
        pure: (B, S), true where the target is the same throughout the segment.
        single: (B,), true where a recording has one emotion, so that its utterance has a loss of its own.
    """

    utterance: Tensor
    segments: Tensor
    pure: Tensor
    single: Tensor


def soft_targets(
    targets: Tensor, lengths: Tensor, known: Tensor, single: Tensor, windows: Windows, smoothing: float = 0.0
) -> SoftTargets:
    """Make the targets of utterances and segments from those of the frames.

    Args:
        targets: (B, T, C) shares of the classes at each frame, padded at the end.
        lengths: (B,) frames.
        known: (B, C), true where a recording's corpus has the class.
        single: (B,), see `SoftTargets`.
        windows: how frames are cut into segments.
        smoothing: share of the target that is spread over the known classes.
    """
    spread = known / known.sum(dim=1, keepdim=True)  # (B, C)
    smoothed = (1 - smoothing) * targets + smoothing * spread[:, None]
    segments, mask = segment_means(smoothed, lengths, windows)
    variance = segment_means(smoothed.square(), lengths, windows)[0] - segments.square()
    pure = mask & (variance.amax(dim=2) < 1e-6)
    return SoftTargets(mean_over_time(smoothed, lengths), segments, pure, single)


def without_unknown(logits: Tensor, known: Tensor) -> Tensor:
    """Take the classes that a corpus lacks out of its softmax: (B, …, C), (B, C) → (B, …, C)."""
    shape = (len(known), *[1] * (logits.ndim - 2), known.shape[1])
    return logits.masked_fill(~known.view(shape), UNKNOWN_LOGIT)


def segment_loss(
    utterance_logits: Tensor,
    segment_logits: Tensor,
    mask: Tensor,
    cut: Tensor,
    labels: Tensor,
    *,
    over_segments: str = "sum",
    smoothing: float = 0.0,
    soft: SoftTargets | None = None,
) -> Tensor:
    """Compute Eq. 3: L_SER = (1/B) Σ_i [ Σ_j L_nll(i, j) + L_nll(i) ].

    Each segment bears its utterance's label. A recording that is not cut, being no longer than a segment,
    counts once: its segment is the utterance.

    Args:
        utterance_logits: (B, C).
        segment_logits: (B, S, C).
        mask: (B, S), true where there is a segment.
        cut: (B,), true where the recording is longer than a segment. Under the tail policy `drop` such a recording
            may have one segment, which is not the whole of it.
        labels: (B,) class indices.
        over_segments: `sum`, the paper's, or `mean`, so that long recordings weigh no more.
        smoothing: share of the target that is spread over all classes.
        soft: targets in place of `labels`, smoothed already.
    """
    targets = labels[:, None].expand(mask.shape) if soft is None else soft.segments
    smoothing = smoothing if soft is None else 0.0
    each = cross_entropy(
        segment_logits.flatten(0, 1), targets.flatten(0, 1), label_smoothing=smoothing, reduction="none"
    )
    counted = mask & cut[:, None]
    per_recording = (each.view(mask.shape) * counted).sum(dim=1)  # (B,)
    if over_segments == "mean":
        per_recording = per_recording / counted.sum(dim=1).clamp(min=1)
    if soft is None:
        return per_recording.mean() + nll_loss(utterance_logits, labels, smoothing)
    return per_recording.mean() + soft_nll_loss(utterance_logits, soft)


def soft_nll_loss(utterance_logits: Tensor, soft: SoftTargets) -> Tensor:
    """Compute L_nll of soft targets, the mean over the batch, where recordings of several emotions count 0."""
    return (cross_entropy(utterance_logits, soft.utterance, reduction="none") * soft.single).mean()


def euclidean_distance(a: Tensor, b: Tensor) -> Tensor:
    """Compute d(a, b) = ‖a − b‖₂ over the last dimension, with a finite (zero) gradient where a = b.

    Example:
        >>> euclidean_distance(torch.tensor([0.0, 0.0]), torch.tensor([3.0, 4.0]))
        tensor(5.)
    """
    squared = (a - b).square().sum(dim=-1)
    apart = squared > 0
    return torch.where(apart, torch.where(apart, squared, 1.0).sqrt(), 0.0)


class Triplets(NamedTuple):
    """Row indices (K,) of anchors, positives and negatives."""

    anchors: Tensor
    positives: Tensor
    negatives: Tensor


def choose_triplets(
    labels: Tensor, durations: Tensor, groups: Tensor | None = None, clips: Tensor | None = None
) -> Triplets:
    """Choose one triplet an anchor, inside the batch: section 3.2 of the paper.

    The positive is the next other row of the anchor's class (cyclic, so every row is a positive
    equally often); the negative is the row of another class whose duration is nearest to the
    positive's, the first of equals. A row without either is no anchor.

    Args:
        labels: (R,) class of each row.
        durations: (R,) duration of each row, in any unit.
        groups: (R,) rows are compared only within a group; one group where it is None.
        clips: (R,) which recording each row is of: a small class may meet one twice in a batch, and that is no
            positive of itself; all are different where it is None.

    Returns:
        Indices of K <= R anchors, positives and negatives.

    Example:
        >>> labels, durations = torch.tensor([0, 0, 1, 1]), torch.tensor([100, 120, 118, 300])
        >>> triplets = choose_triplets(labels, durations)
        >>> triplets.positives.tolist(), triplets.negatives.tolist()
        ([1, 0, 3, 2], [2, 2, 1, 1])
    """
    rows = len(labels)
    if rows == 0:
        return Triplets(labels, labels, labels)
    together = torch.ones(rows, rows, dtype=torch.bool, device=labels.device)
    if groups is not None:
        together = groups[:, None] == groups
    alike = labels[:, None] == labels
    clips = torch.arange(rows, device=labels.device) if clips is None else clips
    is_positive = together & alike & (clips[:, None] != clips)
    positives = next_rows(is_positive)
    apart = (durations[positives][:, None] - durations).abs().float()
    is_negative = together & ~alike
    negatives = torch.where(is_negative, apart, torch.inf).argmin(dim=1)
    anchors = (is_positive.any(dim=1) & is_negative.any(dim=1)).nonzero().squeeze(1)
    return Triplets(anchors, positives[anchors], negatives[anchors])


def next_rows(wanted: Tensor) -> Tensor:
    """Find, for each of R rows, the next row (cyclic) that it wants: (R, R) bool → (R,), any row where it wants none.

    Example:
        >>> next_rows(torch.tensor([[False, True, True], [True, False, True], [False, True, False]])).tolist()
        [1, 2, 1]
    """
    order = torch.arange(len(wanted), device=wanted.device)
    return torch.where(wanted, (order - order[:, None]) % len(wanted), len(wanted)).argmin(dim=1)


class TripletLoss(NamedTuple):
    """Eq. 2 over a batch, with the figures that show whether it still teaches: all scalars.

    `active` is the share of anchors above zero; a loss that rests at the margin while
    `to_positive` and `to_negative` fall towards zero is a collapse.
    """

    loss: Tensor
    to_positive: Tensor
    to_negative: Tensor
    active: Tensor


def choose_triplets_within(labels: Tensor, clips: Tensor, vectors: Tensor) -> Triplets:
    """Choose triplets of segments whose negative is of the same recording: one voice, one room, another emotion.

    The positive is the next other row of the anchor's class that is of another recording (cyclic); the negative is
    the row of another class in the anchor's own recording whose vector is nearest to the anchor's. A row without
    either is no anchor.

    Args:
        labels: (R,) class of each segment.
        clips: (R,) which recording each segment is of.
        vectors: (R, D) of the segments; no gradient flows through the choice.

    Example:
        >>> labels, clips = torch.tensor([0, 1, 0]), torch.tensor([7, 7, 8])
        >>> choose_triplets_within(labels, clips, torch.eye(3))
        Triplets(anchors=tensor([0]), positives=tensor([2]), negatives=tensor([1]))
    """
    if len(labels) == 0:
        return Triplets(labels, labels, labels)
    alike, together = labels[:, None] == labels, clips[:, None] == clips
    is_positive, is_negative = alike & ~together, ~alike & together
    positives = next_rows(is_positive)
    apart = torch.cdist(vectors.detach().float(), vectors.detach().float())
    negatives = torch.where(is_negative, apart, torch.inf).argmin(dim=1)
    anchors = (is_positive.any(dim=1) & is_negative.any(dim=1)).nonzero().squeeze(1)
    return Triplets(anchors, positives[anchors], negatives[anchors])


def triplet_loss(vectors: Tensor, triplets: Triplets, margin: float = MARGIN) -> TripletLoss:
    """Compute Eq. 2: L_tri = max(d(X_a, X_p) − d(X_a, X_n) + λ, 0), the mean over all anchors, zeros included.

    Args:
        vectors: (R, D).
        triplets: indices into the rows; none at all cost nothing (loss and distances 0).
        margin: λ, 1 in the paper.

    Example:
        >>> vectors = torch.tensor([[0.0], [1.0], [3.0]])
        >>> one = Triplets(torch.tensor([0]), torch.tensor([1]), torch.tensor([2]))
        >>> triplet_loss(vectors, one, margin=3.0).loss  # 1 − 3 + 3
        tensor(1.)
    """
    if len(triplets.anchors) == 0:
        zero = vectors.sum() * 0.0
        return TripletLoss(zero, zero.detach(), zero.detach(), zero.detach())
    anchors = vectors[triplets.anchors]
    to_positive = euclidean_distance(anchors, vectors[triplets.positives])
    to_negative = euclidean_distance(anchors, vectors[triplets.negatives])
    each = (to_positive - to_negative + margin).clamp(min=0)
    return TripletLoss(
        each.mean(), to_positive.mean().detach(), to_negative.mean().detach(), (each > 0).float().mean().detach()
    )


def combined_loss(nll: Tensor, triplet: Tensor, alpha: float | None = None) -> Tensor:
    """Combine by Eq. 1: L = L_nll + L_tri; with α by Eq. 4: L = (1 − α) · L_nll + α · L_tri.

    Example:
        >>> nll, triplet = torch.tensor(2.0), torch.tensor(1.0)
        >>> combined_loss(nll, triplet), combined_loss(nll, triplet, alpha=0.5)
        (tensor(3.), tensor(1.5000))
    """
    return nll + triplet if alpha is None else (1 - alpha) * nll + alpha * triplet
