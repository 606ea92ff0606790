import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from segser_core.audio.waveform import encode_wav
from segser_core.errors import AudioError, ModelError, SettingError
from segser_core.inference.predictor import PRECISIONS, Predictor, choose_device
from tests.support.audio_files import encode_any_wav, make_noise, to_pcm16
from tests.support.networks import NoisePredictor, tiny_model


@pytest.fixture(params=["whisper", "wav2vec2"])
def predictor(request):
    return NoisePredictor(tiny_model(request.param, system="seg", longest_training_clip_s=5.0), "tiny")


def test_a_prediction_holds_what_the_network_gives(predictor):
    waveform = make_noise(1.3)
    got = predictor.predict(waveform, file="x.wav")
    features = predictor.model.encoder.features(torch.from_numpy(waveform))
    with torch.no_grad():
        out = predictor.model(features[None], torch.tensor([len(features)]))
    expected = out.segment_logits[0].softmax(-1).numpy()
    found = np.array([list(s.probabilities.values()) for s in got.segments])
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(list(got.utterance.values()), out.utterance_logits[0].softmax(-1).numpy(), atol=1e-6)
    assert got.aggregate == "max"
    assert got.deciding_segment.confidence == got.confidence == pytest.approx(expected.max())
    assert got.duration_s == pytest.approx(1.3)
    assert got.labels == tuple(predictor.model.config.labels)


def test_segments_cover_the_recording(predictor):
    for seconds in (0.03, 0.319, 0.32, 0.5, 1.234, 3.0):
        p = predictor.predict(make_noise(seconds))
        assert p.segments[0].start_s == 0
        assert p.segments[-1].end_s == pytest.approx(seconds, abs=1e-4)
        assert all(b.start_s <= a.end_s for a, b in zip(p.segments, p.segments[1:], strict=False))
        assert sum(p.probabilities.values()) == pytest.approx(1, abs=1e-6)


def test_a_long_recording_is_read_in_windows(predictor):
    """70 s: the frames come in windows of 30 s, all segments are there, and the length is warned of."""
    sizes = []
    encode = predictor._features
    predictor._features = lambda waveform, speaker: sizes.append(len(waveform)) or encode(waveform, speaker)
    p = predictor.predict(make_noise(70))
    assert max(sizes) == 30 * 16_000
    assert len(sizes) == 3
    assert p.segments[-1].end_s == pytest.approx(70)
    assert len(p.segments) == len(
        predictor.model.config.windows.bounds(3500 if predictor.model.encoder.positions_matter else 3499)
    )
    assert "70.0 s" in p.warnings[-1]
    assert "5.0 s" in p.warnings[-1]


def test_a_model_of_short_windows_hears_the_same_wherever_it_is_said():
    """A recording of 9 s, and the same after 2 s of another one: a step, so that windows hold the same samples."""
    predictor = NoisePredictor(tiny_model(window_frames=150), "tiny")  # 3 s, of which 2 count
    assert predictor.window_frames == 150

    def frames(waveform):
        return torch.cat(
            list(predictor._frames([waveform[i : i + 32_000] for i in range(0, len(waveform), 32_000)], None))
        )

    sound = make_noise(9)
    first, later = frames(sound), frames(np.concatenate([make_noise(4)[-32_000:], sound]))
    assert len(first) == predictor.model.encoder.count_frames(len(sound))
    torch.testing.assert_close(later[200:400], first[100:300], atol=1e-5, rtol=1e-5)


def test_a_recording_shorter_than_a_word_is_warned_of(predictor):
    assert "At 0.05 s, shorter than a word" in predictor.predict(make_noise(0.05)).warnings[0]
    assert not predictor.predict(make_noise(0.3)).warnings


def test_blocks_change_nothing_below_30_s(predictor):
    whole = make_noise(25)
    by_blocks = predictor.predict(whole)  # read in blocks of 20 s, encoded at once
    features = predictor.model.encoder.features(torch.from_numpy(whole))
    with torch.no_grad():
        expected = predictor.model(features[None], torch.tensor([len(features)])).segment_logits[0].softmax(-1)
    np.testing.assert_allclose([list(s.probabilities.values()) for s in by_blocks.segments], expected, atol=1e-6)


