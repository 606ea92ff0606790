"""Pass a recording of any length through an encoder, window by window, in constant memory."""

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

import numpy as np
import torch
from torch import Tensor

from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.audio.levels import LevelMeter
from segser_core.network.encoders import HOP_SAMPLES
from segser_core.network.segments import FRAME_S, Windows
from segser_core.prediction.timeline import TimeSpan


class VectorBuffer:
    """Buffer of vectors (D,) in few large pieces.

    Small tensors would lie scattered between the buffers of the encoder's passes: each hour of a recording would take
    400 MB more.
    """

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

    def stacked(self) -> Tensor:
        """Return all vectors, (N, D)."""
        return torch.cat(self.pieces)[: self.filled]


def stream_means(
    blocks: Iterator[Tensor], windows: Windows, crop_frames: int | None = None
) -> tuple[Tensor, Tensor, list[tuple[int, int]]]:
    """Average utterance and segments of one recording whose frames arrive in blocks, in constant memory.

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
    means = VectorBuffer()
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
    return (total / min(n_frames, crop)).to(kept.dtype), means.stacked(), bounds


class SpanMeans:
    """Exact means of the frames in spans of time, of a recording whose frames pass by in blocks.

    A span holds the frames between its ends, rounded to whole frames, and the one that is nearest where there is none;
    the last frame belongs to a span that ends with the recording.

    Example:
        >>> means = SpanMeans([(0.0, 0.04), (0.02, 0.08)])
        >>> _ = list(means.watch(iter([torch.tensor([[1.0], [3.0]]), torch.tensor([[5.0], [7.0]])])))
        >>> means.stacked(duration_s=0.08).flatten().tolist()
        [2.0, 5.0]
    """

    def __init__(self, spans_s: Sequence[TimeSpan]) -> None:
        self.spans_s, self.bounds = spans_s, [span_frames(*span) for span in spans_s]
        self.sums: list[Tensor | None] = [None] * len(spans_s)
        self.n_frames, self.last = 0, torch.empty(0)

    def watch(self, blocks: Iterable[Tensor]) -> Iterator[Tensor]:
        """Yield the same blocks, (t, D) each, and add their frames to the spans."""
        for block in blocks:
            for index, (start, end) in enumerate(self.bounds):
                inside = block[max(0, start - self.n_frames) : max(0, end - self.n_frames)]
                if len(inside):
                    self._add(index, inside.double().sum(dim=0))
            self.n_frames += len(block)
            self.last = block[-1].double() if len(block) else self.last
            yield block

    def _add(self, index: int, total: Tensor) -> None:
        before = self.sums[index]
        self.sums[index] = total if before is None else before + total

    def stacked(self, duration_s: float) -> Tensor:
        """Return the means (R, D) in float32, once all frames of a recording of `duration_s` seconds went by."""
        found = []
        for span, (start, end), total in zip(self.spans_s, self.bounds, self.sums, strict=True):
            first, stop = fit_span(*span, self.n_frames, duration_s)
            added = max(0, min(end, self.n_frames) - start)
            lacking = (stop - first - added) * self.last  # one frame at most, the last one
            found.append((lacking if total is None else total + lacking) / (stop - first))
        return torch.stack(found).float()


class HeardMean:
    """Exact mean of the frames of those segments that are speech, of a recording whose frames pass by in blocks.

    Which segments are speech is told once all frames went by, so the sums between their bounds are held.

    Example:
        >>> mean = HeardMean(Windows(2, 2))
        >>> _ = list(mean.watch(iter([torch.tensor([[1.0], [3.0], [9.0]]), torch.tensor([[9.0], [5.0]])])))
        >>> mean.over([(0, 2), (3, 5)]).tolist()
        [4.5]
    """

    def __init__(self, windows: Windows, crop_frames: int | None = None) -> None:
        self.windows, self.crop = windows, sys.maxsize if crop_frames is None else crop_frames
        self.edges, self.sums, self.n_frames = [0], VectorBuffer(), 0
        self.running = self.tail = torch.empty(0)

    def watch(self, blocks: Iterable[Tensor]) -> Iterator[Tensor]:
        """Yield the same blocks, (t, D) each, and sum their frames between the bounds of segments."""
        for block in blocks:
            if not self.n_frames:
                self.running, self.tail = torch.zeros_like(block[0], dtype=torch.float64), block[:0]
                self.sums.append(self.running)
            start, end = self.n_frames, self.n_frames + len(block)
            for frame in filter(self._is_edge, range(start + 1, end + 1)):
                self.running = self.running + block[start - self.n_frames : frame - self.n_frames].double().sum(dim=0)
                self.edges.append(frame)
                self.sums.append(self.running)
                start = frame
            self.running = self.running + block[start - self.n_frames :].double().sum(dim=0)
            self.tail, self.n_frames = torch.cat([self.tail, block])[-self.windows.frames :], end
            yield block

    def _is_edge(self, frame: int) -> bool:
        begins, ends = frame % self.windows.stride, (frame - self.windows.frames) % self.windows.stride
        return not begins or not ends or frame == self.crop

    def over(self, bounds: Iterable[tuple[int, int]]) -> Tensor:
        """Return the mean (D,) of the frames in segments of these bounds, which are in order of their start.

        Where the mean of a recording is over its first frames alone, those count that are among them, if any is.
        """
        spans = merge_spans(bounds)
        cropped = [(start, min(end, self.crop)) for start, end in spans if start < self.crop]
        spans, sums = cropped or spans, self.sums.stacked()
        at = {frame: row for row, frame in enumerate(self.edges)}

        def until(frame: int) -> Tensor:
            if frame in at:
                return sums[at[frame]]
            last = self.n_frames - frame  # frames from the start of a segment that is flush with the end
            return self.running - self.tail[len(self.tail) - last :].double().sum(dim=0)

        total = torch.stack([until(end) - until(start) for start, end in spans]).sum(dim=0)
        return (total / sum(end - start for start, end in spans)).to(self.tail.dtype)


def merge_spans(bounds: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Merge spans that overlap or touch, in order of their start.

    Example:
        >>> merge_spans([(0, 80), (40, 120), (200, 280)])
        [(0, 120), (200, 280)]
    """
    merged: list[tuple[int, int]] = []
    for start, end in bounds:
        if merged and start <= merged[-1][1]:
            start = merged.pop()[0]
        merged.append((start, end))
    return merged


