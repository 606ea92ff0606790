"""Timeline: the track and channel of a recording that has several."""

import io
import wave

import numpy as np

from segser_core.audio.loading import load_audio
from tests.support.app_test import page_text, run_page, upload_files
from tests.support.audio_files import to_pcm16
from tests.support.paths import SAMPLE


def make_call() -> bytes:
    """A recording of two channels: the sample, and the sample an octave up and shorter."""
    left = load_audio(SAMPLE)[:48_000]
    right = np.pad(left[::2], (0, len(left) - len(left[::2])))
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setparams((2, 2, 16_000, 0, "NONE", ""))
        file.writeframes(to_pcm16(np.stack([left, right], axis=1)).tobytes())
    return content.getvalue()


def test_a_channel_is_chosen_or_each_by_itself():
    app = upload_files(("call.wav", make_call()))
    assert any("2 channels that differ" in w.value for w in app.warning)
    picker = app.selectbox(key="audio-channel")
    assert picker.options == ["mean of all channels", "channel 1", "channel 2", "each channel by itself"]
    picker.set_value(2)
    run_page(app)
    assert not any("channels that differ" in w.value for w in app.warning)
    app.selectbox(key="audio-channel").set_value("each")
    run_page(app)
    assert list(app.dataframe[0].value.file) == ["call.wav, channel 1", "call.wav, channel 2"]


def test_a_recording_of_one_channel_is_asked_nothing():
    app = upload_files(("sample.flac", SAMPLE.read_bytes()))
    assert "audio-channel" not in [box.key for box in app.selectbox]
    assert "channel" not in page_text(app).lower()