def test_in_isolation_a_segment_is_its_own_recording(predictor):
    waveform = make_noise(1.0)
    alone = predictor.predict(waveform, context="segment")
    context = predictor.predict(waveform)
    assert [s.start_s for s in alone.segments] == [s.start_s for s in context.segments]
    overhang = predictor.model.encoder.overhang_samples
    for segment, (a, b) in zip(alone.segments, predictor.model.config.windows.bounds(50 - (overhang > 0)), strict=True):
        cut = predictor.predict(waveform[a * 320 : b * 320 + overhang], aggregate="utterance")
        assert segment.probabilities == pytest.approx(cut.utterance, abs=1e-6)
    assert alone.utterance == context.utterance
    assert any(
        a.probabilities != pytest.approx(c.probabilities, abs=1e-4)
        for a, c in zip(alone.segments, context.segments, strict=True)
    )


@pytest.mark.parametrize("seconds", [0.1, 1.01, 2.345, 45.0])
def test_a_named_rule_of_segments_alone_hears_nothing_of_the_whole(predictor, seconds):
    waveform, told = make_noise(seconds), []
    full = predictor.predict(waveform, context="segment")
    alone = predictor.predict(waveform, context="segment", aggregate="max", progress=told.append)
    assert alone.segments == full.segments
    assert alone.probabilities == full.probabilities
    assert (alone.duration_s, alone.warnings) == (full.duration_s, full.warnings)
    assert full.utterance
    assert not alone.utterance
    assert seconds < 40 or told[:2] == [20, 40]
    assert alone.with_rule("mean") == replace(full.with_rule("mean"), utterance={})
    with pytest.raises(SettingError, match="only segments were heard"):
        alone.with_rule("utterance")


def test_the_same_call_gives_the_same_bits(predictor):
    assert predictor.predict(make_noise(2.1)) == predictor.predict(make_noise(2.1))


@pytest.mark.parametrize("context", ["clip", "segment"])
@pytest.mark.parametrize("kind", ["whisper", "wav2vec2"])
def test_bf16_is_near_fp32_and_not_the_same(kind, context):
    exact, rough = (
        Predictor(tiny_model(kind), "tiny", precision=p).encode(make_noise(3), context=context) for p in PRECISIONS
    )
    assert rough.segments.dtype == torch.float32
    assert not torch.equal(rough.segments, exact.segments)
    torch.testing.assert_close(rough.segments, exact.segments, rtol=0.05, atol=0.05)
    torch.testing.assert_close(rough.utterance, exact.utterance, rtol=0.05, atol=0.05)


def test_progress_is_told_in_seconds(predictor):
    told = []
    predictor.predict(make_noise(65), progress=told.append)
    assert told == pytest.approx([20, 40, 60, 65])


def test_what_is_unknown_is_refused(predictor):
    with pytest.raises(SettingError, match="'room'"):
        predictor.predict(make_noise(1), context="room")
    with pytest.raises(SettingError, match="'best'"):
        predictor.predict(make_noise(1), aggregate="best")
    with pytest.raises(ModelError, match="models"):
        Predictor.from_pretrained("no-such-model")
    with pytest.raises(SettingError, match="'fp8'"):
        Predictor.from_pretrained(precision="fp8")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused():
    with pytest.raises(ModelError, match="no GPU"):
        choose_device("cuda")


def test_a_model_without_segments_decides_by_the_utterance():
    p = NoisePredictor(tiny_model(system="baseline"), "tiny").predict(make_noise(2))
    assert p.aggregate == "utterance"
    assert p.deciding_segment is None
    assert p.is_probe
    assert len(p.segments) > 1
    assert p.probabilities == p.utterance


def probabilities(prediction):
    return [list(s.probabilities.values()) for s in prediction.segments]


