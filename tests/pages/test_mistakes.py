"""The page of mistakes, on made-up runs and on the bundled ones, without a browser."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.clips import clip_list
from pages.shared.recording import player
from pages.shared.runs.filter_address import filter_from_address, filter_to_address
from segser_core.audio.waveform import encode_wav
from segser_core.runs.clip_filter import ClipFilter, filter_clips, sort_clips
from segser_core.runs.clip_table import clip_table
from segser_core.runs.run import read_run
from segser_core.runs.writing import write_run
from tests.support.app_test import chart_spec, open_page, page_text, run_page
from tests.support.made_run import make_runs

RUNS = {"run": "seg+tri-w", "other": "baseline"}


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    make_runs(folder, 300, sounds=300)
    return folder


@pytest.fixture(autouse=True)
def made(original, tmp_path, monkeypatch) -> Path:
    """The made runs for one test, to write notes beside; the sound stays where it is."""
    shutil.copytree(original / "runs", tmp_path / "runs")
    monkeypatch.setenv("SEGSER_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("SEGSER_NOTES", str(tmp_path / "own notes"))
    monkeypatch.delenv("SEGSER_CORPORA", raising=False)
    return tmp_path


@pytest.fixture
def table(made):
    first, second = (read_run(made / "runs" / name) for name in RUNS.values())
    return clip_table(first, None, second)


def page(**address: str) -> AppTest:
    return run_page(open_page("mistakes", **address))


def shown(app: AppTest) -> list[str]:
    return app.dataframe[0].value.utterance_id.tolist()


def put(app: AppTest, widget, value) -> AppTest:
    widget.set_value(value)
    return run_page(app)


def address(app: AppTest) -> dict[str, str]:
    values = {name: app.query_params[name] for name in app.query_params}
    return {name: v[0] if isinstance(v, list) else v for name, v in values.items()}


def press(app: AppTest, label: str) -> AppTest:
    next(b for b in app.button if b.label == label).click()
    return run_page(app)


def test_it_opens_with_the_wrong_clips_the_most_confident_first(table):
    app = page()
    expected = sort_clips(filter_clips(table, ClipFilter(correct=False)), "surest")
    assert shown(app) == expected.utterance_id.tolist()
    assert f"**{len(expected)}** of 300 clips: the wrong ones, the most confident first" in page_text(app)
    assert address(app)["correct"] == "false"
    assert not app.subheader


def test_a_link_reopens_run_rule_filter_order_and_clip(table, made):
    wanted = ClipFilter(label="sad", predicted="neutral", shortest_s=5.5, session="1")
    expected = sort_clips(filter_clips(table, wanted), "longest").utterance_id.tolist()
    link = {**RUNS, "aggregate": "own", **filter_to_address(wanted), "sort": "longest", "clip": expected[2]}
    app = page(**link)
    assert shown(app) == expected
    assert app.subheader[0].value.replace("\\", "") == expected[2]
    assert address(app) == link
    assert shown(page(**address(app))) == expected
    assert f"clip 3 of {len(expected)}" in page_text(app)


def test_each_control_changes_the_filter_and_the_address(table):
    app = page()
    put(app, app.selectbox(key="filter-label"), "sad")
    put(app, app.selectbox(key="filter-predicted"), "neutral")
    put(app, app.number_input(key="filter-shortest_s"), 6.0)
    put(app, app.number_input(key="filter-most_confidence"), 0.9)
    put(app, app.selectbox(key="filter-style"), "scripted")
    wanted = ClipFilter("sad", "neutral", False, style="scripted", shortest_s=6.0, most_confidence=0.9)
    assert sorted(shown(app)) == sorted(filter_clips(table, wanted).utterance_id)
    assert filter_from_address(address(app)) == wanted
    put(app, app.selectbox(key="filter-label"), None)
    assert "label" not in address(app)


@pytest.mark.parametrize("who", ["this", "other", "both", "either"])
def test_only_one_of_the_two_runs_is_wrong(table, who):
    app = page(**RUNS)
    put(app, app.selectbox(key="filter-which"), who)
    assert sorted(shown(app)) == sorted(filter_clips(table, ClipFilter(wrong=who)).utterance_id)
    assert address(app)["wrong"] == who
    assert "correct" not in address(app)


def test_all_clips_is_a_link_of_its_own():
    app = page()
    press(app, "Clear filters")
    assert len(shown(app)) == 300
    assert address(app)["correct"] == "all"
    assert len(shown(page(**address(app)))) == 300


def test_clear_can_be_undone():
    app = page(label="sad", longest_s="4.0")
    before = shown(app)
    press(app, "Clear filters")
    assert len(shown(app)) == 300
    press(app, "Undo")
    assert shown(app) == before
    assert address(app)["longest_s"] == "4.0"


def test_a_filter_from_another_page_is_taken_over_once_and_picked_clips_are_a_chip(table):
    app = open_page("mistakes", label="happy")
    picked = tuple(table.utterance_id[:12])
    app.session_state["filter"] = ClipFilter(ids=picked)
    run_page(app)
    assert sorted(shown(app)) == sorted(picked)
    assert "filter" not in app.session_state
    assert "12 picked clips" in [b.label for b in app.button]
    press(app, "12 picked clips")
    assert len(shown(app)) == 300


def test_more_picked_clips_than_a_link_can_carry_are_said_to_be_left_out(table):
    app = open_page("mistakes")
    app.session_state["filter"] = ClipFilter(ids=tuple(table.utterance_id[:150]))
    run_page(app)
    assert len(shown(app)) == 150
    assert "ids" not in address(app)
    assert "cannot carry more than 100" in page_text(app)


def test_nothing_left_names_what_leaves_nothing_and_takes_it_away():
    app = page(label="sad", style="sung")
    assert not app.dataframe
    assert "What leaves none: **style sung**" in app.info[0].value
    press(app, "Take that away")
    assert len(shown(app)) > 10
    assert "style" not in address(app)
    app = page(label="sad", style="sung")
    press(app, "Clear all filters")
    assert len(shown(app)) == 300


def test_previous_and_next_walk_in_the_order_chosen_to_both_ends(table):
    app = page(label="sad", sort="shortest", predicted="angry")
    ids = shown(app)
    assert len(ids) > 2
    steps = ["Open the first clip", *["Next clip"] * (len(ids) - 1)]
    for label, expected in zip(steps, ids, strict=True):
        assert address(press(app, label))["clip"] == expected
    assert next(b for b in app.button if b.label == "Next clip").disabled
    assert address(press(app, "Previous clip"))["clip"] == ids[-2]


def test_keys_are_given_to_the_steps():
    steps = {b.label: b.proto.shortcut for b in page().button}
    assert steps["Open the first clip"].lower() == "j"
    assert steps["Previous clip"].lower() == "k"


def test_an_open_clip_shows_both_models_their_labels_and_the_segment_that_decided(table):
    row = sort_clips(filter_clips(table, ClipFilter(wrong="this")), "longest").iloc[0]
    app = page(**RUNS, clip=row.utterance_id)
    metrics = {m.label: m.value for m in app.metric}
    assert metrics["True class"] == row.label
    assert metrics["seg+tri-w hears"] == f"{row.predicted} {row.confidence:.2f} ✗"
    assert metrics["baseline hears"] == f"{row.other_predicted} {row.other_confidence:.2f} ✓"
    drawn = chart_spec(app)
    titles = [note["text"] for note in drawn["layout"]["annotations"]]
    assert {"<b>seg+tri-w</b>", "<b>baseline</b>"} <= set(titles)
    (first, *_) = (t for t in drawn["data"] if t["type"] == "bar" and any("★" in x for x in t.get("text", [])))
    starred = next(c for c, text in zip(first["customdata"], first["text"], strict=True) if "★" in text)
    assert starred[1:] == [row.surest_from_s, row.surest_to_s]


def test_without_sound_there_is_no_waveform_and_the_way_to_it_is_said(table):
    app = page(clip=table.utterance_id[0])
    titles = [axis.get("title", {}).get("text") for name, axis in chart_spec(app)["layout"].items() if "yaxis" in name]
    assert "amplitude" not in titles
    assert "probability" in titles
    assert not app.get("audio")
    assert "To hear clips, say below where iemocap is" in page_text(app)


def test_with_sound_a_clip_is_heard_and_its_loudness_said(table, original):
    app = page(clip=table.utterance_id[0])
    put(app, app.text_input(key="corpora"), str(original / "corpora"))
    assert app.get("audio")
    assert "has a level of −17 dB" in page_text(app)
    titles = [axis.get("title", {}).get("text") for name, axis in chart_spec(app)["layout"].items() if "yaxis" in name]
    assert "amplitude" in titles


def test_of_a_stretch_only_the_stretch_is_heard_and_its_place_is_said(made, table, original, monkeypatch):
    monkeypatch.setenv("SEGSER_CORPORA", str(original / "corpora"))
    played = []
    monkeypatch.setattr(
        player, "encode_wav", lambda samples, *span: played.append(len(samples)) or encode_wav(samples, *span)
    )
    page(clip=table.utterance_id[0])
    file = made / "runs" / "seg+tri-w" / "predictions.parquet"
    frame = pd.read_parquet(file)
    frame["clip_start_s"], frame["clip_end_s"] = 0.25, 0.75
    frame.to_parquet(file)
    app = page(clip=table.utterance_id[0])
    assert played[0] > 8000
    assert played[-1] == 8000
    assert "0.25–0.75 s of " in page_text(app)


def test_the_shown_clips_are_measured_when_asked(original, monkeypatch):
    monkeypatch.setenv("SEGSER_CORPORA", str(original / "corpora"))
    app = page(label="sad", predicted="angry")
    n = len(shown(app))
    press(app, f"Measure the loudness of {n} clips")
    found = app.dataframe[0].value
    assert found.level_db.between(-18, -16).all()
    assert (found.silent_share == 0).all()
    assert not any(b.label.startswith("Measure") for b in app.button)


def test_a_clip_that_is_not_there_is_said_and_one_outside_the_filter_is_shown(table):
    assert "has no test clip nobody" in page(clip="nobody").warning[0].value.replace("\\", "")
    right = filter_clips(table, ClipFilter(correct=True)).utterance_id.iloc[0]
    app = page(clip=right, correct="false")
    assert app.subheader
    assert "none of those above" in page_text(app)


def test_a_note_is_saved_beside_the_run_exported_and_undone(made, table):
    file, clip = made / "runs" / "seg+tri-w.notes.json", table.utterance_id[0]
    app = page(clip=clip, ids=clip)
    put(app, app.text_area[0], "laughs")
    put(app, app.multiselect[0], ["noise"])
    saved = json.loads(file.read_text())[clip]
    assert (saved["note"], saved["tags"]) == ("laughs", ["noise"])
    assert app.dataframe[0].value[["note", "tags"]].iloc[0].tolist() == ["laughs", "noise"]
    again = page(clip=clip)
    assert again.text_area[0].value == "laughs"
    assert again.multiselect[0].value == ["noise"]
    press_key(app, "undo-note")
    assert json.loads(file.read_text())[clip]["tags"] == []
    assert app.multiselect[0].value == []
    assert app.text_area[0].value == "laughs"


def press_key(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click()
    return run_page(app)


def test_what_cannot_be_saved_stays_in_the_field_until_it_can(made, table):
    file, clips = made / "runs" / "seg+tri-w.notes.json", table.utterance_id[:2].tolist()
    file.write_text("{broken")
    app = page(clip=clips[0], ids=" ".join(clips), sort="name")
    assert any("mend it, or move it away" in e.value.replace("\\", "") for e in app.error)
    put(app, app.text_area[0], "typed")
    assert any("Not saved" in e.value for e in app.error)
    assert file.read_text() == "{broken"
    press(app, "Next clip")
    assert app.text_area[0].value == ""
    press(app, "Previous clip")
    assert app.text_area[0].value == "typed"
    file.unlink()
    press(app, "Save again")
    assert json.loads(file.read_text())[clips[0]]["note"] == "typed"
    assert not app.error


def test_two_sessions_keep_one_anothers_notes_and_see_a_change_of_the_same_one(made, table):
    file, (a, b) = made / "runs" / "seg+tri-w.notes.json", table.utterance_id[:2]
    one, two = page(clip=a), page(clip=b)
    put(one, one.text_area[0], "of one")
    put(two, two.text_area[0], "of two")
    assert {k: v["note"] for k, v in json.loads(file.read_text()).items()} == {a: "of one", b: "of two"}
    three = page(clip=a)
    put(three, three.text_area[0], "of three")
    put(one, one.text_area[0], "of one, again")
    assert "of three" in next(e.value for e in one.error)
    assert one.text_area[0].value == "of one, again"
    press(one, "Save again")
    assert json.loads(file.read_text())[a]["note"] == "of one, again"
    assert run_page(three).text_area[0].value == "of one, again"


def test_notes_of_a_bundled_run_are_in_a_folder_of_ones_own(made, monkeypatch):
    monkeypatch.delenv("SEGSER_RUNS")
    app = press(page(**RUNS), "Open the first clip")
    clip = address(app)["clip"]
    put(app, app.text_area[0], "mine")
    assert json.loads((made / "own notes" / "seg+tri-w.notes.json").read_text())[clip]["note"] == "mine"


def test_textgrids_of_the_selection_are_made_and_offered(made):
    app = page(label="sad", predicted="angry")
    n = len(shown(app))
    offered = [b.label for b in app.get("download_button")]
    assert offered == [f"CSV of all {n} rows"]
    press(app, f"Make {n} files")
    assert [b.label for b in app.get("download_button")][1:] == ["Download ZIP: TextGrid (Praat)"]
    put(app, app.selectbox(key="filter-label"), "happy")
    assert len(app.get("download_button")) == 1


def test_the_cut_clip_is_asked_of_bundled_models(shared, made, monkeypatch):
    monkeypatch.delenv("SEGSER_RUNS")
    monkeypatch.setenv("SEGSER_CORPORA", str(shared / "data"))
    app = press(page(**RUNS), "Open the first clip")
    assert app.get("audio")
    put(app, app.toggle(key="cut"), True)
    cuts = app.dataframe[1].value
    assert list(cuts.columns) == ["seg+tri-w", "baseline"]
    assert list(cuts.index) == [
        "whole clip",
        "first 3 s",
        "last 3 s",
    ]
    metrics = {m.label: m.value for m in app.metric}
    assert cuts.loc["whole clip"].tolist() == [metrics["seg+tri-w hears"], metrics["baseline hears"]]
    put(app, app.segmented_control(key="cut-seconds"), 2)
    assert list(app.dataframe[1].value.index) == ["whole clip", "first 2 s", "last 2 s"]


def test_runs_without_weights_say_so_when_a_cut_is_asked_for(original, table, monkeypatch):
    monkeypatch.setenv("SEGSER_CORPORA", str(original / "corpora"))
    app = page(**RUNS, clip=table.utterance_id[0])
    put(app, app.toggle(key="cut"), True)
    lines = [c.value.replace("\\", "") for c in app.caption]
    assert sum("comes without weights" in line for line in lines) == 2


def rewritten(made: Path, name: str, segments: bool, drop: list[str], **columns) -> None:
    """A made run's folder with less in it."""
    found = read_run(made / "runs" / name)
    predictions = found.predictions.drop(columns=drop).assign(**columns)
    meta = {key: value for key, value in found.meta.items() if key != "format"}
    kept = found.segments if segments else None
    write_run(found.path, meta=meta, config_yaml="{}\n", metrics={}, predictions=predictions, segments=kept)


