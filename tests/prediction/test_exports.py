"""Every format is read back with the library that its users read it with."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from praatio import textgrid
from pympi.Elan import Eaf

from segser_core.inference.batch import write_prediction
from segser_core.prediction.exports import (
    EXPORTS,
    build_tiers,
    escape_for_xml,
    split_into_tiers,
    to_csv,
    to_dataframe,
    to_elan,
    to_json,
    to_parquet,
    to_textgrid,
)
from tests.support.predictions import PREDICTION_LABELS, SEGMENT_BOUNDS_S, SEGMENT_PROBABILITIES, make_prediction

ODD_NAMES = ['<script>alert("1")</script>', "a\nb, 'c'.wav", "ä 😀.flac", "=1+1.wav", "-x.wav", '""', "intervals [1]"]


def read_textgrid(text, tmp_path):
    """Tier name → its labelled intervals, as praatio reads them."""
    path = Path(tmp_path, "x.TextGrid")
    path.write_text(text, encoding="utf-8")
    grid = textgrid.openTextgrid(str(path), includeEmptyIntervals=False)
    assert grid.minTimestamp == 0
    return {name: [(e.start, e.end, e.label) for e in grid.getTier(name).entries] for name in grid.tierNames}


def read_elan(text, tmp_path):
    """Tier name → its annotations in milliseconds, as pympi reads them."""
    path = Path(tmp_path, "x.eaf")
    path.write_text(text, encoding="utf-8")
    document = Eaf(path)
    return {name: document.get_annotation_data_for_tier(name) for name in document.get_tier_names()}


def test_tiers_by_hand():
    assert [(t.name, t.intervals) for t in build_tiers(make_prediction())] == [
        ("utterance", ((0.0, 6.5, "happy"),)),
        ("segments even", ((0.0, 2.8, "angry"), (2.8, 5.6, "sad"))),
        ("segments odd", ((1.4, 4.2, "happy"),)),
        ("segments last", ((3.7, 6.5, "sad"),)),
        ("emotion", ((0.0, 1.4, "angry"), (1.4, 4.2, "happy"), (4.2, 6.5, "sad"))),
    ]


def test_without_a_flush_segment_its_tier_is_empty():
    names = {
        t.name: len(t.intervals) for t in build_tiers(make_prediction(bounds=SEGMENT_BOUNDS_S[:3], duration_s=6.5))
    }
    assert names == {"utterance": 1, "segments even": 2, "segments odd": 1, "segments last": 0, "emotion": 4}


def test_a_lone_segment_is_even():
    names = {t.name: len(t.intervals) for t in build_tiers(make_prediction(bounds=((0.0, 1.0),), duration_s=1.0))}
    assert names == {"utterance": 1, "segments even": 1, "segments odd": 0, "segments last": 0, "emotion": 1}


def test_denser_segments_take_more_tiers():
    bounds = [(i * 0.5, i * 0.5 + 1.4) for i in range(4)]
    assert split_into_tiers(make_prediction(bounds=bounds).segments) == 3
    found = build_tiers(make_prediction(bounds=bounds, duration_s=9.0))
    names = ["segments 1 of 3", "segments 2 of 3", "segments 3 of 3", "segments last", "emotion"]
    assert [t.name for t in found[1:]] == names
    assert [len(t.intervals) for t in found[1:-1]] == [2, 1, 1, 0]


def test_textgrid_reads_back(tmp_path):
    found = read_textgrid(to_textgrid(make_prediction()), tmp_path)
    assert found == {t.name: list(t.intervals) for t in build_tiers(make_prediction())}


def test_textgrid_fills_its_gaps():
    """Praat wants every tier covered from 0 to the end."""
    lines = to_textgrid(make_prediction()).splitlines()
    assert [line.strip() for line in lines if "intervals: size" in line] == [
        "intervals: size = 1",
        "intervals: size = 3",
        "intervals: size = 3",
        "intervals: size = 2",
        "intervals: size = 3",
    ]
    assert sum(line.strip() == "xmax = 6.5" for line in lines) == 1 + 5 + 5


def test_elan_reads_back_in_milliseconds(tmp_path):
    found = read_elan(to_elan(make_prediction()), tmp_path)
    assert found == {
        t.name: [(round(1000 * a), round(1000 * b), label) for a, b, label in t.intervals]
        for t in build_tiers(make_prediction())
    }


def test_elan_names_the_recording_beside_it(tmp_path):
    path = tmp_path / "x.eaf"
    path.write_text(to_elan(make_prediction()), encoding="utf-8")
    (media,) = Eaf(path).get_linked_files()
    assert media["MEDIA_URL"] == "clips/one.wav"
    assert media["RELATIVE_MEDIA_URL"] == "./one.wav"
    assert media["MIME_TYPE"] == "audio/x-wav"


def test_csv_has_a_row_a_segment_and_every_digit():
    frame = pd.read_csv(io.StringIO(to_csv([make_prediction()])))
    assert list(frame.columns) == [
        "file", "index", "start_s", "end_s", "label", "confidence", "p_angry", "p_happy", "p_sad"]  # fmt: skip
    assert len(frame) == 4
    assert list(frame["label"]) == ["angry", "happy", "sad", "sad"]
    assert tuple(frame.iloc[3][["p_angry", "p_happy", "p_sad"]]) == SEGMENT_PROBABILITIES[3]
    assert frame["confidence"][3] == SEGMENT_PROBABILITIES[3][2]


def test_json_is_one_list_with_numbers_as_they_are():
    found = json.loads(to_json([make_prediction(), make_prediction("two.wav")]))
    assert found == [
        {**p.to_dict(), "labels": list(PREDICTION_LABELS)} for p in (make_prediction(), make_prediction("two.wav"))
    ]
    assert found[0]["segments"][3]["probabilities"]["sad"] == SEGMENT_PROBABILITIES[3][2]
    assert found[0]["warnings"]


def test_parquet_holds_the_frame():
    found = pd.read_parquet(io.BytesIO(to_parquet([make_prediction(), make_prediction("two.wav")])))
    pd.testing.assert_frame_equal(found, to_dataframe([make_prediction(), make_prediction("two.wav")]))


def test_models_of_other_classes_leave_gaps():
    frame = to_dataframe([make_prediction(), make_prediction("b.wav", labels=("bored", "sad", "calm"))])
    assert list(frame.columns[6:]) == ["p_angry", "p_happy", "p_sad", "p_bored", "p_calm"]
    assert frame["p_angry"].isna().tolist() == [False] * 4 + [True] * 4
    assert frame["p_sad"].notna().all()


@pytest.mark.parametrize("name", ["json", "csv", "parquet"])
def test_nothing_is_a_valid_file_too(name):
    assert EXPORTS[name].content([]) is not None
    assert json.loads(to_json([])) == []
    assert to_csv([]).startswith("file,index,start_s,end_s,label,confidence")


@pytest.mark.parametrize("odd", ODD_NAMES)
def test_odd_names_survive_every_format(odd, tmp_path):
    labels = (odd, "other", "third")
    p = make_prediction(file=odd, labels=labels)
    assert json.loads(to_json([p]))[0]["file"] == odd
    assert pd.read_parquet(io.BytesIO(to_parquet([p])))["file"][0] == odd
    row = pd.read_csv(io.StringIO(to_csv([p])), keep_default_na=False).iloc[0]
    assert row["file"].removeprefix("./") == odd
    assert row["label"].removeprefix("'") == odd
    assert read_elan(to_elan(p), tmp_path)["segments even"][0][2] == odd
    assert f"p_{odd}" in to_dataframe([p])


@pytest.mark.parametrize("odd", ['so "called"', "<b>", "a\nb", "ä 😀", "=1", '""'])
def test_odd_labels_survive_a_textgrid(odd, tmp_path):
    found = read_textgrid(to_textgrid(make_prediction(labels=(odd, "other", "third"))), tmp_path)
    assert found["segments even"][0] == (0.0, 2.8, odd)


@pytest.mark.parametrize("begins", "=+-@")
def test_no_cell_of_a_csv_is_a_formula(begins):
    p = make_prediction(file=f"{begins}cmd.wav", labels=(f"{begins}one", "two", "three"))
    row = pd.read_csv(io.StringIO(to_csv([p]))).iloc[0]
    assert row["file"] == f"./{begins}cmd.wav"
    assert row["label"] == f"'{begins}one"


def test_what_no_file_can_hold_is_escaped(tmp_path):
    """A name of undecodable bytes, as Python has it, and control characters."""
    assert escape_for_xml("a\udce4\x1b[0m\r\x00é\n") == "a\\udce4\\x1b[0m\\r\\x00é\n"
    p = make_prediction(file="a\udce4\x00.wav", labels=("x\x1b", "other", "third"))
    for export in EXPORTS.values():
        content = export.content([p])
        assert isinstance(content, bytes) or content.encode("utf-8")
    assert read_elan(to_elan(p), tmp_path)["segments even"][0][2] == "x\\x1b"
    assert json.loads(to_json([p]))[0]["file"] == p.file


def test_the_table_of_formats():
    assert {name: e.ending for name, e in EXPORTS.items()} == {
        "json": ".json", "csv": ".csv", "parquet": ".parquet", "textgrid": ".TextGrid", "elan": ".eaf"}  # fmt: skip
    assert EXPORTS["textgrid"].content([make_prediction()]) == to_textgrid(make_prediction())


def test_times_of_a_third_of_a_second_stay_apart(tmp_path):
    """Neighbours in a tier share a bound that no decimal fraction holds."""
    bounds = tuple((i / 3, (i + 2) / 3) for i in range(4))
    p = make_prediction(bounds=bounds, duration_s=9.0)
    for found in (read_textgrid(to_textgrid(p), tmp_path), read_elan(to_elan(p), tmp_path)):
        even = found["segments even"]
        assert len(even) == 2
        assert even[0][1] == even[1][0]


@pytest.mark.parametrize("file", ["in/a b.wav", "a.wav", "tiers/deep/a.wav"])
def test_links_of_elan_lead_to_the_recording_from_where_the_file_lies(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    Path(file).write_bytes(b"sound")
    Path("tiers").mkdir(exist_ok=True)
    for given in (file, str(tmp_path / file)):
        write_prediction(replace(make_prediction(), file=given), "elan", Path("tiers", "x.eaf"))
        (media,) = Eaf(Path("tiers", "x.eaf")).get_linked_files()
        assert Path(media["MEDIA_URL"].removeprefix("file://")).read_bytes() == b"sound"
        assert Path("tiers", media["RELATIVE_MEDIA_URL"]).read_bytes() == b"sound"
        assert media["RELATIVE_MEDIA_URL"].startswith(("./", "../"))


def test_a_chosen_channel_is_a_column(tmp_path):
    frame = to_dataframe([replace(make_prediction(), channel=c, track=1) for c in (1, 2)])
    assert list(frame.columns[:4]) == ["file", "channel", "track", "index"]
    half = len(frame) // 2
    assert frame.channel.tolist() == [1] * half + [2] * half


def test_a_byte_order_mark_on_request(tmp_path):
    for bom in (False, True):
        write_prediction(make_prediction(), "csv", tmp_path / "a.csv", bom)
        assert (tmp_path / "a.csv").read_bytes().startswith(b"\xef\xbb\xbffile," if bom else b"file,")