def test_samples_in_any_form_and_a_file_are_heard_alike(predictor):
    noise = make_noise(1.3)
    expected = predictor.predict(noise)
    for samples in (noise.tolist(), torch.from_numpy(noise), noise.astype(np.float64)):
        assert predictor.predict(samples) == expected
    content = encode_wav(noise, 0, 1.3)
    for context in ("clip", "segment"):
        opened = predictor.predict(io.BytesIO(content), context=context)
        assert opened == predictor.predict(content, context=context)


def test_samples_of_another_rate_are_resampled(predictor):
    noise = make_noise(1.0)
    at_48_khz = encode_any_wav(np.repeat(noise, 3), 48_000, 32, code=3)
    assert predictor.predict(np.repeat(noise, 3), sample_rate=48_000) == predictor.predict(at_48_khz)
    assert predictor.predict(noise, sample_rate=16_000) == predictor.predict(noise)
    assert predictor.predict(np.repeat(noise, 3), sample_rate=48_000).duration_s == pytest.approx(1.0)


def test_a_prediction_is_named_after_its_source(predictor, tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(encode_wav(make_noise(1.0), 0, 1))
    with path.open("rb") as file:
        assert predictor.predict(file).file == predictor.predict(path).file == str(path)
    assert predictor.predict([0.0] * 800).file == "recording"


def test_each_channel_has_a_timeline_of_its_own(predictor):
    left, right = make_noise(1.3, seed=1), make_noise(1.3, seed=2)
    call = encode_any_wav(to_pcm16(np.stack([left, right], axis=1)), 16_000)
    alone = [encode_any_wav(to_pcm16(samples), 16_000) for samples in (left, right)]
    found = predictor.predict_channels(call, file="call.wav", context="segment")
    assert [p.channel for p in found] == [1, 2]
    assert {p.file for p in found} == {"call.wav"}
    for prediction, content, channel in zip(found, alone, (1, 2), strict=True):
        np.testing.assert_allclose(
            probabilities(prediction), probabilities(predictor.predict(content, context="segment")), atol=1e-6
        )
        assert predictor.predict(call, channel=channel, context="segment", file="call.wav") == prediction
        assert prediction.to_dict()["channel"] == channel
    assert "channel" not in predictor.predict(call).to_dict()
    with pytest.raises(AudioError, match="channel 3 was asked for"):
        predictor.predict(call, channel=3)
    with pytest.raises(SettingError, match="take one row"):
        predictor.predict(left, channel=1)


def test_apples_gpu_is_chosen_where_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for there, auto in ((False, "cpu"), (True, "mps")):
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda there=there: there)
        assert choose_device("auto") == auto
    assert choose_device("mps") == "mps"
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ModelError, match="no Apple GPU"):
        choose_device("mps")


class NoDoubles(TorchDispatchMode):
    """Refuse double precision, which Apple's GPU does not have."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        found = func(*args, **(kwargs or {}))
        tensors = [t for t in (found if isinstance(found, tuple | list) else [found]) if isinstance(t, torch.Tensor)]
        assert all(t.dtype != torch.float64 for t in tensors), func
        return found


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("kind", ["whisper", "wav2vec2", "hubert", "wavlm"])
def test_what_runs_on_the_device_needs_no_double_precision(kind, precision, monkeypatch):
    """Features, encoder and head run where the model is; the means over frames on the CPU where that is Apple's."""
    predictor = Predictor(tiny_model(kind), "tiny", precision=precision)
    encode, features, head = predictor._encode_batch, predictor._features, predictor.model.head.forward

    def checked(function):
        def call(*args):
            with NoDoubles():
                return function(*args)

        return call

    monkeypatch.setattr(predictor, "_encode_batch", checked(encode))
    monkeypatch.setattr(predictor, "_features", checked(features))
    monkeypatch.setattr(predictor.model.head, "forward", checked(head))
    for context in ("clip", "segment"):
        assert predictor.predict(make_noise(1.3), context=context).segments


def test_loading_shows_no_bar(capfd, tmp_path):
    tiny_model().save_pretrained(tmp_path)
    capfd.readouterr()
    Predictor.from_pretrained(tmp_path)
    assert capfd.readouterr() == ("", "")