def test_runs_without_segments_show_what_they_have(made, table):
    rewritten(made, "seg+tri-w", segments=False, drop=["duration_s", "text", "speaker", "path"])
    app = page(**RUNS, clip=table.utterance_id[0])
    assert {m.label for m in app.metric} == {"True class", "seg+tri-w hears", "baseline hears"}
    assert any("segments" in c.value for c in app.caption)
    assert app.get("plotly_chart")
    assert "duration_s" not in app.dataframe[0].value
    assert "longest" not in app.selectbox(key="mistakes-sort").options
    rewritten(made, "baseline", segments=False, drop=[])
    app = page(**RUNS, clip=table.utterance_id[0])
    assert app.metric
    assert not app.get("plotly_chart")
    assert "What leaves none: **10 s or longer**" in page(shortest_s="10").info[0].value


def test_a_run_of_several_seeds_opens_the_row_of_its_seed(made, table):
    found = read_run(made / "runs" / "seg+tri-w")
    both = [pd.concat([part, part.assign(seed=1)]) for part in (found.predictions, found.segments)]
    meta = {k: v for k, v in found.meta.items() if k != "format"} | {"seeds": [0, 1]}
    write_run(found.path, meta=meta, config_yaml="", metrics={}, predictions=both[0], segments=both[1])
    app = page(run="seg+tri-w", other="none", clip=table.utterance_id[0], clip_seed="1")
    assert address(app)["clip_seed"] == "1"
    assert app.subheader
    assert "one for each clip and each of 2 seeds" in page_text(app)
    put(app, app.selectbox(key="filter-seed"), 1)
    assert set(app.dataframe[0].value.seed if "seed" in app.dataframe[0].value else {1}) == {1}


def test_rater_agreement_is_a_column_where_the_corpus_has_it(made):
    agreement = np.linspace(0.4, 1, 300)
    rewritten(made, "seg+tri-w", segments=True, drop=[], agreement=agreement)
    assert "agreement" in page().dataframe[0].value


def test_the_table_holds_a_part_of_many_clips_and_says_so(made, monkeypatch):
    monkeypatch.setattr(clip_list, "MAX_ROWS", 20)
    app = page(correct="all")
    assert len(shown(app)) == 20
    assert "the CSV has all 300" in page_text(app)
