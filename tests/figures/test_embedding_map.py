"""The figure of a map: looks of points, who they are, rings, and a sample where there are many."""

import base64

import numpy as np
import pandas as pd
import pytest

from segser_core.figures import embedding_map
from segser_core.figures.style import SYMBOLS, TEMPLATE
from segser_core.labels import LABELS, emotion_colour
from segser_core.runs.map_points import NOT_KNOWN

CLASSES = ("neutral", "happy", "sad", "angry")


def table(n: int = 40, **columns) -> pd.DataFrame:
    g = np.random.default_rng(0)
    label, predicted = g.choice(CLASSES, n), g.choice(CLASSES, n)
    known = {"utterance_id": [f"u{i}" for i in range(n)], "label": label, "predicted": predicted, "confidence": 0.5}
    right = np.where(label == predicted, "right", "wrong")
    return pd.DataFrame(known).assign(correct=right, duration_s=np.linspace(1, 5, n), **columns)


def drawn(values) -> list[float]:
    """Numbers of a trace, whether plotly has packed them or not."""
    if isinstance(values, dict):
        return np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"]).tolist()
    return np.asarray(values).tolist()


def opacities(trace) -> np.ndarray:
    return np.broadcast_to(trace.marker.opacity, len(trace.customdata))


def figure(by: str, rows: pd.DataFrame, **changes):
    places = np.random.default_rng(1).normal(size=(len(rows), 2))
    return embedding_map.map_figure(rows, places, by, changes.pop("method", "pca"), **changes), places


@pytest.mark.parametrize("by", ["label", "predicted"])
def test_each_emotion_has_its_colour_and_a_symbol_of_its_own_and_points_say_who_they_are(by):
    rows = table()
    found, places = figure(by, rows)
    *groups, _ = found.data
    assert [t.name for t in groups] == [c for c in LABELS if c in CLASSES]
    assert all(t.type == "scatter" for t in found.data)
    for trace in groups:
        assert trace.marker.color == emotion_colour(trace.name)
        assert trace.marker.symbol == SYMBOLS[LABELS.index(trace.name)]
        mine = rows[by] == trace.name
        assert [who[0] for who in trace.customdata] == list(rows.utterance_id[mine])
        assert {who[1] for who in trace.customdata} == {-1}
        assert drawn(trace.x) == pytest.approx(places[mine.to_numpy(), 0], abs=1e-6)
    assert len({t.marker.symbol for t in groups}) == len(CLASSES)


def test_points_of_segments_carry_index_and_bounds():
    rows = table(3, segment=[0, 1, 2], start_s=[0.0, 0.8, np.nan], end_s=[1.6, 2.4, np.nan])
    found, _ = figure("correct", rows.assign(correct="right"))
    assert [list(who)[:4] for who in found.data[0].customdata] == [
        ["u0", 0, 0, 1.6],
        ["u1", 1, 0.8, 2.4],
        ["u2", 2, None, None],
    ]


def test_right_and_wrong_differ_by_symbol_and_colour():
    found, _ = figure("correct", table())
    right, wrong, _ = found.data
    assert (right.name, wrong.name) == ("right", "wrong")
    assert right.marker.symbol != wrong.marker.symbol
    assert right.marker.color != wrong.marker.color


@pytest.mark.parametrize(("speakers", "shown"), [(10, 10), (16, 16), (30, 16)])
def test_speakers_each_have_a_look_of_their_own_and_of_many_the_rarest_share_one(speakers, shown):
    rows = table(300, speaker=[f"s{i % speakers:02}" for i in range(300)])
    *groups, _ = figure("speaker", rows)[0].data
    assert len({(t.marker.color, t.marker.symbol) for t in groups}) == len(groups) == shown
    assert (groups[-1].name == embedding_map.OTHERS) == (speakers > 16)
    assert sum(len(t.customdata) for t in groups) == 300


def test_a_speaker_that_is_not_known_is_said_to_be_so():
    *groups, _ = figure("speaker", table(4, speaker=["x", None, "y", np.nan]))[0].data
    assert [t.name for t in groups] == ["x", "y", NOT_KNOWN]


def test_duration_is_a_scale_with_its_unit_and_longer_clips_are_larger():
    trace = figure("duration", table())[0].data[0]
    assert "(s)" in trace.marker.colorbar.title.text
    assert trace.marker.colorscale[0][1] == "#00224e"
    assert np.all(np.diff(trace.marker.size) > 0)


def test_chosen_points_are_ringed_and_the_others_faint():
    rows = table()
    found, places = figure("label", rows, chosen=["u3", "u5", "elsewhere"])
    rings = found.data[-1]
    assert [who[0] for who in rings.customdata] == ["u3", "u5"]
    assert rings.marker.symbol == "circle-open"
    assert drawn(rings.y) == pytest.approx(places[[3, 5], 1], abs=1e-6)
    opacity = {who[0]: o for t in found.data[:-1] for who, o in zip(t.customdata, opacities(t), strict=True)}
    assert opacity["u3"] == opacity["u5"] > opacity["u4"]
    assert len(figure("label", rows)[0].data[-1].customdata) == 0
    alone = figure("label", rows, chosen=["u3"])[0].data
    assert len({trace.marker.opacity for trace in alone[:-1]}) == 1
    assert len(alone[-1].customdata) == 1


def test_a_sample_is_drawn_and_what_is_chosen_and_many_points_by_webgl(monkeypatch):
    rows = table(40)
    sample = np.arange(40) < 12
    *groups, rings = figure("label", rows, chosen=["u30"], sample=sample)[0].data
    assert sorted(who[0] for t in groups for who in t.customdata) == sorted(rows.utterance_id[sample])
    assert {who[0] for who in rings.customdata} == {"u30"}
    assert rings.type == "scatter"
    monkeypatch.setattr(embedding_map, "MOST_SAMPLED", 15)
    whole = figure("label", rows)[0].data
    assert sum(len(t.customdata) for t in whole[:-1]) == 40
    assert {t.type for t in whole} == {"scattergl"}


@pytest.mark.parametrize(("method", "name"), [("pca", "component 2 (no unit)"), ("umap", "UMAP 2 (no unit)")])
def test_axes_are_named_equal_and_without_ticks_and_the_look_is_that_of_all_figures(method, name):
    layout = figure("label", table(), method=method)[0].layout
    assert layout.yaxis.title.text == name
    assert not layout.yaxis.showticklabels
    assert layout.yaxis.scaleanchor == "x"
    assert layout.yaxis.scaleratio == 1
    assert layout.template == TEMPLATE
