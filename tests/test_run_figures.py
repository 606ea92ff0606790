"""Figures of runs: what is drawn, that clicks can tell what they hit, and that no run is told apart by colour alone."""

import numpy as np
import pandas as pd
import pytest

from segser_core import breakdown, run_figures
from segser_core.aggregation import segments_per_clip
from segser_core.calibration import calibrate
from segser_core.labels import colour_of
from segser_core.runs import read_run
from segser_core.scores import compare, summarise
from tests.made_run import made_runs


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return tuple(read_run(place) for place in made_runs(tmp_path_factory.mktemp("made"), 300))


@pytest.fixture(scope="module")
def summaries(pair):
    return {r.name: summarise(r.predictions, r.labels) for r in pair}


def luminance(rgb: np.ndarray) -> float:
    linear = np.where(rgb / 255 <= 0.04045, rgb / 255 / 12.92, ((rgb / 255 + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def contrast(one: np.ndarray, two: np.ndarray) -> float:
    light, dark = sorted((luminance(one), luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_each_class_has_its_colour_and_each_run_its_filling(pair, summaries):
    table = breakdown.recall_table(summaries)
    bars = [t for t in run_figures.recall_figure(table).data if t.type == "bar" and t.x[0] is not None]
    assert [bar.name for bar in bars] == [r.name for r in pair]
    for bar in bars:
        assert list(bar.marker.color) == [colour_of(c) for c in bar.y]
        for (row,), share in zip(bar.customdata, bar.x, strict=True):
            assert table.recall[row] == share and table.run[row] == bar.name
    assert bars[0].marker.pattern.shape is None and bars[1].marker.pattern.shape


def test_error_bars_reach_to_the_interval(summaries):
    table = breakdown.recall_table(summaries)
    bar = run_figures.recall_figure(table).data[0]
    own = table[table.run == bar.name]
    assert np.allclose(bar.x + bar.error_x.array, own.high) and np.allclose(bar.x - bar.error_x.arrayminus, own.low)


def test_each_class_says_how_many_clips_it_has_and_one_without_any_says_so(pair, summaries):
    table = breakdown.recall_table(summaries)
    texts = run_figures.recall_figure(table).layout.yaxis.ticktext
    assert all(f"{n} clips" in text for n, text in zip(table.clips, texts, strict=False))
    of = pair[0].predictions
    without = {"x": summarise(of[of.label != "sad"], pair[0].labels)}
    figure = run_figures.recall_figure(breakdown.recall_table(without))
    assert "no clip" in figure.data[1].text and "0 clips" in figure.layout.yaxis.ticktext[-1]


def test_differences_are_drawn_in_points_around_a_marked_zero(pair):
    table = breakdown.difference_table(compare(*(r.predictions for r in pair), pair[0].labels))
    figure = run_figures.difference_figure(table, "a", "b")
    assert np.allclose(figure.data[0].x, 100 * table.difference)
    low, high = figure.layout.xaxis.range
    assert low == -high and high > 100 * table.high.abs().max()
    assert figure.layout.shapes[0].x0 == 0 and "a minus b (points)" in figure.layout.xaxis.title.text
    assert [row for (row,) in figure.data[0].customdata] == list(table.index)


def test_a_difference_that_nothing_is_known_of_can_be_drawn():
    table = pd.DataFrame({"label": ["sad"], "difference": [np.nan], "low": [np.nan], "high": [np.nan], "p_holm": [1]})
    assert "no clip" in run_figures.difference_figure(table, "a", "b").data[0].hovertext[0]


def test_cells_tell_their_row_and_hold_share_and_count(pair, summaries):
    table = breakdown.confusion_table(summaries[pair[0].name].pooled)
    cells = run_figures.confusion_figure(table, pair[0].labels).data[0]
    places = {label: i for i, label in enumerate(pair[0].labels)}
    for (row,), base, text, y in zip(cells.customdata, cells.base, cells.text, cells.y, strict=True):
        assert table.label[row] == y and places[table.predicted[row]] == pytest.approx(base + 0.48)
        n = table.clips[row]
        assert text == (f"{100 * table.share[row]:.0f}<br>{n}" if n else "")
    framed = [a == b for a, b in zip(table.label, table.predicted, strict=True)]
    assert [w > 0 for w in cells.marker.line.width] == framed


def test_groups_of_one_run_and_the_difference_of_two(pair):
    one, two = (breakdown.breakdown(r.predictions, r.labels, ("speaker",)) for r in pair)
    cells = run_figures.breakdown_figure(one, pair[0].labels).data[0]
    assert cells.text[0] == f"{100 * one.recall[0]:.0f}<br>{one.clips[0]}"
    between = run_figures.breakdown_figure(one, pair[0].labels, two).data[0]
    value = 100 * (one.recall[0] - two.recall[0])
    assert between.text[0] == f"{value:+.0f}<br>{one.clips[0]}".replace("-", "−")
    assert len({c.split(",")[0] for c in between.marker.color}) == 2  # one colour ahead, another behind


def test_a_group_without_a_clip_is_told_from_one_in_which_none_was_found():
    rows = pd.DataFrame({"label": ["sad", "happy"], "predicted": ["happy", "happy"], "speaker": ["A", "B"]})
    cells = run_figures.breakdown_figure(breakdown.breakdown(rows, ("sad", "happy"), ("speaker",)), ("sad", "happy"))
    assert list(cells.data[0].text) == ["0<br>1", "–", "–", "100<br>1"]


@pytest.mark.parametrize(("page", "ink"), [("#FFFFFF", "#1C2429"), ("#12181C", "#E8EDF0")], ids=["light", "dark"])
@pytest.mark.parametrize("value", [-1.0, -0.5, 0.0, 0.3, 0.7, 1.0])
def test_the_pages_text_is_legible_on_every_shade(page, ink, value):
    ground, text = (np.array([int(c[i : i + 2], 16) for i in (1, 3, 5)]) for c in (page, ink))
    *rgb, alpha = (float(v) for v in run_figures._shade(value)[5:-1].split(","))
    assert contrast(alpha * np.array(rgb) + (1 - alpha) * ground, text) >= 4.5


def test_calibration_is_drawn_by_bin_and_by_number_of_segments(pair):
    found = {r.name: calibrate(r.predictions, r.labels, segments_per_clip(r)) for r in pair}
    lines = run_figures.reliability_figure(found).data
    assert [line.name for line in lines] == [r.name for r in pair]
    assert lines[0].marker.symbol != lines[1].marker.symbol and lines[0].line.dash != lines[1].line.dash
    assert list(lines[0].y) == [b.accuracy for b in found[pair[0].name].bins if b.count]
    by_segments = run_figures.by_segments_figure(found).data
    assert len(by_segments) == 4 and by_segments[0].x[-1].endswith("+")
    assert list(by_segments[1].y) == [g.mean_confidence for g in found[pair[0].name].by_segments]


def test_every_axis_carries_its_quantity(pair, summaries):
    found = {r.name: calibrate(r.predictions, r.labels, segments_per_clip(r)) for r in pair}
    first = summaries[pair[0].name]
    figures = [
        run_figures.recall_figure(breakdown.recall_table(summaries)),
        run_figures.confusion_figure(breakdown.confusion_table(first.pooled), pair[0].labels),
        run_figures.reliability_figure(found),
        run_figures.by_segments_figure(found),
    ]
    assert all(f.layout.xaxis.title.text and f.layout.paper_bgcolor == "rgba(0,0,0,0)" for f in figures)
