"""The figure of floor, share of time and ceiling: its numbers, and runs and contexts that lack some."""

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from segser_core.figures.label_over_time import share_of_time_figure
from segser_core.formatting import percent
from segser_core.runs.run import read_run
from segser_core.statistics.bootstrap import NO_INTERVAL
from segser_core.statistics.emotion_diarization import DiarizationEstimate, diarization_by_context
from tests.support.changing_runs import write_changing_run


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    skills = {"good": 0.9, "poor": 0.3}
    return {name: diarization_by_context(read_run(write_changing_run(folder / name, s))) for name, s in skills.items()}


def named(figure: go.Figure, name: str) -> list:
    return [trace for trace in figure.data if trace.name == name]


def test_each_context_and_run_has_a_row_with_its_share_between_floor_and_ceiling(found):
    figure = share_of_time_figure(found)
    bands = named(figure, "floor to ceiling")
    places = {}
    for name, band in zip(found, bands, strict=True):
        (marks,) = named(figure, name)
        assert list(band.y) == list(marks.y)
        for i, of in enumerate(found[name].values()):
            assert band.base[i] == of.floor.value
            assert band.base[i] + band.x[i] == pytest.approx(of.ceiling.value)
            assert marks.x[i] == of.share_of_time.value
            assert marks.text[i] == f"<b>{percent(of.share_of_time.value)}</b>"
            assert marks.x[i] + marks.error_x.array[i] == pytest.approx(of.share_of_time.interval.high)
        places[name] = list(marks.y)
    assert sorted(places["good"] + places["poor"]) == [0.0, 1.0, 2.35, 3.35]
    assert list(figure.layout.yaxis.ticktext) == ["<b>in context</b> ", "<b>in isolation</b> "]
    assert list(figure.layout.yaxis.tickvals) == [0.5, 2.85]


def test_the_legend_names_the_band_once_and_each_run(found):
    shown = [trace.name for trace in share_of_time_figure(found).data if trace.showlegend is not False]
    assert shown == ["floor to ceiling", "good", "poor"]
    symbols = [named(share_of_time_figure(found), name)[0].marker.symbol for name in found]
    assert len(set(symbols)) == 2  # told apart without colour


def test_numbers_of_floor_and_ceiling_stand_clear_of_the_interval(found):
    of = replace(found["good"]["clip"], floor=DiarizationEstimate(0.5, NO_INTERVAL, None))
    texts = next(t for t in share_of_time_figure({"a": {"clip": of}}).select_traces(selector={"mode": "text"}))
    assert list(texts.text) == ["50.0", percent(of.ceiling.value)]
    assert texts.x[0] < min(0.5, of.share_of_time.interval.low)
    assert texts.x[1] > max(of.ceiling.value, of.share_of_time.interval.high)


def test_without_a_ceiling_or_an_interval_what_is_known_is_drawn(found):
    nothing = DiarizationEstimate(np.nan, NO_INTERVAL, None)
    share = DiarizationEstimate(0.6, NO_INTERVAL, None)
    of = replace(found["good"]["clip"], ceiling=nothing, share_of_time=share)
    figure = share_of_time_figure({"a": {"clip": of}})
    (marks,) = named(figure, "a")
    assert (marks.error_x.array[0], marks.error_x.arrayminus[0]) == (0, 0)
    texts = next(t for t in figure.select_traces(selector={"mode": "text"}))
    assert list(texts.text) == [percent(of.floor.value)]
    assert "95 %" not in marks.hovertext[0]
    figure.to_json()


def test_a_context_that_one_run_lacks_is_a_row_of_the_other(found):
    figure = share_of_time_figure({"good": {"clip": found["good"]["clip"]}, "poor": found["poor"]})
    assert list(named(figure, "good")[0].y) == [0.0]
    assert list(named(figure, "poor")[0].y) == [1.0, 2.35]
