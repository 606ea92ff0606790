"""The choice of runs that several pages share, on the page Compare."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.runs import cached_scores, run_picker
from pages.shared.runs.run_choice import RunChoice, cached_by_run
from pages.shared.runs.sound import find_clip_file
from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.audio.loading import load_audio
from segser_core.runs.run import find_runs, read_run
from segser_core.runs.writing import write_run
from tests.support.app_test import open_page, page_text, run_page
from tests.support.made_run import make_runs


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    make_runs(folder, 300, sounds=2)
    return folder


@pytest.fixture(autouse=True)
def made_runs_listed(made, monkeypatch):
    monkeypatch.setenv("SEGSER_RUNS", str(made / "runs"))


def chosen(app: AppTest) -> list[str]:
    return [app.selectbox(key=f"run-page-{name}").value for name in ("run", "other")]


def test_the_address_names_both_runs_and_keeps_them():
    app = run_page(open_page("compare", run="baseline", other="seg tri-w"))  # a bare + in an address is a space
    assert chosen(app) == ["baseline", "seg+tri-w"]
    assert app.query_params["run"] in ("baseline", ["baseline"])


def test_a_run_that_is_not_there_is_said_and_another_one_shown():
    app = run_page(open_page("compare", run="lost", other="baseline"))
    assert any("lost" in w.value for w in app.warning)
    assert chosen(app) == ["seg+tri-w", "baseline"]


@pytest.mark.parametrize(
    ("damage", "says"),
    [({"format": 99}, "format 99"), ({"labels": []}, "labels")],
    ids=["of another version", "without labels"],
)
def test_a_broken_run_says_what_is_wrong_and_the_rest_go_on(damage, says, made, tmp_path, monkeypatch):
    shutil.copytree(made / "runs", tmp_path / "runs")
    file = tmp_path / "runs" / "baseline" / "run.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | damage))
    monkeypatch.setenv("SEGSER_RUNS", str(tmp_path / "runs"))
    app = run_page(open_page("compare", run="baseline", other="seg+tri-w"))
    assert any(says in e.value for e in app.error)
    app.selectbox(key="run-page-run").set_value("seg+tri-w")
    app.selectbox(key="run-page-other").set_value("none")
    assert not run_page(app).error


def test_runs_of_a_folder_that_is_typed_in_can_be_chosen(made, tmp_path):
    shutil.copytree(made / "runs" / "baseline", tmp_path / "mine" / "first try")
    app = run_page(open_page("compare", run="baseline"))
    app.text_input(key="more-runs").set_value(str(tmp_path / "mine"))
    run_page(app)
    assert "first try" in app.selectbox(key="run-page-run").options
    app.text_input(key="more-runs").set_value(str(tmp_path / "nothing"))
    run_page(app)
    assert any("no run" in e.value for e in app.error)


def test_two_runs_show_difference_agreement_and_who_is_right():
    app = run_page(open_page("compare", run="seg+tri-w", other="baseline"))
    assert "Cohen's κ" in page_text(app)
    assert app.get("plotly_chart")
    before = [m.value for m in app.metric]
    app.selectbox(key="run-page-aggregate").set_value("mean")
    run_page(app)
    assert [m.value for m in app.metric] != before


def test_runs_of_other_classes_are_not_paired():
    app = run_page(open_page("compare", run="seg+tri-w", other="baseline"))
    assert not app.error
    only = run_page(open_page("compare", run="seg+tri-w", other="none"))
    assert any("second run" in i.value for i in only.info)


def test_sound_is_found_below_the_corpora_and_nowhere_else(made, monkeypatch):
    found = read_run(made / "runs" / "seg+tri-w")
    longest = found.predictions[found.predictions.label == "sad"].sort_values("duration_s").iloc[-1]
    assert find_clip_file(found, longest.path) is None
    monkeypatch.setenv("SEGSER_CORPORA", str(made / "corpora"))
    file = find_clip_file(found, longest.path)
    assert len(load_audio(file)) == pytest.approx(longest.duration_s * SAMPLE_RATE_HZ, abs=1)
    monkeypatch.setenv("SEGSER_CORPORA", str(made / "corpora" / "iemocap"))
    assert find_clip_file(found, longest.path) == file
    assert find_clip_file(found, "../../runs/baseline/run.json") is None


@pytest.mark.parametrize("folder", ["corpora", "corpora/ravdess"])
@pytest.mark.parametrize("path", ["ravdess/Actor_01/a.flac", "Actor_01/a.flac"])
def test_sound_of_a_run_of_several_corpora_is_found(made, tmp_path, monkeypatch, folder, path):
    """Whether the known folder is the corpora's or the clip's corpus's, and whether the path begins with the corpus."""
    run = replace(read_run(made / "runs" / "baseline"), corpus="ravdess+cremad")
    file = tmp_path / "corpora" / "ravdess" / "Actor_01" / "a.flac"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"")
    monkeypatch.setenv("SEGSER_CORPORA", str(tmp_path / folder))
    assert find_clip_file(run, path, "ravdess") == file.resolve()


