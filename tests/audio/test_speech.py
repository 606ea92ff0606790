"""Which share of a stretch is speech: where it begins and ends, by hand and by a slow loop."""

import numpy as np
import pytest

from segser_core.audio.speech import SpeechDecision, SpeechTrack, check_min_speech
from segser_core.errors import SettingError

WINDOW_S = 0.032


def slow_speech(p):
    """Tell the windows of speech one by one: begun at 0.3, ended below 0.15, three windows longer at either side."""
    inside, on = [], False
    for value in p:
        on = value >= 0.3 or (on and value >= 0.15)
        inside.append(on)
    return [any(inside[max(0, i - 3) : i + 4]) for i in range(len(p))]


@pytest.mark.parametrize("n", [1, 2, 5, 40, 300])
def test_speech_begins_ends_and_is_padded_as_a_slow_loop_has_it(n):
    for seed in range(20):
        p = np.random.default_rng(seed).beta(0.3, 1.5, n)
        assert SpeechTrack(p).is_speech.tolist() == slow_speech(p)


def test_the_share_of_a_stretch_counts_parts_of_windows():
    track = SpeechTrack(np.array([0.9] + [0.0] * 19))  # speech for the first four windows
    assert track.speech_s == pytest.approx(4 * WINDOW_S)
    assert track.share(0, 4 * WINDOW_S) == 1
    assert track.share(0, 8 * WINDOW_S) == 0.5
    assert track.share(3.5 * WINDOW_S, 5.5 * WINDOW_S) == pytest.approx(0.25)
    assert track.share(4 * WINDOW_S, 20 * WINDOW_S) == 0
    assert track.share(19.5 * WINDOW_S, 25 * WINDOW_S) == 0  # beyond the end


def test_a_recording_without_a_window_has_no_speech():
    track = SpeechTrack(np.empty(0, np.float32))
    assert track.speech_s == 0
    assert track.share(0.0, 1.0) == 0


def test_a_stretch_of_just_the_share_is_speech_and_zero_keeps_all():
    track = SpeechTrack(np.array([0.9] + [0.0] * 19))
    assert SpeechDecision(0.5, track).is_speech(0, 8 * WINDOW_S)
    assert not SpeechDecision(0.51, track).is_speech(0, 8 * WINDOW_S)
    assert SpeechDecision(0.0).is_speech(0, 1)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_beyond_0_to_1_is_refused(share):
    with pytest.raises(SettingError, match="expected 0, which keeps all segments, to 1"):
        check_min_speech(share)
