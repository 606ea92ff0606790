"""Windows over a long recording, and slices of a stream."""

import numpy as np
import pytest

from segser_core.inference.long_audio import (
    WINDOW_FRAMES,
    margin_frames,
    overlapping_windows,
    slice_blocks,
    step_frames,
)


@pytest.mark.parametrize("window", [WINDOW_FRAMES, 750])
@pytest.mark.parametrize("seconds", [0.5, 19.99, 20, 29.99, 30, 30.01, 50, 50.02, 95.5])
def test_windows_cover_a_long_recording_without_gap_or_overlap(seconds, window):
    """Each sample tells its own frame: what the windows keep, joined, is every frame once and in order."""
    n = round(seconds * 16_000)
    numbered = (np.arange(n) // 320).astype(np.float32)
    step, margin = step_frames(window) * 320, margin_frames(window)
    kept = []
    for waveform, first, last in overlapping_windows(
        (numbered[i : i + step] for i in range(0, n, step)), window, margin
    ):
        assert len(waveform) <= window * 320
        if kept:
            assert first == margin
        kept.append(waveform[::320][first:last])
    np.testing.assert_array_equal(np.concatenate(kept), np.arange(-(-n // 320)))


def test_slices_of_a_stream():
    x = np.arange(100, dtype=np.float32)
    bounds = [(0, 30), (15, 45), (30, 60), (70, 100)]
    for size in (7, 33, 100):
        cuts = slice_blocks((x[i : i + size] for i in range(0, 100, size)), bounds)
        for cut, (start, end) in zip(cuts, bounds, strict=True):
            np.testing.assert_array_equal(cut, x[start:end])