def test_sound_is_found_where_a_corpus_is_a_link(made, tmp_path, monkeypatch):
    run = replace(read_run(made / "runs" / "baseline"), corpus="ravdess+cremad")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.flac").write_bytes(b"")
    (tmp_path / "corpora").mkdir()
    (tmp_path / "corpora" / "ravdess").symlink_to(tmp_path / "elsewhere")
    monkeypatch.setenv("SEGSER_CORPORA", str(tmp_path / "corpora"))
    assert find_clip_file(run, "ravdess/a.flac", "ravdess") == (tmp_path / "elsewhere" / "a.flac").resolve()


def test_sound_is_found_where_a_recording_is_a_link(made, tmp_path, monkeypatch):
    """As the loaders of corpora take it."""
    run = read_run(made / "runs" / "baseline")
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "a.flac").write_bytes(b"")
    (tmp_path / "corpus" / "wav").mkdir(parents=True)
    (tmp_path / "corpus" / "wav" / "a.flac").symlink_to(tmp_path / "disk" / "a.flac")
    monkeypatch.setenv("SEGSER_CORPORA", str(tmp_path / "corpus"))
    assert find_clip_file(run, "wav/a.flac") == (tmp_path / "disk" / "a.flac").resolve()
    assert find_clip_file(run, "wav/../../disk/a.flac") is None


@pytest.mark.parametrize("place", ["ravdess/Speech/Actor_23/{}.wav", "ravdess/{}.flac", "{}.wav"])
def test_sound_of_a_fetched_corpus_is_found_by_its_name(made, tmp_path, monkeypatch, place):
    """Whatever its folder and format: the publisher's RAVDESS is WAV, and the run heard FLAC."""
    name = "03-01-06-01-02-01-23"
    run = replace(read_run(made / "runs" / "baseline"), corpus="ravdess+cremad")
    file = tmp_path / place.format(name)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"")
    (file.parent / "notes.txt").write_bytes(b"")
    monkeypatch.setenv("SEGSER_CORPORA", str(tmp_path))
    assert find_clip_file(run, f"ravdess/Actor_23/{name}.flac", "ravdess") == file.resolve()
    assert find_clip_file(run, "ravdess/Actor_23/03-01-06-01-02-01-24.flac", "ravdess") is None
    assert find_clip_file(run, "ravdess/Actor_23/notes.flac", "ravdess") is None


def test_sound_of_other_corpora_is_not_found_by_a_bare_name(made, tmp_path, monkeypatch):
    """Another speaker may have a recording of the same name."""
    (tmp_path / "Anna").mkdir()
    (tmp_path / "Anna" / "01.wav").write_bytes(b"")
    monkeypatch.setenv("SEGSER_CORPORA", str(tmp_path))
    run = replace(read_run(made / "runs" / "baseline"), corpus="manifest")
    assert find_clip_file(run, "Berta/01.wav") is None


