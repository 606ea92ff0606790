"""Grids of cells: that clicks can tell what they hit, shares and counts, and text that can be read on every shade."""

import numpy as np
import pandas as pd
import pytest

from segser_core.figures import grids
from segser_core.statistics import recall_by_group, tables


def luminance(rgb: np.ndarray) -> float:
    linear = np.where(rgb / 255 <= 0.04045, rgb / 255 / 12.92, ((rgb / 255 + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def contrast(one: np.ndarray, two: np.ndarray) -> float:
    light, dark = sorted((luminance(one), luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_cells_tell_their_row_and_hold_share_and_count(two_runs, summaries):
    table = tables.confusion_table(summaries[two_runs[0].name].pooled)
    cells = grids.confusion_figure(table, two_runs[0].labels).data[0]
    places = {label: i for i, label in enumerate(two_runs[0].labels)}
    for (row,), base, text, y in zip(cells.customdata, cells.base, cells.text, cells.y, strict=True):
        assert table.label[row] == y
        assert places[table.predicted[row]] == pytest.approx(base + 0.48)
        n = table.clips[row]
        assert text == (f"{100 * table.share[row]:.0f}<br>{n}" if n else "")
    framed = [a == b for a, b in zip(table.label, table.predicted, strict=True)]
    assert [w > 0 for w in cells.marker.line.width] == framed


def test_groups_of_one_run_and_the_difference_of_two(two_runs):
    one, two = (recall_by_group.recall_by_group(r.predictions, r.labels, ("speaker",)) for r in two_runs)
    cells = grids.recall_grid_figure(one, two_runs[0].labels).data[0]
    assert cells.text[0] == f"{100 * one.recall[0]:.0f}<br>{one.clips[0]}"
    between = grids.recall_grid_figure(one, two_runs[0].labels, two).data[0]
    value = 100 * (one.recall[0] - two.recall[0])
    assert between.text[0] == f"{value:+.0f}<br>{one.clips[0]}".replace("-", "−")
    assert len({c.split(",")[0] for c in between.marker.color}) == 2  # one colour ahead, another behind


def test_a_group_without_a_clip_is_told_from_one_in_which_none_was_found():
    rows = pd.DataFrame({"label": ["sad", "happy"], "predicted": ["happy", "happy"], "speaker": ["A", "B"]})
    cells = grids.recall_grid_figure(
        recall_by_group.recall_by_group(rows, ("sad", "happy"), ("speaker",)), ("sad", "happy")
    )
    assert list(cells.data[0].text) == ["0<br>1", "–", "–", "100<br>1"]


@pytest.mark.parametrize(("page", "ink"), [("#FFFFFF", "#1C2429"), ("#12181C", "#E8EDF0")], ids=["light", "dark"])
@pytest.mark.parametrize("value", [-1.0, -0.5, 0.0, 0.3, 0.7, 1.0])
def test_the_pages_text_is_legible_on_every_shade(page, ink, value):
    ground, text = (np.array([int(c[i : i + 2], 16) for i in (1, 3, 5)]) for c in (page, ink))
    *rgb, alpha = (float(v) for v in grids._shade(value)[5:-1].split(","))
    assert contrast(alpha * np.array(rgb) + (1 - alpha) * ground, text) >= 4.5
