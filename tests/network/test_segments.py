import pytest
import torch

from segser_core.errors import SettingError
from segser_core.inference.long_audio import stream_means
from segser_core.network.segments import Windows, mean_over_time, segment_means

IEMOCAP = Windows(140, 70)


def test_bounds_by_hand():
    assert Windows(4, 2).bounds(10) == [(0, 4), (2, 6), (4, 8), (6, 10)]
    assert Windows(4, 2).bounds(11) == [(0, 4), (2, 6), (4, 8), (6, 10), (7, 11)]
    assert Windows(4, 2, "drop").bounds(11) == [(0, 4), (2, 6), (4, 8), (6, 10)]


def test_tail_of_the_iemocap_example():
    """Windows of 140 / 70 over 204 frames: dropping the tail keeps one window and loses 64 frames, 1.28 s."""
    assert Windows(140, 70, "drop").bounds(204) == [(0, 140)]
    assert IEMOCAP.bounds(204) == [(0, 140), (64, 204)]


@pytest.mark.parametrize("frames", [1, 139, 140])
def test_a_short_recording_is_one_segment(frames):
    assert IEMOCAP.bounds(frames) == [(0, frames)]


@pytest.mark.parametrize("frames", [1, 5, 80, 81, 119, 120, 121, 400, 1503])
def test_every_frame_is_covered(frames):
    covered = {t for start, end in Windows(80, 40).bounds(frames) for t in range(start, end)}
    assert covered == set(range(frames))


@pytest.mark.parametrize("wrong", [(0, 1, "drop"), (4, 0, "drop"), (4, 5, "drop"), (4, 2, "pad")])
def test_impossible_windows_are_refused(wrong):
    with pytest.raises(SettingError, match=r"segment|tail"):
        Windows(*wrong)


def slow_means(frames, lengths, windows):
    return [[frames[i, a:b].mean(dim=0) for a, b in windows.bounds(int(n))] for i, n in enumerate(lengths)]


@pytest.mark.parametrize("tail", ["align-right", "drop"])
def test_means_equal_a_slow_loop(tail):
    generator = torch.Generator().manual_seed(0)
    frames = torch.randn(5, 97, 6, generator=generator)
    lengths = torch.tensor([97, 8, 33, 1, 60])
    windows = Windows(16, 8, tail)
    means, mask = segment_means(frames, lengths, windows)
    for row, (expected, m) in enumerate(zip(slow_means(frames, lengths, windows), mask, strict=True)):
        assert m.sum() == len(expected)
        torch.testing.assert_close(means[row][m], torch.stack(expected), rtol=0, atol=1e-6)
    assert (means[~mask] == 0).all()


def test_padding_is_never_pooled():
    frames = torch.randn(2, 50, 3)
    lengths = torch.tensor([20, 50])
    poisoned = frames.clone()
    poisoned[0, 20:] = 1e6
    for pooled, clean in (
        (segment_means(poisoned, lengths, Windows(16, 8))[0][0], segment_means(frames, lengths, Windows(16, 8))[0][0]),
        (mean_over_time(poisoned, lengths)[0], mean_over_time(frames, lengths)[0]),
    ):
        torch.testing.assert_close(pooled, clean, rtol=0, atol=0)


def test_means_by_hand():
    frames = torch.arange(6.0)[None, :, None]  # 0 1 2 3 4 5
    means, _ = segment_means(frames, torch.tensor([5]), Windows(2, 2))
    assert means.flatten().tolist() == [0.5, 2.5, 3.5]  # (0, 1), (2, 3), and flush with the end (3, 4)
    assert mean_over_time(frames, torch.tensor([5])).item() == 2.0


def test_a_running_sum_stays_exact_far_from_the_start():
    frames = torch.full((1, 200_000, 1), 1.1)
    means, _ = segment_means(frames, torch.tensor([200_000]), Windows(80, 40))
    assert (means - 1.1).abs().max() < 1e-6


@pytest.mark.parametrize("sizes", [[97], [1, 2, 94], [40, 40, 17], [16, 81], [5]])
@pytest.mark.parametrize("tail", ["align-right", "drop"])
def test_a_stream_of_blocks_gives_the_same_means(sizes, tail):
    frames = torch.randn(sum(sizes), 4, generator=torch.Generator().manual_seed(1))
    windows = Windows(16, 8, tail)
    whole, segments, bounds = stream_means(iter(frames.split(sizes)), windows)
    expected, _ = segment_means(frames[None], torch.tensor([len(frames)]), windows)
    assert bounds == windows.bounds(len(frames))
    torch.testing.assert_close(segments, expected[0], rtol=0, atol=1e-6)
    torch.testing.assert_close(whole, frames.mean(dim=0), rtol=0, atol=1e-6)


def test_a_stream_of_thousands_of_segments_keeps_them_all():
    frames, windows = torch.randn(3001, 2, generator=torch.Generator().manual_seed(1)), Windows(3, 1)
    _, segments, bounds = stream_means(iter(frames.split(500)), windows)
    expected, _ = segment_means(frames[None], torch.tensor([len(frames)]), windows)
    assert len(segments) == len(bounds) == 2999
    torch.testing.assert_close(segments, expected[0], rtol=0, atol=1e-6)


@pytest.mark.parametrize("crop", [1, 19, 20, 21, 57, 90])
def test_a_crop_bounds_the_first_mean_of_a_stream_alone(crop):
    frames, windows = torch.randn(70, 4, generator=torch.Generator().manual_seed(1)), Windows(16, 8)
    whole, segments, bounds = stream_means(iter(frames.split([20, 37, 13])), windows, crop)
    torch.testing.assert_close(whole, frames[:crop].mean(dim=0), rtol=0, atol=1e-6)
    assert torch.equal(segments, stream_means(iter([frames]), windows)[1])
    assert bounds == windows.bounds(70)


def test_gradients_reach_every_frame():
    frames = torch.randn(1, 21, 2, requires_grad=True)
    segment_means(frames, torch.tensor([21]), Windows(8, 4))[0].sum().backward()
    assert frames.grad.isfinite().all()
    assert (frames.grad != 0).all()
