"""Heads and losses of the stages of `p-tapt` before fine-tuning."""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from segser_core.network.encoders import FrameEncoder, length_mask
from segser_core.network.segments import mean_over_time
from training.features.augment import mask_with_mean

RECURRENT_SIZE = 256
HEAD_SIZE = 256


class LabelHeads(nn.Module):
    """Stage 1: the encoder under a head for frames and a recurrent one for the utterance.

    One LSTM hears each recording forth, one back: a packed bidirectional one takes three times as long on a CPU.
    """

    weights: Tensor

    def __init__(self, encoder: FrameEncoder, weights: Tensor):
        super().__init__()
        self.encoder = encoder
        self.register_buffer("weights", weights)
        self.frame_head = nn.Linear(encoder.hidden_size, len(weights))
        self.forth, self.back = (nn.LSTM(encoder.hidden_size, RECURRENT_SIZE, batch_first=True) for _ in range(2))
        self.utterance_head = nn.Linear(2 * RECURRENT_SIZE, len(weights))

    def forward(self, features: Tensor, lengths: Tensor, offsets: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss of a batch."""
        frames = self.encoder(features, lengths, offsets)
        with torch.autocast(frames.device.type, enabled=False):
            frames = frames.float()
            ahead, back = self.forth(frames)[0], self.back(reverse_time(frames, lengths))[0]
            utterance = self.utterance_head(mean_over_time(torch.cat([ahead, back], dim=2), lengths))
            return label_loss(utterance, self.frame_head(frames), labels, lengths, self.weights)


def reverse_time(frames: Tensor, lengths: Tensor) -> Tensor:
    """Reverse each recording, its last frame first, and leave its padding behind: (B, T, D), (B,) → (B, T, D)."""
    at = (lengths[:, None] - 1 - torch.arange(frames.shape[1], device=lengths.device)).clamp(min=0)
    return frames.gather(1, at[..., None].expand_as(frames))


def label_loss(utterance: Tensor, frames: Tensor, labels: Tensor, lengths: Tensor, weights: Tensor) -> Tensor:
    """Add class-weighted cross-entropy of the utterances and that of every frame with its utterance's label.

    Args:
        utterance: (B, C) logits.
        frames: (B, T, C) logits, padded.
        labels: (B,) classes.
        lengths: (B,) frames.
        weights: (C,) of the classes, for the utterances.
    """
    mask = length_mask(lengths, frames.shape[1])
    targets = labels[:, None].expand(mask.shape)
    return cross_entropy(utterance, labels, weight=weights) + cross_entropy(frames[mask], targets[mask])


class ClusterHeads(nn.Module):
    """Stage 3: the encoder under one head for each number of clusters."""

    def __init__(self, encoder: FrameEncoder, clusters: list[int]):
        super().__init__()
        self.encoder = encoder
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Linear(encoder.hidden_size, HEAD_SIZE), nn.Tanh(), nn.Linear(HEAD_SIZE, k))
            for k in clusters
        )

    def forward(self, features: Tensor, lengths: Tensor, offsets: Tensor, ids: Tensor, hidden: Tensor) -> Tensor:
        """Compute the loss of a batch whose frames are masked where `hidden` (B, T) is true; `ids` (B, T, K's)."""
        frames = self.encoder(mask_with_mean(features, lengths, hidden[:, :, None]), lengths, offsets)[hidden]
        return cluster_loss([head(frames).float() for head in self.heads], ids[hidden])


def cluster_loss(logits: list[Tensor], ids: Tensor) -> Tensor:
    """Sum over heads the cross-entropy of masked frames with their clusters, 0 where no frame is masked.

    Args:
        logits: (M, K) of each head.
        ids: (M, heads) clusters.
    """
    each = [cross_entropy(of_head, of, reduction="sum") for of_head, of in zip(logits, ids.T, strict=True)]
    return torch.stack(each).sum() / max(1, len(ids))
