"""Figures of runs: what is drawn, that clicks can tell what they hit, and that no run is told apart by colour alone."""

import numpy as np
import pandas as pd

from segser_core.figures import grids, scores
from segser_core.figures.style import TEMPLATE
from segser_core.labels import emotion_colour
from segser_core.runs.reaggregate import count_segments
from segser_core.statistics import tables
from segser_core.statistics.calibration import measure_calibration
from segser_core.statistics.scores import compare_predictions, summarise_scores


def test_each_class_has_its_colour_and_each_run_its_filling(two_runs, summaries):
    table = tables.recall_table(summaries)
    bars = [t for t in scores.recall_figure(table).data if t.type == "bar" and t.x[0] is not None]
    assert [bar.name for bar in bars] == [r.name for r in two_runs]
    for bar in bars:
        assert list(bar.marker.color) == [emotion_colour(c) for c in bar.y]
        for (row,), share in zip(bar.customdata, bar.x, strict=True):
            assert table.recall[row] == share
            assert table.run[row] == bar.name
    assert bars[0].marker.pattern.shape is None
    assert bars[1].marker.pattern.shape


def test_error_bars_reach_to_the_interval(summaries):
    table = tables.recall_table(summaries)
    bar = scores.recall_figure(table).data[0]
    own = table[table.run == bar.name]
    assert np.allclose(bar.x + bar.error_x.array, own.high)
    assert np.allclose(bar.x - bar.error_x.arrayminus, own.low)


def test_each_class_says_how_many_clips_it_has_and_one_without_any_says_so(two_runs, summaries):
    table = tables.recall_table(summaries)
    texts = scores.recall_figure(table).layout.yaxis.ticktext
    assert all(f"{n} clips" in text for n, text in zip(table.clips, texts, strict=False))
    of = two_runs[0].predictions
    without = {"x": summarise_scores(of[of.label != "sad"], two_runs[0].labels)}
    figure = scores.recall_figure(tables.recall_table(without))
    assert "no clip" in figure.data[1].text
    assert "0 clips" in figure.layout.yaxis.ticktext[-1]


def test_differences_are_drawn_in_points_around_a_marked_zero(two_runs):
    table = tables.difference_table(compare_predictions(*(r.predictions for r in two_runs), two_runs[0].labels))
    figure = scores.difference_figure(table, "a", "b")
    assert np.allclose(figure.data[0].x, 100 * table.difference)
    low, high = figure.layout.xaxis.range
    assert low == -high
    assert high > 100 * table.high.abs().max()
    assert figure.layout.shapes[0].x0 == 0
    assert "a minus b<br>(points)" in figure.layout.xaxis.title.text
    assert [row for (row,) in figure.data[0].customdata] == list(table.index)


def test_a_difference_that_nothing_is_known_of_can_be_drawn():
    table = pd.DataFrame({"label": ["sad"], "difference": [np.nan], "low": [np.nan], "high": [np.nan], "p_holm": [1]})
    assert "no clip" in scores.difference_figure(table, "a", "b").data[0].hovertext[0]


def test_calibration_is_drawn_by_bin_and_by_number_of_segments(two_runs):
    found = {r.name: measure_calibration(r.predictions, r.labels, count_segments(r)) for r in two_runs}
    lines = scores.reliability_figure(found).data
    assert [line.name for line in lines] == [r.name for r in two_runs]
    assert lines[0].marker.symbol != lines[1].marker.symbol
    assert lines[0].line.dash != lines[1].line.dash
    assert list(lines[0].y) == [b.accuracy for b in found[two_runs[0].name].bins if b.count]
    by_segments = scores.segment_count_figure(found).data
    assert len(by_segments) == 4
    assert by_segments[0].x[-1].endswith("+")
    assert list(by_segments[1].y) == [g.mean_confidence for g in found[two_runs[0].name].by_segments]


def test_every_axis_carries_its_quantity(two_runs, summaries):
    found = {r.name: measure_calibration(r.predictions, r.labels, count_segments(r)) for r in two_runs}
    first = summaries[two_runs[0].name]
    figures = [
        scores.recall_figure(tables.recall_table(summaries)),
        grids.confusion_figure(tables.confusion_table(first.pooled), two_runs[0].labels),
        scores.reliability_figure(found),
        scores.segment_count_figure(found),
    ]
    assert all(f.layout.xaxis.title.text and f.layout.template == TEMPLATE for f in figures)
