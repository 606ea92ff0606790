"""Pass a recording of any length through an encoder, window by window, in constant memory."""

import sys
from collections.abc import Iterator
from itertools import chain

import torch
from torch import Tensor

from segser_core.network.segments import Windows


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