def test_no_link_below_a_fetched_corpus_leads_out_of_it(made, tmp_path, monkeypatch):
    (tmp_path / "corpora" / "ravdess").mkdir(parents=True)
    (tmp_path / "outside.wav").write_bytes(b"")
    (tmp_path / "corpora" / "ravdess" / "03-01-06-01-02-01-23.wav").symlink_to(tmp_path / "outside.wav")
    monkeypatch.setenv("SEGSER_CORPORA", str(tmp_path / "corpora"))
    run = replace(read_run(made / "runs" / "baseline"), corpus="ravdess")
    assert find_clip_file(run, "Actor_23/03-01-06-01-02-01-23.flac") is None


def test_the_command_that_fetches_a_corpus_is_named_where_its_sound_is_missing(monkeypatch):
    monkeypatch.delenv("SEGSER_CORPORA", raising=False)
    monkeypatch.delenv("SEGSER_RUNS", raising=False)
    app = run_page(open_page("mistakes", run="seg+tri-w", clip="1080_ITH_NEU_XX"))
    assert not app.exception
    assert "`segser corpora get cremad --root FOLDER/cremad` fetches it" in page_text(app)


def test_no_corpus_name_leads_out_of_the_known_folders(made, tmp_path, monkeypatch):
    (tmp_path / "corpora").mkdir()
    (tmp_path / "outside.wav").write_bytes(b"")
    monkeypatch.setenv("SEGSER_CORPORA", str(tmp_path / "corpora"))
    run = replace(read_run(made / "runs" / "baseline"), corpus="..")
    for corpus, path in (("..", "outside.wav"), (str(tmp_path), "outside.wav"), ("", "../outside.wav")):
        assert find_clip_file(run, path, corpus) is None


def test_scores_of_a_run_that_was_replaced_are_not_kept_for_the_new_one(made, tmp_path):
    """The old run is still in the hands of a page when the new one takes its place."""
    place = tmp_path / "run"
    shutil.copytree(made / "runs" / "baseline", place)
    old = read_run(place)
    right = old.predictions.assign(predicted=old.predictions.label)
    write_run(place, meta=old.meta, config_yaml="{}", metrics={}, predictions=right)
    uar = [cached_scores.summarise_chosen_runs(RunChoice(run=r))["run"].pooled.uar for r in (old, read_run(place))]
    assert uar[0] < 0.9
    assert uar[1] == 1


def test_a_run_folder_that_vanishes_is_said_and_is_no_traceback(made, tmp_path, monkeypatch):
    shutil.copytree(made / "runs", tmp_path / "runs")
    monkeypatch.setenv("SEGSER_RUNS", str(tmp_path / "runs"))
    found = find_runs()
    monkeypatch.setattr(run_picker, "find_runs", lambda: found)
    shutil.rmtree(tmp_path / "runs" / "baseline")
    app = run_page(open_page("recall", run="baseline"))
    assert "is not there" in app.error[0].value


def test_runs_are_told_by_their_content_in_caches(made):
    calls = []

    @cached_by_run(max_entries=8)
    def called_with(*values):
        calls.append(values)
        return len(calls)

    first, again, other = (read_run(made / "runs" / name) for name in ("baseline", "baseline", "seg+tri-w"))
    assert called_with(first) == called_with(again) == 1
    assert called_with(other) == 2
    assert called_with(RunChoice(run=first, other=other)) == called_with(RunChoice(run=again, other=other)) == 3
    assert called_with(RunChoice(run=other, other=first)) == 4
    assert called_with(RunChoice(run=first, rule="mean")) == 5
    assert called_with(("a figure", RunChoice(run=again, rule="mean"))) == 6
    assert called_with(("a figure", RunChoice(run=first, rule="mean"))) == 6
