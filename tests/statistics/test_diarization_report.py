"""Reports of label over time: the numbers of the summary as JSON, as a table and as lines, and what is not known."""

import json
from dataclasses import replace

import pytest

from segser_core.runs.run import Run, read_run
from segser_core.statistics.diarization_difference import compare_share_of_time
from segser_core.statistics.diarization_report import (
    diarization_lines,
    diarization_records,
    diarization_table,
    diarization_to_json,
    share_of_time_difference_lines,
    share_of_time_difference_to_json,
)
from segser_core.statistics.emotion_diarization import DIARIZATION_MEASURES, diarization_by_context
from segser_core.statistics.report import report_json, report_text
from tests.support.changing_runs import write_changing_run
from tests.support.run_folders import RUN_LABELS, write_run_folder


@pytest.fixture
def runs(tmp_path) -> tuple[Run, Run]:
    """A good and a poor run on the same recordings of six speakers."""
    good = write_changing_run(tmp_path / "good", share_right=1.0)
    return read_run(good), read_run(write_changing_run(tmp_path / "poor", share_right=0.0, generator=1))


def test_json_holds_every_measure_with_its_intervals(runs):
    found = diarization_by_context(runs[0])
    told = json.loads(json.dumps(diarization_to_json(found, RUN_LABELS), allow_nan=False))
    assert list(told) == ["clip", "segment"]
    assert set(DIARIZATION_MEASURES) < set(told["clip"])
    of = found["clip"].share_of_time
    assert told["clip"]["share_of_time"] == {
        "value": of.value,
        "interval": [of.interval.low, of.interval.high],
        "by_speaker": [of.by_speaker.low, of.by_speaker.high],
    }
    assert set(told["clip"]["share_of_time_by_class"]) == set(RUN_LABELS)
    assert (told["clip"]["recordings"], told["clip"]["speakers"], told["clip"]["changes"]) == (12, 6, 12)
    assert told["clip"]["minutes"] == pytest.approx(12 * 4 / 60)
    assert diarization_to_json({}, RUN_LABELS) is None


def test_what_is_not_known_is_null_and_a_dash(runs):
    found = diarization_by_context(replace(runs[0], stretches=None))
    assert diarization_to_json(found, RUN_LABELS)["clip"]["ceiling"] is None
    assert diarization_records(found)[0]["ceiling"] is None
    (line,) = [line for line in diarization_lines(found, RUN_LABELS) if "ceiling" in line]
    assert line.split()[-2:] == ["–", "–"]
    table = diarization_table({"a": found["clip"]}, RUN_LABELS)
    assert table[table["measure"] == "ceiling"]["value"].isna().all()


def test_the_table_has_a_row_a_measure_and_a_class(runs):
    found = diarization_by_context(runs[0])
    table = diarization_table({f"good, {c}": of for c, of in found.items()}, RUN_LABELS)
    assert len(table) == 2 * (len(DIARIZATION_MEASURES) + len(RUN_LABELS))
    row = table[(table["run"] == "good, segment") & (table["label"] == "sad")].iloc[0]
    of = found["segment"].by_class[RUN_LABELS.index("sad")]
    assert (row["value"], row["low"], row["high_by_speaker"]) == (of.value, of.interval.low, of.by_speaker.high)


def test_report_of_one_run_shows_both_contexts(runs):
    text, told = report_text([runs[0]]), report_json([runs[0]])
    of = told["runs"][0]["when"]
    (line,) = [line for line in text.splitlines() if line.startswith("  share of time")]
    assert line.split()[3] == f"{100 * of['clip']['share_of_time']['value']:.1f}"
    assert f"{100 * of['segment']['share_of_time']['value']:.1f}" in line
    assert "12 recordings of 6 speakers, 0.8 min, whose emotion changes 12 times" in text
    assert "95 % by speaker" in text


def test_report_of_two_runs_shows_the_paired_difference(runs):
    text, told = report_text([*runs]), report_json([*runs])
    of = told["difference"]["when"]["clip"]
    assert of["difference"]["value"] > 0.1
    assert of["difference"]["p_value"] < 0.05
    assert of["by_speaker"]["interval"][0] > 0
    (line,) = [line for line in text.splitlines() if line.startswith("  in context")]
    assert line.split()[2] == f"{100 * of['difference']['value']:+.1f}"
    assert "paired on 12 recordings" in text


def test_runs_without_stretches_say_nothing_of_it(tmp_path, runs):
    plain = read_run(write_run_folder(tmp_path / "plain"))
    assert "label over time" not in report_text([plain])
    assert report_json([plain])["runs"][0]["when"] is None
    assert diarization_lines({}, RUN_LABELS) == []
    assert share_of_time_difference_lines(compare_share_of_time(plain, runs[0])) == []
    assert share_of_time_difference_to_json({}) is None
