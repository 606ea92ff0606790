"""Locate clips: a whole file, or a stretch of one."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from segser_core.audio.decoding import SAMPLE_RATE_HZ, decode_mono

if TYPE_CHECKING:
    import pandas as pd

CLIP_START, CLIP_END = "clip_start_s", "clip_end_s"  # columns of a table of clips: where in its file a clip lies
MOST_KEPT_S = 30 * 60  # a longer file is decoded anew for each of its stretches


@dataclass(frozen=True)
class Excerpt:
    """The stretch of a file from `start_s` to `end_s` seconds."""

    path: Path
    start_s: float
    end_s: float


@dataclass(frozen=True)
class ClipLocation:
    """Where a clip lies: a path below the corpus's folder, and the stretch of that file where it is not all of it."""

    path: str
    start_s: float | None = None
    end_s: float | None = None

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> "ClipLocation":
        """Locate the clip of a row with `path`, and `clip_start_s` and `clip_end_s` where it is a stretch.

        Example:
            >>> ClipLocation.of_row({"path": "a.wav", "clip_start_s": 0.5, "clip_end_s": 2.0}).key
            'a.wav#t=0.5,2'
            >>> ClipLocation.of_row({"path": "a.wav", "clip_start_s": float("nan")}).key
            'a.wav'
        """
        start_s, end_s = (row.get(column) for column in (CLIP_START, CLIP_END))
        if start_s is None or end_s is None or math.isnan(start_s) or math.isnan(end_s):
            return cls(row["path"])
        return cls(row["path"], float(start_s), float(end_s))

    @property
    def key(self) -> str:
        """Identify the clip: its path and, as a media fragment (W3C), its stretch."""
        return self.path if self.start_s is None else f"{self.path}#t={self.start_s:.10g},{self.end_s:.10g}"

    def source(self, root: Path) -> "Path | Excerpt":
        """Return what can be loaded: the file below `root`, or its stretch."""
        file = root / self.path
        return file if self.start_s is None or self.end_s is None else Excerpt(file, self.start_s, self.end_s)


def clip_locations(clips: "pd.DataFrame") -> list[ClipLocation]:
    """Locate the clips of a table in order."""
    return [ClipLocation.of_row(row) for row in clips.to_dict("records")]


def excerpt_samples(excerpt: Excerpt) -> Iterator[np.ndarray]:
    """Yield the samples of a stretch at 16 kHz in pieces (n,) float32; what lies beyond a damage is not there."""
    start, end = (round(time_s * SAMPLE_RATE_HZ) for time_s in (excerpt.start_s, excerpt.end_s))
    stat = excerpt.path.stat() if excerpt.path.is_file() else None
    whole = None if stat is None else _decode_short(excerpt.path, stat.st_size, stat.st_mtime_ns)
    if whole is not None:
        yield from (part for part in [whole[start:end]] if len(part))
    else:
        yield from slice_samples(decode_mono(excerpt.path, lambda: None), start, end)


@lru_cache(maxsize=1)
def _decode_short(path: Path, size: int, changed_ns: int) -> np.ndarray | None:
    """Decode a file once for all its stretches, as they mostly follow one another; None for a long one."""
    pieces, total = [], 0
    for piece in decode_mono(path, lambda: None):
        pieces.append(piece)
        total += len(piece)
        if total > MOST_KEPT_S * SAMPLE_RATE_HZ:
            return None
    return np.concatenate(pieces)


def slice_samples(pieces: Iterator[np.ndarray], start: int, end: int) -> Iterator[np.ndarray]:
    """Slice a recording that comes in pieces; none after the end is asked for.

    Example:
        >>> [piece.tolist() for piece in slice_samples(iter([np.arange(0, 4), np.arange(4, 8)]), 2, 6)]
        [[2, 3], [4, 5]]
    """
    position = 0
    for piece in pieces:
        part = piece[max(0, start - position) : max(0, end - position)]
        position += len(piece)
        if len(part):
            yield part
        if position >= end:
            return
