"""The page of maps: what it shows, says and keeps in its address, and what a choice on a map does."""

import shutil
import time
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from segser_core.errors import SettingError
from segser_core.labels import emotion_colour
from segser_core.runs import map_points
from segser_core.runs.run import read_run
from segser_core.statistics import projection
from tests.support.app_test import chart_spec, open_page, page_text, run_page
from tests.support.made_run import MADE_LABELS, make_runs


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    make_runs(folder, 200, sounds=200)
    return folder


@pytest.fixture(autouse=True)
def made_runs_listed(made, monkeypatch):
    monkeypatch.setenv("SEGSER_RUNS", str(made / "runs"))
    monkeypatch.delenv("SEGSER_CORPORA", raising=False)
    yield
    st.cache_resource.clear()


def page(**address: str) -> AppTest:
    return run_page(open_page("embeddings", **address))


def of_fold(made: Path, fold: int = 0) -> list[str]:
    rows = read_run(made / "runs" / "seg+tri-w").predictions
    return sorted(rows[rows.fold == fold].utterance_id)


def drawn(app: AppTest, place: int = 0) -> list[str]:
    """The utterances on a map, without those of its rings."""
    return [who[0] for trace in chart_spec(app, place)["data"][:-1] for who in trace["customdata"]]


def ringed(app: AppTest, place: int) -> set[str]:
    return {who[0] for who in chart_spec(app, place)["data"][-1].get("customdata", [])}


def pick(app: AppTest, ids: list[str]) -> AppTest:
    """What a choice on a map leaves behind."""
    app.session_state["map-picked"] = ids
    app.session_state["map-clip"] = ids[0]
    return run_page(app)


def test_two_runs_stand_beside_each_other_with_the_test_rows_of_one_fold(made):
    app = page()
    assert len(app.get("plotly_chart")) == 2
    assert not app.error
    for place in (0, 1):
        assert sorted(drawn(app, place)) == of_fold(made)
    traces = chart_spec(app, 0)["data"][:-1]
    assert {t["name"]: t["marker"]["color"] for t in traces} == {c: emotion_colour(c) for c in MADE_LABELS}
    for needed in ("not comparable", "can mislead", "distances between far clusters mean nothing"):
        assert needed in page_text(app)


def test_of_many_points_a_sample_is_drawn_until_all_are_asked_for(made, monkeypatch):
    monkeypatch.setattr(map_points, "MOST_SAMPLED", 20)
    st.cache_resource.clear()
    app = page()
    assert sorted(drawn(app, 0)) == sorted(drawn(app, 1))
    assert len(drawn(app)) == 20
    assert f"20 of {len(of_fold(made))} points, a sample" in page_text(app)
    app.segmented_control(key="map-points").set_value("all")
    assert sorted(drawn(run_page(app))) == of_fold(made)
    assert app.query_params["points"] in ("all", ["all"])


def test_another_fold_shows_other_clips_and_is_in_the_address(made):
    app = page(fold="2")
    assert sorted(drawn(app)) == of_fold(made, 2)
    box = next(s for s in app.selectbox if s.label == "Fold")
    box.set_value("3")
    assert sorted(drawn(run_page(app))) == of_fold(made, 3)
    assert app.query_params["fold"] in ("3", ["3"])


def test_separation_of_emotions_stands_beside_that_of_speakers_for_both_runs():
    table = page().dataframe[0].value
    assert list(table.run) == ["seg+tri-w"] * 2 + ["baseline"] * 2
    assert list(table.groups) == ["true emotions", "speakers"] * 2
    emotions, speakers = table[table.groups == "true emotions"], table[table.groups == "speakers"]
    assert (emotions.silhouette.to_numpy() > speakers.silhouette.to_numpy()).all()
    assert (emotions["ratio"] < 1).all()


def test_segments_are_points_of_their_own_with_bounds(made):
    app = page(what="segment", colour="correct")
    points = [who for trace in chart_spec(app)["data"][:-1] for who in trace["customdata"]]
    assert len(points) > len(of_fold(made))
    assert {who[0] for who in points} == set(of_fold(made))
    assert all(who[1] >= 0 and who[2] < who[3] for who in points)
    assert "Segments of one clip lie close" in page_text(app)


@pytest.mark.parametrize("colour", ["predicted", "correct", "speaker", "duration"])
def test_a_link_names_the_colour_and_a_choice_is_written_to_the_address(colour):
    app = page(colour=colour, other="none")
    box = next(s for s in app.selectbox if s.label == "Colour and symbol")
    assert box.value == colour
    assert len(app.get("plotly_chart")) == 1
    box.set_value("label")
    assert "colour" not in run_page(app).query_params


