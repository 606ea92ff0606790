"""Segments without speech decide nothing, are marked in every export, and can be kept."""

import csv
import io
import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from praatio import textgrid
from pympi.Elan import Eaf
from typer.testing import CliRunner

from segser_core.audio.loading import load_audio
from segser_core.audio.waveform import encode_wav
from segser_core.bundled import BUNDLED
from segser_core.cli import app
from segser_core.errors import SettingError
from segser_core.inference.long_audio import HeardMean
from segser_core.inference.predictor import Predictor
from segser_core.inference.speech_watch import NO_SPEECH_FOUND
from segser_core.network.segments import Windows
from segser_core.prediction.exports import EXPORTS, to_dataframe
from segser_core.prediction.rules import AGGREGATES
from segser_core.prediction.timeline import find_disagreements, label_over_time

PAUSE_S = 5.0


@pytest.fixture(scope="module", params=["baseline", "seg+tri-w"])
def predictor(request):
    return Predictor.from_pretrained(request.param, "cpu")


@pytest.fixture(scope="module")
def sample():
    return load_audio(BUNDLED / "sample.flac")


@pytest.fixture(scope="module", params=["zeros", "quiet noise"])
def paused(request, sample):
    """Speech, a pause of 5 s, and speech again."""
    noise = np.random.default_rng(0).standard_normal(int(PAUSE_S * 16_000)) * 1e-3
    pause = (noise * (request.param == "quiet noise")).astype(np.float32)
    return np.concatenate([sample, pause, sample])


def spans_of(prediction, heard):
    return [(s.start_s, s.end_s) for s in prediction.segments if s.is_heard == heard]


def values(probabilities):
    return np.array(list(probabilities.values()))


def test_segments_within_a_pause_are_marked_and_those_of_speech_are_not(predictor, paused, sample):
    p = predictor.predict(paused)
    start_s = len(sample) / 16_000
    within = [s for s in p.segments if s.start_s >= start_s + 0.8 and s.end_s <= start_s + PAUSE_S - 0.8]
    assert within
    assert [s.speech for s in within] == [False] * len(within)
    clear = [s for s in p.segments if s.end_s <= start_s - 1.6 and s.start_s > 0]
    assert [s.speech for s in clear] == [True] * len(clear)


@pytest.mark.parametrize("rule", AGGREGATES)
def test_no_rule_takes_a_segment_without_speech(predictor, paused, rule):
    p = predictor.predict(paused, aggregate=rule)
    swapped = tuple(
        s if s.is_heard else replace(s, probabilities=dict.fromkeys(p.labels, 0.0) | {p.labels[-1]: 1.0})
        for s in p.segments
    )
    assert swapped != p.segments
    again = replace(p, segments=swapped).with_rule(rule)
    np.testing.assert_allclose(values(again.probabilities), values(p.probabilities), atol=1e-12)
    assert (again.label, again.deciding_segment) == (p.label, p.deciding_segment)


def test_the_recording_as_a_whole_is_the_mean_of_the_frames_in_speech(predictor, paused):
    p = predictor.predict(paused)
    assert len(paused) > 15 * 16_000  # so the frames come in windows
    kept = predictor.predict(paused, min_speech=0)
    assert not np.allclose(values(p.utterance), values(kept.utterance), atol=1e-6)
    with torch.inference_mode():
        frames = torch.cat(list(predictor._frames(iter_blocks(predictor, paused), None)))
    inside = np.zeros(len(frames), bool)
    for start_s, end_s in spans_of(p, heard=True):
        inside[round(start_s / 0.02) : len(inside) if end_s == p.duration_s else round(end_s / 0.02)] = True
    with torch.inference_mode():
        expected = predictor._probabilities(frames[inside].double().mean(dim=0).float())
    np.testing.assert_allclose(values(p.utterance), expected, atol=1e-5)


