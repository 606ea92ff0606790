"""Cut encoder frames into overlapping windows (index arithmetic), and average each window.

Section 3.1 of the paper. One frame is 20 ms (320 samples at 16 kHz), so the paper's segment of
100 frames lasts 2.0 s (its caption of Figure 2 says "roughly 200ms", which is off by ten).
"""

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from segser_core.errors import SettingError

FRAME_S = 0.020
Tail = Literal["align-right", "drop"]
TAILS: tuple[Tail, ...] = get_args(Tail)


@dataclass(frozen=True)
class Windows:
    """Windows of `frames`, one each `stride` frames.

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
        """List first frame and end frame (exclusive) of each segment of a recording of `n_frames` >= 1.

        A recording shorter than a segment is one segment, whole.

        Example:
            >>> Windows(80, 40).bounds(130)
            [(0, 80), (40, 120), (50, 130)]
            >>> Windows(80, 40, tail="drop").bounds(130)
            [(0, 80), (40, 120)]
            >>> Windows(80, 40).bounds(60)
            [(0, 60)]
        """
        if n_frames <= self.frames:
            return [(0, n_frames)]
        starts = list(range(0, n_frames - self.frames + 1, self.stride))
        if self.tail == "align-right" and starts[-1] + self.frames < n_frames:
            starts.append(n_frames - self.frames)
        return [(start, start + self.frames) for start in starts]


def mean_over_time(frames: Tensor, lengths: Tensor) -> Tensor:
    """Average each recording's own frames, never its padding: (B, T, D), (B,) → (B, D).

    Example:
        >>> frames = torch.tensor([[[1.0], [3.0], [99.0]]])
        >>> mean_over_time(frames, torch.tensor([2]))
        tensor([[2.]])
    """
    inside = torch.arange(frames.shape[1], device=frames.device) < lengths[:, None]
    return (frames * inside[..., None]).sum(dim=1) / lengths[:, None]


def segment_means(frames: Tensor, lengths: Tensor, windows: Windows) -> tuple[Tensor, Tensor]:
    """Average the frames of every segment, from one running sum: O(T · D) whatever the overlap.

    Args:
        frames: (B, T, D), padded at the end.
        lengths: (B,) number of frames of each recording, 1 to T.
        windows: how to cut.

    Returns:
        Means (B, S, D) with S the most segments of any recording, zero where a recording has
        fewer; and the mask (B, S), true where there is a segment.

    Example:
        >>> frames = torch.arange(6.0).reshape(1, 6, 1)
        >>> means, mask = segment_means(frames, torch.tensor([6]), Windows(4, 2))
        >>> means.flatten().tolist(), mask.tolist()
        ([1.5, 3.5], [[True, True]])
    """
    cuts = [windows.bounds(n) for n in lengths.tolist()]
    most = max(map(len, cuts))
    edges = torch.tensor([c + [(0, 0)] * (most - len(c)) for c in cuts], device=frames.device)  # (B, S, 2)
    running = torch.nn.functional.pad(frames.cumsum(dim=1, dtype=torch.float64), (0, 0, 1, 0))  # (B, T + 1, D)
    at = edges.flatten(1)[..., None].expand(-1, -1, frames.shape[2])  # (B, 2 S, D)
    sums = running.gather(1, at).unflatten(1, (most, 2)).diff(dim=2).squeeze(2)  # (B, S, D)
    counts = edges.diff(dim=2)  # (B, S, 1)
    return (sums / counts.clamp(min=1)).to(frames.dtype), counts.squeeze(2) > 0


def frame_means(segments: Tensor, windows: Windows, frames: int) -> Tensor:
    """Average at each frame the segments that cover it: (S, C) of a recording of T frames → (T, C).

    Under the tail policy `drop`, a frame after the last segment has the values of that segment.

    Example:
        >>> frame_means(torch.tensor([[0.0], [1.0]]), Windows(4, 2), 6).flatten().tolist()
        [0.0, 0.0, 0.5, 0.5, 1.0, 1.0]
    """
    at = torch.arange(frames)
    bounds = torch.tensor(windows.bounds(frames))
    covers = ((bounds[:, 0] <= at[:, None]) & (at[:, None] < bounds[:, 1])).to(segments)  # (T, S)
    covers[:, -1] += covers.sum(dim=1) == 0
    return covers @ segments / covers.sum(dim=1, keepdim=True)
