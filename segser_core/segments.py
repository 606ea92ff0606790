"""Segments: overlapping windows over the encoder's frames, as index arithmetic, and their means.

Section 3.1 of the paper. One frame is 20 ms (320 samples at 16 kHz), so the paper's segment of
100 frames lasts 2.0 s (its caption of Figure 2 says "roughly 200ms", which is off by ten).
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Literal, get_args

import torch
from torch import Tensor

from segser_core.errors import SettingError

FRAME_S = 0.020
Tail = Literal["align-right", "drop"]
TAILS: tuple[Tail, ...] = get_args(Tail)


@dataclass(frozen=True)
class Windows:
    """How frames are cut: windows of `frames`, one each `stride` frames.

    `tail` says what becomes of the frames after the last whole window: `align-right` adds a
    window flush with the end, `drop` leaves them out. The paper does not say which it used.
    """

    frames: int
    stride: int
    tail: Tail = "align-right"

    def __post_init__(self):
        if self.frames < 1 or not 1 <= self.stride <= self.frames:
            raise SettingError(
                f"segments of {self.frames} frames, one each {self.stride}: "
                "a segment needs at least one frame, and a stride from 1 to its own length"
            )
        if self.tail not in TAILS:
            raise SettingError(f"tail policy {self.tail!r} is unknown; choose one of {', '.join(TAILS)}")

    def bounds(self, n_frames: int) -> list[tuple[int, int]]:
        """First frame and end frame (exclusive) of each segment of a recording of `n_frames` >= 1.

        A recording shorter than a segment is one segment, whole.
        """
        if n_frames <= self.frames:
            return [(0, n_frames)]
        starts = list(range(0, n_frames - self.frames + 1, self.stride))
        if self.tail == "align-right" and starts[-1] + self.frames < n_frames:
            starts.append(n_frames - self.frames)
        return [(start, start + self.frames) for start in starts]


def mean_over_time(frames: Tensor, lengths: Tensor) -> Tensor:
    """Mean of each recording's own frames, never of its padding: (B, T, D), (B,) → (B, D)."""
    inside = torch.arange(frames.shape[1], device=frames.device) < lengths[:, None]
    return (frames * inside[..., None]).sum(dim=1) / lengths[:, None]


def segment_means(frames: Tensor, lengths: Tensor, windows: Windows) -> tuple[Tensor, Tensor]:
    """Mean of the frames of every segment, from one running sum: O(T · D) whatever the overlap.

    Args:
        frames: (B, T, D), padded at the end.
        lengths: (B,) number of frames of each recording, 1 to T.
        windows: how to cut.

    Returns:
        Means (B, S, D) with S the most segments of any recording, zero where a recording has
        fewer; and the mask (B, S), true where there is a segment.
    """
    cuts = [windows.bounds(n) for n in lengths.tolist()]
    most = max(map(len, cuts))
    edges = torch.tensor([c + [(0, 0)] * (most - len(c)) for c in cuts], device=frames.device)  # (B, S, 2)
    running = torch.nn.functional.pad(frames.cumsum(dim=1, dtype=torch.float64), (0, 0, 1, 0))  # (B, T + 1, D)
    at = edges.flatten(1)[..., None].expand(-1, -1, frames.shape[2])  # (B, 2 S, D)
    sums = running.gather(1, at).unflatten(1, (most, 2)).diff(dim=2).squeeze(2)  # (B, S, D)
    counts = edges.diff(dim=2)  # (B, S, 1)
    return (sums / counts.clamp(min=1)).to(frames.dtype), counts.squeeze(2) > 0


class Rows:
    """Vectors (D,) one after the other, in few large pieces: small ones of their own would lie scattered between the
    buffers of the encoder's passes, and each hour of a recording would take 400 MB more."""

    PIECE = 1024

    def __init__(self) -> None:
        self.pieces: list[Tensor] = []
        self.filled = 0

    def append(self, row: Tensor) -> None:
        """Copy a vector to the end."""
        if self.filled % self.PIECE == 0:
            self.pieces.append(row.new_empty(self.PIECE, len(row)))
        self.pieces[-1][self.filled % self.PIECE] = row
        self.filled += 1

    def whole(self) -> Tensor:
        """All of them, (N, D)."""
        return torch.cat(self.pieces)[: self.filled]


def stream_means(
    blocks: Iterator[Tensor], windows: Windows, crop_frames: int | None = None
) -> tuple[Tensor, Tensor, list[tuple[int, int]]]:
    """Utterance and segment means of one recording whose frames arrive in blocks, in constant memory.

    Only the frames that a coming segment may still need are kept, whatever the recording's length.

    Args:
        blocks: (t, D) each, in order, at least one frame in all.
        windows: how to cut.
        crop_frames: the first mean is over so many frames at most, from the start; all where it is None.

    Returns:
        The mean of the frames (D,), the segments' means (S, D), and their bounds in frames.
    """
    first_block, crop = next(blocks), sys.maxsize if crop_frames is None else crop_frames
    kept, first, total = first_block[:0], 0, torch.zeros_like(first_block[0], dtype=torch.float64)
    means = Rows()
    bounds: list[tuple[int, int]] = []
    for block in chain([first_block], blocks):
        total += block[: max(0, crop - first - len(kept))].double().sum(dim=0)
        kept = torch.cat([kept, block])
        end = first + len(kept)
        while (start := len(bounds) * windows.stride) + windows.frames <= end:
            means.append(kept[start - first :][: windows.frames].double().mean(dim=0).to(kept.dtype))
            bounds.append((start, start + windows.frames))
        drop = max(0, min(len(bounds) * windows.stride, end - windows.frames) - first)
        kept, first = kept[drop:], first + drop
    n_frames = first + len(kept)
    for start, stop in windows.bounds(n_frames)[len(bounds) :]:
        means.append(kept[start - first : stop - first].double().mean(dim=0).to(kept.dtype))
        bounds.append((start, stop))
    return (total / min(n_frames, crop)).to(kept.dtype), means.whole(), bounds
