"""One label a turn: its probabilities are those of the mean of its frames, however the recording passes through."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from praatio import textgrid
from pympi.Elan import Eaf
from typer.testing import CliRunner

from segser_core.cli import app
from segser_core.errors import TurnsError
from segser_core.inference import batch
from segser_core.prediction.exports import to_csv, to_dataframe, to_elan, to_textgrid
from segser_core.prediction.turns import as_turns
from tests.support.audio_files import encode_any_wav, make_noise, make_tone, to_pcm16
from tests.support.networks import NoisePredictor, tiny_model


@pytest.fixture(params=["whisper", "wav2vec2"])
def predictor(request):
    return NoisePredictor(tiny_model(request.param, system="seg"), "tiny", "cpu")


def values(segment):
    return np.array(list(segment.probabilities.values()))


def by_hand(predictor, waveform, first, stop):
    """The head on the mean of some frames of a recording that passes at once."""
    features = predictor.model.encoder.features(torch.from_numpy(waveform))
    with torch.no_grad():
        frames = predictor.model.encoder(features[None], torch.tensor([len(features)]))[0]
        return predictor.model.head(frames[first:stop].mean(dim=0)).softmax(-1).numpy()


def test_a_turn_is_the_head_on_the_mean_of_its_frames(predictor):
    waveform = make_noise(2.005)
    spans = [(0.0, 0.3), (0.31, 1.234), (1.5, 2.005), (1.0, 1.001)]
    got = predictor.predict(waveform, turns=spans)
    assert [(t.index, t.start_s) for t in got.turns] == [(0, 0.0), (1, 0.31), (2, 1.0), (3, 1.5)]
    frames = {0.0: (0, 15), 0.31: (16, 62), 1.0: (50, 51), 1.5: (75, None)}
    for turn in got.turns:
        np.testing.assert_allclose(values(turn), by_hand(predictor, waveform, *frames[turn.start_s]), atol=1e-6)


@pytest.mark.parametrize("context", ["clip", "segment"])
@pytest.mark.parametrize("seconds", [1.0, 1.007, 2.019])
def test_a_turn_of_a_segment_s_span_says_what_the_segment_says(predictor, seconds, context):
    waveform = make_noise(seconds)
    segments = predictor.predict(waveform, context=context).segments
    turns = predictor.predict(waveform, context=context, turns=[(s.start_s, s.end_s) for s in segments]).turns
    for segment, turn in zip(segments, turns, strict=True):
        np.testing.assert_allclose(values(turn), values(segment), atol=1e-5)


def test_the_whole_recording_as_a_turn_is_the_utterance(predictor):
    for seconds in (0.5, 1.0, 1.0101, 1.0199, 2.0049):
        got = predictor.predict(make_noise(seconds), turns=[(0, seconds)])
        np.testing.assert_allclose(values(got.turns[0]), list(got.utterance.values()), atol=1e-6)


@pytest.fixture(params=["whisper", "wav2vec2"])
def short_windows(request):
    """Windows of 3 s, so that what is longer is streamed; their seams lie at 2.5 and 4.5 s."""
    return NoisePredictor(tiny_model(request.param, system="seg", window_frames=150), "tiny", "cpu")


def test_turns_of_a_streamed_recording_are_exact_across_windows(short_windows):
    """A turn over both seams is the weighted mean of its parts: the head is linear."""
    turns = as_turns([(2, 5), (2, 2.5), (2.5, 4.5), (4.5, 5), (6.99, 7)])
    encoded = short_windows.encode(make_noise(7), turns=turns)
    whole, parts = encoded.turn_means[0], encoded.turn_means[1:4]
    weights = torch.tensor([0.5, 2, 0.5]) / 3
    torch.testing.assert_close(whole, (parts * weights[:, None]).sum(dim=0), atol=1e-5, rtol=1e-4)
    assert encoded.turns[-1].end_s == 7


def test_a_long_turn_in_isolation_passes_in_windows(short_windows):
    predictor, waveform = short_windows, make_noise(7)
    got = predictor.predict(waveform, context="segment", turns=[(0, 7), (3, 3.5)])
    alone = predictor.predict(waveform[48_000 : 48_000 + 8_000 + 80 * (predictor.model.encoder.overhang_samples > 0)])
    np.testing.assert_allclose(values(got.turns[0]), list(got.utterance.values()), atol=1e-5)
    np.testing.assert_allclose(values(got.turns[1]), list(alone.utterance.values()), atol=1e-5)


def test_turns_that_are_not_of_the_recording_are_refused(predictor, tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("start,end\n0,0.5\n0.5,3\n4,5\n")
    for context in ("clip", "segment"):
        with pytest.raises(TurnsError, match=r"^t.csv, line 3: the turn of 0.5 to 3 s lies beyond .* lasts 1.00 s"):
            predictor.predict(make_noise(1.0), turns=file, context=context)
    with pytest.raises(TurnsError, match="cannot be opened"):
        predictor.predict(make_noise(1.0), turns=tmp_path / "none.csv")


def test_short_turns_are_said(predictor):
    assert predictor.predict(make_noise(1.0), turns=[(0, 0.1), (0.2, 1.0)]).warnings[-1].startswith("1 of 2 turns is")


@pytest.fixture
def talk(predictor):
    turns = [(0.0, 0.5, "Anna"), (0.4, 0.9, "Anna"), (0.5, 1.0, "Ben")]
    return predictor.predict(make_noise(1.0), file="talk.wav", turns=turns)


def test_every_export_holds_the_turns(talk, tmp_path):
    found = json.loads(json.dumps(talk.to_dict()))["turns"]
    assert [(t["index"], t["speaker"], t["start_s"], t["label"]) for t in found] == [
        (t.index, t.speaker, t.start_s, t.label) for t in talk.turns
    ]
    assert found[0]["probabilities"] == talk.turns[0].probabilities
    table = to_dataframe([talk])
    rows = table[table["unit"] == "turn"]
    assert rows["speaker"].tolist() == ["Anna", "Anna", "Ben"]
    assert rows["p_sad"].tolist() == [t.probabilities["sad"] for t in talk.turns]
    assert (table["unit"] == "segment").sum() == len(talk.segments)
    (tmp_path / "t.TextGrid").write_text(to_textgrid(talk))
    grid = textgrid.openTextgrid(str(tmp_path / "t.TextGrid"), includeEmptyIntervals=False)
    expected = {"turns Anna": [(0.0, 0.5)], "turns Anna-2": [(0.4, 0.9)], "turns Ben": [(0.5, 1.0)]}
    for name, spans in expected.items():
        assert [(e.start, e.end) for e in grid.getTier(name).entries] == spans
    (tmp_path / "t.eaf").write_text(to_elan(talk))
    (only,) = Eaf(str(tmp_path / "t.eaf")).get_annotation_data_for_tier("turns Ben")
    assert only[:2] == (500, 1000)
    assert only[2] == talk.turns[2].label


def test_without_turns_the_exports_are_as_before(predictor):
    p = predictor.predict(make_noise(1.0))
    assert p.turns is None
    assert "turns" not in p.to_dict()
    assert to_csv([p]).startswith("file,index,start_s,end_s,label,confidence,p_neutral")
    assert "turns" not in to_textgrid(p)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    from segser_core.audio.waveform import encode_wav

    model = NoisePredictor(tiny_model("wav2vec2", system="seg"), "tiny", "cpu")
    monkeypatch.setattr(batch, "load_predictor", lambda job: model)
    for name in ("rec/one.wav", "rec/sub/two.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(encode_wav(make_noise(1.0), 0, 1.0))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def analyze(*arguments):
    return CliRunner().invoke(app, ["analyze", *map(str, arguments)])


def speakers(result):
    return {entry["file"]: [t["speaker"] for t in entry["turns"]] for entry in json.loads(result.stdout)}


def test_a_folder_of_turns_files_with_the_recordings_stems(folder):
    (folder / "turns" / "sub").mkdir(parents=True)
    (folder / "turns" / "one.rttm").write_text("SPEAKER any 1 0 0.5 <NA> <NA> A <NA> <NA>\n")
    (folder / "turns" / "sub" / "two.CSV").write_text("start,end,speaker\n0,1,B\n")
    result = analyze("rec", "--turns", "turns", "--format", "json")
    assert result.exit_code == 0
    assert speakers(result) == {"rec/one.wav": ["A"], "rec/sub/two.wav": ["B"]}
    (folder / "turns" / "sub" / "two.CSV").unlink()
    (folder / "turns" / "other.srt").write_text("")
    result = analyze("rec", "--turns", "turns", "--format", "json")
    assert result.exit_code == 1
    assert list(speakers(result)) == ["rec/one.wav"]
    assert "rec/sub/two.wav: turns/sub holds no turns file for it; expected one of two.csv" in result.stderr
    assert "turns: the turns of turns/other.srt are of no recording given" in result.stderr


def test_a_csv_with_a_column_file(folder):
    (folder / "t.csv").write_text("file,start,end,speaker\none,0,0.5,A\nsub/two.wav,0.5,1,B\nthree.wav,0,1,C\n")
    result = analyze("rec", "--turns", "t.csv", "--format", "json")
    assert speakers(result) == {"rec/one.wav": ["A"], "rec/sub/two.wav": ["B"]}
    assert "t.csv: the turns of three.wav are of no recording given" in result.stderr
    result = analyze("rec/one.wav", "--turns", "t.csv", "--out", "out", "--format", "parquet")
    assert result.exit_code == 0
    assert pd.read_parquet("out/one.parquet")["speaker"].unique().tolist() == ["", "A"]
    (folder / "rec" / "sub" / "one.wav").write_bytes((folder / "rec" / "one.wav").read_bytes())
    result = analyze("rec", "--turns", "t.csv", "--format", "json")
    assert list(speakers(result)) == ["rec/sub/two.wav"]
    assert result.stderr.count("t.csv names one, and 2 recordings have that name") == 2


def test_turns_without_a_name_are_of_each_channel_of_one_recording(folder):
    (folder / "t.csv").write_text("start,end,speaker\n0,0.5,A\n")
    tone = make_tone(16_000)
    (folder / "call.wav").write_bytes(encode_any_wav(to_pcm16(np.stack([tone, 0.5 * tone], axis=1)), 16_000))
    result = analyze("call.wav", "--turns", "t.csv", "--channel", "each", "--format", "json")
    assert result.exit_code == 0, result.stderr
    assert [(p["channel"], [t["speaker"] for t in p["turns"]]) for p in json.loads(result.stdout)] == [
        (1, ["A"]),
        (2, ["A"]),
    ]


def test_bad_turns_are_one_line(folder):
    (folder / "t.csv").write_text("start,end\n0,500\n500,900\n")
    result = analyze("rec/one.wav", "--turns", "t.csv")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("t.csv: line 2: the turn of 0 to 500 s, all in whole numbers, may be in milliseco")
    (folder / "t.csv").write_text("start,end\n0,0.5\n0.7,1.4\n")
    result = analyze("rec/one.wav", "--turns", "t.csv", "--format", "json")
    assert (result.exit_code, result.stdout) == (1, "[]\n")
    assert result.stderr.startswith("rec/one.wav: t.csv, line 3: the turn of 0.7 to 1.4 s lies beyond the recording")
    result = analyze("rec", "--turns", "t.csv")
    assert result.exit_code == 2
    assert "names no recording, and 2 are to be analysed; give a folder" in result.stderr
    assert analyze("rec", "--turns", "none.csv").exit_code == 2
    assert analyze("rec", "--turns-tier", "A").exit_code == 2