def iter_blocks(predictor, waveform):
    step = (predictor.window_frames - 2 * (predictor.window_frames // 6)) * 320
    return iter([waveform[i : i + step] for i in range(0, len(waveform), step)])


@pytest.mark.parametrize("crop", [None, 7, 90, 10_000])
@pytest.mark.parametrize(("frames", "stride"), [(8, 4), (10, 3), (7, 7), (5, 1)])
def test_the_mean_of_what_is_heard_is_that_of_a_slow_loop(frames, stride, crop):
    rng = np.random.default_rng(frames * 100 + stride)
    windows = Windows(frames, stride)
    for n in (1, frames, frames + 1, 57, 130):
        given = torch.from_numpy(rng.standard_normal((n, 3)))
        cuts = sorted({0, n, *rng.integers(0, n + 1, 4).tolist()})
        mean = HeardMean(windows, crop)
        assert torch.equal(torch.cat(list(mean.watch(given[a:b] for a, b in pairwise(cuts)))), given)
        bounds = windows.bounds(n)
        kept = [b for b in bounds if rng.random() < 0.4] or bounds[-1:]
        inside = {i for start, end in kept for i in range(start, end)}
        among_first = {i for i in inside if i < (crop or n)}
        expected = given[sorted(among_first or inside)].mean(dim=0)
        torch.testing.assert_close(mean.over(kept), expected)


def test_the_label_over_time_is_empty_within_the_pause(predictor, paused, sample):
    p = predictor.predict(paused)
    inside = len(sample) / 16_000 + PAUSE_S / 2
    assert not any(s.start_s <= inside <= s.end_s for s in label_over_time(p))
    assert any(s.start_s <= 1.0 <= s.end_s for s in label_over_time(p))
    other = replace(p, segments=tuple(replace(s, speech=True) for s in p.segments))
    assert not any(start <= inside <= end for start, end in find_disagreements(p, other))


def test_every_export_says_so(predictor, paused, sample):
    p = replace(predictor.predict(paused), file="a.wav")
    told = [s.speech for s in p.segments]
    assert {*told} == {True, False}
    assert [s["speech"] for s in json.loads(EXPORTS["json"].content([p]))[0]["segments"]] == told
    rows = list(csv.DictReader(io.StringIO(EXPORTS["csv"].content([p]))))
    assert [row["speech"] for row in rows] == [str(each) for each in told]
    assert pd.read_parquet(io.BytesIO(EXPORTS["parquet"].content([p]))).speech.tolist() == told
    grid = tiers_of_textgrid(EXPORTS["textgrid"].content([p]))
    document = open_eaf(EXPORTS["elan"].content([p]))
    middle = len(sample) / 16_000 + PAUSE_S / 2
    for name in ("segments even", "segments odd", "emotion"):
        assert [label for start, end, label in grid[name] if start <= middle < end] == [""]
        assert {a[2] for a in document.get_annotation_data_at_time(name, int(1000 * middle))} <= {""}


def tiers_of_textgrid(text, folder=None):
    from tempfile import NamedTemporaryFile

    with NamedTemporaryFile("w", suffix=".TextGrid", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        grid = textgrid.openTextgrid(file.name, includeEmptyIntervals=True)
    return {name: [(e.start, e.end, e.label) for e in grid.getTier(name).entries] for name in grid.tierNames}


def open_eaf(text):
    from tempfile import NamedTemporaryFile

    with NamedTemporaryFile("w", suffix=".eaf", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        return Eaf(file.name)


@pytest.mark.parametrize("context", ["clip", "segment"])
def test_a_recording_without_speech_says_so_and_is_exported(predictor, context):
    p = predictor.predict(np.zeros(4 * 16_000, np.float32) + 1e-3, context=context)
    assert p.warnings[0] == NO_SPEECH_FOUND
    assert (p.label, p.confidence, p.probabilities) == ("", 0.0, {})
    assert not any(s.speech for s in p.segments)
    assert label_over_time(p) == ()
    for rule in AGGREGATES:
        assert p.with_rule(rule).label == ""
    for export in EXPORTS.values():
        assert export.content([replace(p, file="a.wav")])
    assert not to_dataframe([p]).speech.any()


def test_a_word_in_a_long_silence_is_not_called_no_speech(predictor, sample):
    word = np.concatenate([np.zeros(48_000, np.float32), sample[16_000:19_200], np.zeros(48_000, np.float32)])
    p = predictor.predict(word, min_speech=0.9)
    assert p.label == ""
    shown = p.to_dict()
    assert shown["speech"] is False
    assert sum(shown["probabilities"].values()) == pytest.approx(1)
    assert shown["confidence"] == shown["probabilities"][shown["label"]] == max(shown["probabilities"].values())
    assert p.warnings[0].startswith("Only 0.")
    assert "less than 90% of any segment" in p.warnings[0]
    assert predictor.predict(word, min_speech=0.1).label


def test_a_share_of_0_keeps_all_segments(predictor, paused):
    p = predictor.predict(paused, min_speech=0)
    assert all(s.speech for s in p.segments)
    encoded = predictor.encode(paused)
    np.testing.assert_array_equal(values(p.probabilities), values(predictor.classify(encoded, "x").probabilities))


def test_evaluation_does_not_tell_speech_from_the_rest(predictor, paused):
    """`encode` as training and evaluation call it: every segment counts, and nothing is marked."""
    encoded = predictor.encode(paused)
    assert encoded.speech is None
    p = predictor.classify(encoded, "x")
    assert {s.speech for s in p.segments} == {None}
    assert "speech" not in p.to_dict()["segments"][0]
    assert "speech" not in to_dataframe([p])


def test_all_segments_of_speech_give_the_same_as_before(predictor, sample):
    told, kept = predictor.predict(sample), predictor.predict(sample, min_speech=0)
    assert all(s.speech for s in told.segments)
    assert told == kept


def test_a_turn_in_a_pause_is_marked(predictor, paused, sample):
    start_s = len(sample) / 16_000
    p = predictor.predict(paused, turns=[(0.5, 2.5, "Anna"), (start_s + 1, start_s + 3, "Ben")])
    assert [turn.speech for turn in p.turns] == [True, False]
    assert [turn["speech"] for turn in p.to_dict()["turns"]] == [True, False]
    grid = tiers_of_textgrid(EXPORTS["textgrid"].content([p]))
    assert grid["turns Anna"][1][2] == p.turns[0].label
    assert {label for _, _, label in grid["turns Ben"]} == {""}


def test_the_answer_repeats_bit_for_bit(predictor, paused):
    assert predictor.predict(paused) == predictor.predict(paused)


@pytest.mark.parametrize("share", [-0.5, 2, float("nan")])
def test_a_share_beyond_0_to_1_is_refused(predictor, sample, share):
    with pytest.raises(SettingError, match="share of speech"):
        predictor.predict(sample, min_speech=share)


def test_the_command_says_no_speech_and_keeps_on_request(tmp_path):
    file = tmp_path / "hum.wav"
    file.write_bytes(encode_wav(0.1 * np.sin(np.arange(64_000) * 0.1).astype(np.float32), 0, 4))
    run = CliRunner().invoke(app, ["analyze", str(file), "--device", "cpu"])
    assert run.exit_code == 0
    first, *lines = run.stdout.splitlines()
    assert first.startswith(f"{file}: no speech  (4.00 s")
    assert f"  note: {NO_SPEECH_FOUND}" in lines
    assert sum(line.endswith("no speech") for line in lines) == 4
    kept = CliRunner().invoke(app, ["analyze", str(file), "--device", "cpu", "--min-speech", "0", "--format", "json"])
    (found,) = json.loads(kept.stdout)
    assert found["label"] in found["labels"]
    assert [s["speech"] for s in found["segments"]] == [True] * 4
    assert CliRunner().invoke(app, ["analyze", str(file), "--min-speech", "1.5"]).exit_code == 2