def test_the_clip_of_the_address_is_ringed_on_both_maps_and_its_rows_are_shown(made):
    clip = of_fold(made)[3]
    app = page(clip=clip)
    assert ringed(app, 0) == ringed(app, 1) == {clip}
    rows = app.dataframe[0].value
    assert list(rows.run) == ["seg+tri-w", "baseline"]
    assert {"label", "predicted", "confidence"} <= set(rows)
    assert "say below where" in page_text(app)
    assert not app.get("audio")


def test_a_clip_that_is_not_here_is_said_and_the_rest_goes_on(made):
    app = page(clip="lost")
    assert any("lost" in w.value for w in app.warning)
    assert len(app.get("plotly_chart")) == 2


def test_choosing_by_name_does_what_a_click_does(made, monkeypatch):
    monkeypatch.setenv("SEGSER_CORPORA", str(made / "corpora"))
    app = page()
    assert not app.get("audio")
    box = next(s for s in app.selectbox if s.label == "Clip")
    box.set_value(of_fold(made)[5])
    run_page(app)
    assert ringed(app, 0) == ringed(app, 1) == {of_fold(made)[5]}
    assert app.query_params["clip"] in (of_fold(made)[5], [of_fold(made)[5]])
    assert app.get("audio")[0].proto.autoplay


def test_a_segment_is_heard_from_its_start_to_its_end(made, monkeypatch):
    monkeypatch.setenv("SEGSER_CORPORA", str(made / "corpora"))
    rows = read_run(made / "runs" / "seg+tri-w").segments
    clip = rows[(rows.segment == 1) & rows.utterance_id.isin(of_fold(made))].utterance_id.iloc[0]
    app = page(what="segment", clip=clip)
    app.segmented_control(key="map-segment").set_value(1)
    run_page(app)
    assert app.dataframe[0].value.start_s.unique().tolist() == [1.4]
    assert "1.40 to" in app.get("audio")[0].proto.alt


def test_several_are_ringed_in_both_and_open_in_mistakes(made):
    ids = of_fold(made)[:4]
    app = pick(page(), ids)
    assert ringed(app, 0) == ringed(app, 1) == set(ids)
    assert any("Open these 4 clips in Mistakes" in b.label for b in app.button)
    assert next(s for s in app.selectbox if s.label.startswith("Clip")).options == ids


def without_vectors(made: Path, folder: Path) -> Path:
    shutil.copytree(made / "runs", folder / "runs")
    (folder / "runs" / "baseline" / "embeddings.npz").unlink()
    return folder / "runs"


def test_a_run_without_vectors_says_what_is_missing_and_the_other_is_shown(made, tmp_path, monkeypatch):
    monkeypatch.setenv("SEGSER_RUNS", str(without_vectors(made, tmp_path)))
    app = page()
    assert "embeddings.npz" in app.info[0].value
    assert len(app.get("plotly_chart")) == 1
    app = page(run="baseline", other="none")
    assert "choose another run" in app.info[0].value
    assert not app.get("plotly_chart")


def test_damaged_vectors_say_so_and_the_other_run_is_shown(made, tmp_path, monkeypatch):
    runs = without_vectors(made, tmp_path)
    (runs / "baseline" / "embeddings.npz").write_bytes(b"PK no archive")
    monkeypatch.setenv("SEGSER_RUNS", str(runs))
    app = page()
    assert "is damaged" in app.error[0].value
    assert len(app.get("plotly_chart")) == 1


def until(app: AppTest, ready) -> AppTest:
    deadline = time.monotonic() + 60
    while not ready(app) and time.monotonic() < deadline:
        time.sleep(0.05)
        run_page(app)
    assert ready(app)
    return app


def test_pca_is_there_while_umap_is_made_once_and_takes_its_place(monkeypatch):
    made_for, go_on = [], []

    def slow(vectors, seed=0, progress=None):
        progress(0.4)
        while not go_on:
            time.sleep(0.01)
        made_for.append(len(vectors))
        return projection.project_pca(vectors)[:, ::-1]

    monkeypatch.setattr(projection, "project_umap", slow)
    app = page(method="umap")
    assert "component 1" in app.get("plotly_chart")[0].proto.spec
    until(app, lambda a: any("40 %" in e.proto.text for e in a.get("progress")))
    go_on.append(True)
    until(app, lambda a: all("UMAP 1" in chart.proto.spec for chart in a.get("plotly_chart")))
    assert not app.get("progress")
    assert len(made_for) == 2
    assert "UMAP 1" in page(method="umap").get("plotly_chart")[0].proto.spec
    assert len(made_for) == 2  # another visitor


def test_a_umap_that_cannot_be_made_says_why_and_pca_stays(monkeypatch):
    def refuse(vectors, seed=0, progress=None):
        raise SettingError("all 40 points are the same")

    monkeypatch.setattr(projection, "project_umap", refuse)
    app = until(page(method="umap"), lambda a: a.warning)
    assert "all 40 points are the same" in app.warning[0].value
    assert len(app.warning) == 1
    assert "component 1" in app.get("plotly_chart")[0].proto.spec