def span_frames(start_s: float, end_s: float) -> tuple[int, int]:
    """Convert seconds to first frame and end frame (exclusive), at least one frame.

    Example:
        >>> span_frames(0.4, 2.0), span_frames(1.0, 1.001)
        ((20, 100), (50, 51))
    """
    start, end = (math.floor(time_s / FRAME_S + 0.5) for time_s in (start_s, end_s))
    return start, max(start + 1, end)


def fit_span(start_s: float, end_s: float, n_frames: int, duration_s: float) -> tuple[int, int]:
    """Convert seconds to frames of a recording of `n_frames`; a span that ends with it holds its last frame.

    Example:
        >>> fit_span(0.4, 2.01, 101, 2.01), fit_span(2.0, 2.01, 99, 2.01)
        ((20, 101), (98, 99))
    """
    start, end = span_frames(start_s, end_s)
    start = min(start, n_frames - 1)
    end = n_frames if end_s > duration_s - FRAME_S / 2 else min(end, n_frames)
    return start, max(start + 1, end)


WINDOW_FRAMES = 1500  # 30 s: Whisper's table of positions is no longer
MARGINS = 6  # a sixth of a window at either side only serves as context: 5 s of 30
Progress = Callable[[float], None]


def meter_blocks(blocks: Iterable[np.ndarray], levels: LevelMeter, progress: Progress | None) -> Iterator[np.ndarray]:
    """Yield the same blocks, and meter levels and progress on the way."""
    for block in blocks:
        levels.add(block)
        yield block
        if progress is not None:
            progress(levels.n_samples / SAMPLE_RATE_HZ)


def margin_frames(window: int) -> int:
    """Return how many frames at either side of a window only serve as context."""
    return window // MARGINS


def step_frames(window: int) -> int:
    """Return how many frames of each window count, but for the first and the last one."""
    return window - 2 * margin_frames(window)


def overlapping_windows(
    blocks: Iterable[np.ndarray], window: int, margin: int
) -> Iterator[tuple[np.ndarray, int, int | None]]:
    """Cut a recording that comes in blocks of one step, window − 2 · margin frames, into overlapping windows.

    Yields:
        The window's samples; the first and the end of its frames that count (None:
        all that are left). Together they cover the recording without gap or overlap.

    Example:
        >>> blocks = (np.zeros(20 * 320, np.float32) for _ in range(3))  # of 20 frames
        >>> [(len(w) // 320, first, end) for w, first, end in overlapping_windows(blocks, window=30, margin=5)]
        [(30, 0, 25), (30, 5, 25), (20, 5, None)]
    """
    held, first = np.empty(0, np.float32), 0
    for block in blocks:
        held = np.concatenate([held, block])
        if len(held) > window * HOP_SAMPLES:
            yield held[: window * HOP_SAMPLES], first, window - margin
            held, first = held[(window - 2 * margin) * HOP_SAMPLES :], margin
    yield held, first, None


def slice_blocks(blocks: Iterable[np.ndarray], bounds: list[tuple[int, int]]) -> Iterator[np.ndarray]:
    """Slice a recording that comes in blocks: `bounds` in samples, in order of their start.

    Example:
        >>> blocks = [np.arange(0, 4), np.arange(4, 8)]
        >>> [cut.tolist() for cut in slice_blocks(blocks, [(1, 3), (3, 6)])]
        [[1.0, 2.0], [3.0, 4.0, 5.0]]
    """
    held, begin, source = np.empty(0, np.float32), 0, iter(blocks)
    for start, end in bounds:
        while begin + len(held) < end and (block := next(source, None)) is not None:
            drop = min(max(start - begin, 0), len(held))
            held, begin = np.concatenate([held[drop:], block]), begin + drop
        yield held[start - begin : end - begin]


def bounds_in_seconds(bounds: list[tuple[int, int]], duration_s: float) -> tuple[tuple[float, float], ...]:
    """Convert frames to seconds; a segment flush with the last frame ends with the recording.

    Example:
        >>> bounds_in_seconds([(0, 80), (20, 100)], 2.01)
        ((0.0, 1.6), (0.4, 2.01))
    """
    last = bounds[-1][1]
    return tuple(
        (start * FRAME_S, duration_s if end == last else min(end * FRAME_S, duration_s)) for start, end in bounds
    )
