"""Compute the loss of each system: the network's output and the labels → Eq. 1, 3 or 4."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from segser_core.errors import SegserError
from segser_core.network.losses import (
    MARGIN,
    SoftTargets,
    TripletLoss,
    choose_triplets,
    choose_triplets_within,
    combined_loss,
    nll_loss,
    segment_loss,
    soft_nll_loss,
    triplet_loss,
)
from segser_core.network.model import SegmentEmotionOutput
from segser_core.systems import System


class DivergedError(SegserError):
    """A training whose loss is no finite number any more."""


@dataclass(frozen=True)
class Objective:
    """Loss of a system, with the choices that the paper leaves open.

    Attributes:
        alpha: α of Eq. 4, or None for Eq. 1.
        margin: λ of Eq. 2.
        over_segments: `sum` (Eq. 3) or `mean` over the segments of a recording.
        smoothing: share of the target that is spread over all classes.
        weights: of the classes (C,), in a loss without segments; all alike where it is None.
        within: weight of triplets whose negative is a segment of the same recording, where the emotion changes.
    """

    system: System
    alpha: float | None = None
    margin: float = MARGIN
    over_segments: str = "sum"
    smoothing: float = 0.0
    weights: Tensor | None = None
    within: float = 0.0

    def __call__(
        self,
        output: SegmentEmotionOutput,
        labels: Tensor,
        lengths: Tensor,
        clips: Tensor | None = None,
        soft: SoftTargets | None = None,
    ) -> "LossParts":
        """Compute the loss of a batch.

        Args:
            output: of the network; classes that are unknown to a recording have `UNKNOWN_LOGIT`.
            labels: (B,) classes; below 0 where a recording has several.
            lengths: (B,) frames.
            clips: (B,), see `choose_triplets`.
            soft: targets in place of the labels.
        """
        nll = self._nll(output, labels, soft)
        if self.system.triplets is None:
            return LossParts(nll, nll.detach(), None)
        if soft is not None and not soft.single.any():
            triplet = self._triplet_within(output, soft)
        else:
            triplet = self._triplet(output, labels, lengths, clips)
        return LossParts(combined_loss(nll, triplet.loss, self.alpha), nll.detach(), triplet)

    def _nll(self, output: SegmentEmotionOutput, labels: Tensor, soft: SoftTargets | None) -> Tensor:
        if not self.system.segments:
            if soft is not None:
                return soft_nll_loss(output.utterance_logits, soft)
            weights = None if self.weights is None else self.weights.to(labels.device)
            return nll_loss(output.utterance_logits, labels, self.smoothing, weights)
        return segment_loss(
            output.utterance_logits,
            output.segment_logits,
            output.segment_mask,
            output.cut,
            labels,
            over_segments=self.over_segments,
            smoothing=self.smoothing,
            soft=soft,
        )

    def _triplet_within(self, output: SegmentEmotionOutput, soft: SoftTargets) -> TripletLoss:
        recording, position = (soft.pure & bool(self.within)).nonzero(as_tuple=True)
        vectors, labels = output.segment_vectors[recording, position], soft.segments[recording, position].argmax(dim=1)
        found = triplet_loss(vectors, choose_triplets_within(labels, recording, vectors), self.margin)
        return found._replace(loss=self.within * found.loss)

    def _triplet(
        self, output: SegmentEmotionOutput, labels: Tensor, lengths: Tensor, clips: Tensor | None
    ) -> TripletLoss:
        if self.system.triplets == "utterances":
            return triplet_loss(output.utterance_vectors, choose_triplets(labels, lengths, clips=clips), self.margin)
        cut = output.segment_mask & output.cut[:, None]
        recording, position = cut.nonzero(as_tuple=True)  # the segments of recordings that are all cut
        of = None if clips is None else clips[recording]
        triplets = choose_triplets(labels[recording], lengths[recording], position, of)
        return triplet_loss(output.segment_vectors[recording, position], triplets, self.margin)


def balanced_class_weights(targets: Sequence[int]) -> Tensor:
    """Weigh every class alike: N / (C · n_c) for n_c of N recordings, (C,), each class present."""
    counts = torch.bincount(torch.tensor(targets))
    return counts.sum() / (len(counts) * counts)


def symmetric_divergence(first: Tensor, second: Tensor) -> Tensor:
    """Compute (KL(p‖q) + KL(q‖p)) / 2 of two views of the same recordings, the mean over the batch.

    Args:
        first: (B, C) logits; the loss of R-Drop (Liang et al. 2021), there between two draws of dropout.
        second: (B, C) logits of the other view.
    """
    p, q = first.log_softmax(dim=-1), second.log_softmax(dim=-1)
    return ((p.exp() - q.exp()) * (p - q)).sum(dim=-1).mean() / 2


class LossParts(NamedTuple):
    """Loss to minimise, and its two parts for the log."""

    total: Tensor
    nll: Tensor
    triplet: TripletLoss | None

    def parts(self) -> dict[str, Tensor]:
        """Name the parts that the log shows."""
        shown = {"nll": self.nll}
        if self.triplet is not None:
            shown |= {
                "triplet": self.triplet.loss.detach(),
                "distance_positive": self.triplet.to_positive,
                "distance_negative": self.triplet.to_negative,
                "triplets_active": self.triplet.active,
            }
        return {name: torch.as_tensor(value) for name, value in shown.items()}
