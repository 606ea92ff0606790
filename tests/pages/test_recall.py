"""The page on recall: its numbers, its address, what it says where something is lacking, and where clicks lead."""

import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.runs import charts, open_mistakes, run_picker
from pages.shared.runs.charts import ClickableTable
from pages.shared.runs.open_mistakes import CLICKED_FILTER, ClipSelection
from pages.shared.text.common import RULE_TITLES
from pages.shared.text.recall import difference_text, format_p_value
from segser_core.formatting import percent, signed_points
from segser_core.prediction.rules import AGGREGATES
from segser_core.runs.clip_filter import ClipFilter
from segser_core.runs.reading import REQUIRED
from segser_core.runs.reaggregate import reaggregate
from segser_core.runs.run import read_run
from segser_core.statistics.report import report_json
from segser_core.statistics.scores import compare_runs, summarise_scores
from segser_core.statistics.scores_by_corpus import scores_by_corpus
from tests.support.app_test import chart_spec, open_page, page_text, run_page
from tests.support.made_run import MADE_LABELS, make_runs, with_seeds_and_folds

PAIR = {"run": "seg+tri-w", "other": "baseline"}
WHOLE = {"question": "all"}  # the page with every question answered


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    make_runs(folder, 2500)
    return folder / "runs"


@pytest.fixture(autouse=True)
def made_runs_listed(made, monkeypatch):
    monkeypatch.setenv("SEGSER_RUNS", str(made))


def table(app: AppTest, column: str) -> pd.DataFrame:
    """The first table that has a column."""
    return next(d.value for d in app.dataframe if column in d.value)


def altered(made: Path, place: Path, name: str, change, meta=None) -> Path:
    """A copy of a run with other rows, and with other entries of run.json."""
    shutil.copytree(made / name, place / name)
    file = place / name / "predictions.parquet"
    change(pd.read_parquet(file)).to_parquet(file)
    if meta:
        record = place / name / "run.json"
        record.write_text(json.dumps(json.loads(record.read_text()) | meta))
    return place


def test_the_story_of_sadness_is_told_with_its_numbers(made):
    app = run_page(open_page("recall", **PAIR, **WHOLE))
    assert app.title[0].value == "How good, and how sure?"
    found = read_run(made / "seg+tri-w")
    of = summarise_scores(found.predictions, found.labels).pooled
    assert [m.value for m in app.metric] == [f"{percent(v)} %" for v in (of.uar, of.accuracy, of.macro_f1)]
    text = page_text(app)
    assert "points less of sad**" in text
    assert "Both runs have one seed: this holds for their models" in text
    assert "by speaker" in text
    assert "10 speakers are few" in text
    rules = table(app, "rule")
    assert len(rules) == len(AGGREGATES)
    assert (rules["seg+tri-w"].str.contains("★")).sum() == 1
    assert "With the same rule for both" in text
    assert "Cohen's κ" in text
    assert "McNemar" in text
    assert "what the paper reports" in text.lower()
    assert "no temperature can be fitted" in text  # these runs have no development clips
    assert list(table(app, "p (Holm)")["class"]) == list(found.labels)
    assert not app.error
    assert not app.warning


def test_a_difference_over_seeds_says_that_trainings_differ(made):
    runs = [with_seeds_and_folds(read_run(made / name), seeds=3) for name in ("seg+tri-w", "baseline")]
    said = difference_text(compare_runs(*runs), ["one", "other"], by_speaker=False)
    assert said.endswith("3 seeds: the intervals are over clips, and leave out how far trainings differ.")


def test_the_page_shows_the_figures_of_the_report(made):
    app = run_page(open_page("recall", **PAIR, **WHOLE))
    first, second = (read_run(made / name) for name in PAIR.values())
    report = report_json([first, second])
    one, between = report["runs"][0], report["difference"]
    shown = page_text(app).replace(":small[95 %: ", "")
    for score, of in zip(("uar", "accuracy", "macro_f1"), app.metric, strict=True):
        assert of.value == f"{percent(one[score]['pooled'])} %"
        for found, by_speaker, say in (
            (one["intervals"][score], one["intervals_by_speaker"][score], percent),
            (between[score]["interval"], between["by_speaker"][score]["interval"], signed_points),
        ):
            both = [f"{say(low)} to {say(high)}" for low, high in (found, by_speaker)]
            assert f"{both[0]} by clip · {both[1]} by speaker" in shown
    classes = table(app, "p (Holm)").set_index("class")
    for label, of in between["recall"].items():
        assert classes["seg+tri-w"][label] == float(percent(one["recall"][label]))
        assert classes["seg+tri-w, 95 %"][label] == " to ".join(map(percent, one["intervals"]["recall"][label]))
        assert classes["difference, 95 %"][label] == " to ".join(map(signed_points, of["interval"]))
        assert classes["p (Holm)"][label] == format_p_value(between["holm"][label])
    by_rule = table(app, "rule").set_index("rule")
    for rule, of in between["by_rule"].items():
        assert by_rule["seg+tri-w"][RULE_TITLES[rule]].removesuffix(" ★") == percent(one["by_rule"][rule]["uar"])
        assert by_rule["difference, 95 %"][RULE_TITLES[rule]] == " to ".join(map(signed_points, of["interval"]))
    assert f"(ECE) {percent(one['calibration']['ece'])} points" in shown
    assert f"Cohen's κ **{between['agreement']['kappa']:.2f}**" in shown
    test, plain = between["mcnemar"][0], shown.replace("\\", "")
    assert f"{test['first_only']} clips only seg+tri-w has right, {test['second_only']} only baseline" in plain


def test_the_weights_of_a_mix_are_shown(made, tmp_path, monkeypatch):
    weights = {"layer_weights": [[0.5, 0.2, 0.3], [0.1, 0.4, 0.5]]}
    place = altered(made, tmp_path, "baseline", lambda rows: rows, weights)
    monkeypatch.setenv("SEGSER_RUNS", str(place))
    shown = table(run_page(open_page("recall", run="baseline")), "weight")
    assert shown.layer.tolist() == ["input", "1", "2"]
    assert shown.weight.tolist() == pytest.approx([30, 30, 40])
    assert shown.lowest.tolist() == pytest.approx([10, 20, 30])


def test_another_rule_changes_every_number_at_once(made):
    app = run_page(open_page("recall", **PAIR, aggregate="mean"))
    found = read_run(made / "seg+tri-w")
    of = summarise_scores(reaggregate(found, "mean"), found.labels).pooled
    assert app.metric[0].value == f"{percent(of.uar)} %"
    clips = table(app, "p (Holm)").set_index("class")
    assert clips["seg+tri-w"]["sad"] == float(percent(of.recall[of.classes.index("sad")]))


def test_a_copied_link_opens_the_same_page():
    wanted = {
        "interval": "speaker",
        "split": "length-speaker",
        "shown": "difference",
        "edge": "7.5",
        "measure": "sad",
    } | WHOLE
    app = run_page(open_page("recall", **PAIR, **wanted))
    assert app.segmented_control(key="recall-interval").value == "speaker"
    assert app.selectbox(key="recall-split").value == "length-speaker"
    assert app.segmented_control(key="recall-shown").value == "difference"
    assert app.slider[0].value == 7.5
    assert app.selectbox(key="recall-measure").value == "sad"
    groups = next(f for f in (chart_spec(app, i) for i in range(len(app.get("plotly_chart")))) if "≤ 7.5 s" in str(f))
    assert "> 7.5 s, Ses05" in str(groups)
    now = {name: app.query_params[name] for name in app.query_params}
    assert {k: (v if isinstance(v, str) else v[0]) for k, v in now.items()} == {**PAIR, "aggregate": "own", **wanted}
    app.slider[0].set_value(10.0)
    assert "edge" not in run_page(app).query_params


def test_one_further_question_is_answered_at_a_time_and_named_in_the_address():
    app = run_page(open_page("recall", **PAIR))
    asked = app.pills(key="recall-question")
    assert len(asked.options) == 8
    assert [h.value for h in app.header][:2] == ["Which classes?", "Which clips?"]
    charts_of_first = len(app.get("plotly_chart"))
    asked.set_value("taken")
    assert "Taken for what?" in [h.value for h in run_page(app).header]
    assert "Which clips?" not in [h.value for h in app.header]
    assert len(app.get("plotly_chart")) == charts_of_first + 1  # a matrix for each run in place of one grid
    assert app.query_params["question"] in ("taken", ["taken"])
    titles = [h.value for h in run_page(open_page("recall", **PAIR, **WHOLE)).header]
    assert {"Which clips?", "The training, or the rule?", "How alike are the two?", "What the paper reports"} < set(
        titles
    )


def test_tables_are_made_when_they_are_opened():
    app = run_page(open_page("recall", **PAIR))
    folded = {"folds": "mean of folds", "groups": "low"}
    assert not any(column in d.value for column in folded.values() for d in app.dataframe)
    for key in folded:
        app.session_state[f"open-{key}"] = True
    run_page(app)
    assert [len(table(app, column)) for column in folded.values()] == [6, 8]


def test_an_address_of_nonsense_shows_the_defaults():
    wrong = dict.fromkeys(("interval", "question", "split", "shown", "edge", "measure", "aggregate"), "<b>1e999</b>")
    app = run_page(open_page("recall", **PAIR, **wrong))
    assert app.slider[0].value == 10.0
    assert app.selectbox(key="recall-split").value == "length"


def test_the_bundled_runs_say_what_20_speakers_and_24_sentences_mean(monkeypatch):
    monkeypatch.delenv("SEGSER_RUNS")
    text = page_text(run_page(open_page("recall", **WHOLE)))
    assert "20 speakers" in text
    assert "24 sentences" in text


def test_a_corpus_of_the_bundled_runs_says_what_two_speakers_mean(monkeypatch):
    monkeypatch.delenv("SEGSER_RUNS")
    app = run_page(open_page("recall", **WHOLE, corpus="ravdess"))
    text = page_text(app)
    assert "Two speakers, no interval by speaker" in text
    assert not [c for c in app.segmented_control if c.key == "recall-interval"]
    assert "split at their median" in text
    assert "Temperature fitted" in text
    assert "wav2vec2" in list(table(app, "encoder")["encoder"])
    assert "75.7" in text


def test_one_run_alone_is_shown_without_a_comparison():
    app = run_page(open_page("recall", run="baseline", other="none", **WHOLE))
    text = page_text(app)
    assert len(app.metric) == 3
    assert "Cohen" not in text
    assert "minus" not in text
    assert "p (Holm)" not in table(app, "class")
    assert list(app.segmented_control(key="recall-shown").options) == ["baseline"]


def test_a_class_without_a_clip_says_why(made, tmp_path, monkeypatch):
    place = altered(made, tmp_path, "baseline", lambda rows: rows[rows.label != "sad"])
    monkeypatch.setenv("SEGSER_RUNS", str(place))
    app = run_page(open_page("recall", run="baseline", other="none"))
    assert "No test clip is labelled sad" in page_text(app)
    assert "other 3 classes" in page_text(app)


def test_runs_of_other_classes_are_shown_and_not_paired(made, tmp_path, monkeypatch):
    shutil.copytree(made / "seg+tri-w", tmp_path / "seg+tri-w")
    more = {"labels": ["angry", "happy", "neutral", "sad", "bored"]}
    place = altered(made, tmp_path, "baseline", lambda rows: rows.assign(p_bored=0.0, u_bored=0.0), more)
    (place / "baseline" / "segments.parquet").unlink()
    monkeypatch.setenv("SEGSER_RUNS", str(place))
    app = run_page(open_page("recall", **PAIR))
    assert any("different classes" in w.value for w in app.warning)
    assert len(app.metric) == 3
    assert "No test clip" not in page_text(app)


def test_a_run_of_the_required_columns_alone_is_shown(made, tmp_path, monkeypatch):
    needed = [*REQUIRED, *(f"p_{c}" for c in MADE_LABELS)]
    place = altered(made, tmp_path, "baseline", lambda rows: rows[needed])
    (place / "baseline" / "segments.parquet").unlink()
    monkeypatch.setenv("SEGSER_RUNS", str(place))
    app = run_page(open_page("recall", run="baseline", other="none", **WHOLE))
    text = page_text(app)
    assert "It is not known who speaks" in text
    assert "cannot be grouped" in text
    assert "no segments to be counted" in text


def test_pictures_are_saved_as_chosen_and_data_can_be_taken_along():
    app = run_page(open_page("recall", **PAIR, **WHOLE))
    assert '"format": "png"' in app.get("plotly_chart")[0].proto.config
    assert len(app.get("download_button")) == len(app.get("plotly_chart"))
    app.segmented_control(key="picture").set_value("svg")
    assert all('"format": "svg"' in c.proto.config for c in run_page(app).get("plotly_chart"))


def test_what_was_clicked_opens_in_mistakes():
    app = run_page(open_page("recall", **PAIR))
    app.session_state[CLICKED_FILTER] = ClipFilter(label="sad", correct=False)
    run_page(app)
    assert "How good" not in app.title[0].value
    assert app.selectbox(key="run-page-run").value == "seg+tri-w"


def test_a_click_on_the_other_runs_bar_puts_that_run_first(monkeypatch):
    points = [{"customdata": [3]}]
    state = {"run-page-run": "a", "run-page-other": "b", "chart-x": SimpleNamespace()}
    state["chart-x"].selection = SimpleNamespace(points=points)
    for module in (charts, open_mistakes, run_picker):
        monkeypatch.setattr(module, "st", SimpleNamespace(session_state=state))
    rows = pd.DataFrame({"label": ["angry", "happy", "neutral", "sad"], "confidence": [0.0, 0.1, 0.2, 0.3]})
    table = ClickableTable(
        rows,
        lambda row: ClipSelection(ClipFilter(label=row.label, most_confidence=row.confidence), of_other_run=True),
    )
    table.remember_click("chart-x")
    assert state[CLICKED_FILTER] == ClipFilter(label="sad", most_confidence=0.3)
    assert (state["run-page-run"], state["run-page-other"]) == ("b", "a")
    points.clear()  # a click on nothing
    del state[CLICKED_FILTER]
    table.remember_click("chart-x")
    assert CLICKED_FILTER not in state


def test_a_chosen_row_opens_its_clips(monkeypatch):
    state = {"table-x": SimpleNamespace(selection=SimpleNamespace(rows=[2]))}
    for module in (charts, open_mistakes):
        monkeypatch.setattr(module, "st", SimpleNamespace(session_state=state))
    rows = pd.DataFrame({"label": list("cab"), "clips": [3, 1, 2]}).sort_values("clips")
    table = ClickableTable(rows, lambda row: ClipSelection(ClipFilter(label=row.label)), {"label": "true"})
    assert list(table.shown) == ["true"]
    table.remember_row("table-x")
    assert state[CLICKED_FILTER] == ClipFilter(label="c")


def test_scores_by_corpus_are_shown_for_runs_of_several(made, tmp_path, monkeypatch):
    def split(rows: pd.DataFrame) -> pd.DataFrame:
        return rows.assign(corpus=rows.speaker.str[-1].map({"F": "ravdess", "M": "cremad"}))

    monkeypatch.setenv("SEGSER_RUNS", str(altered(made, tmp_path, "seg+tri-w", split)))
    app = run_page(open_page("recall", run="seg+tri-w", other="none"))
    shown = table(app, "corpus")
    found = scores_by_corpus(read_run(tmp_path / "seg+tri-w").test_rows, MADE_LABELS)
    assert shown.corpus.tolist() == ["cremad", "ravdess"]
    assert shown.UAR.tolist() == [float(percent(of.uar)) for of in found]
    assert shown["macro F1"].tolist() == [float(percent(of.macro_f1)) for of in found]
    assert shown["95 %"][0] == f"{percent(found[0].uar_interval.low)} to {percent(found[0].uar_interval.high)}"
    assert shown.classes.tolist() == [4, 4]
    assert "By corpus" in page_text(app)


def test_runs_of_several_corpora_are_narrowed_to_one(made, tmp_path, monkeypatch):
    def split(rows: pd.DataFrame) -> pd.DataFrame:
        return rows.assign(corpus=rows.speaker.str[-1].map({"F": "ravdess", "M": "cremad"}))

    for name in ("seg+tri-w", "baseline"):
        altered(made, tmp_path, name, split)
    monkeypatch.setenv("SEGSER_RUNS", str(tmp_path))
    app = run_page(open_page("recall", run="seg+tri-w", other="baseline", corpus="cremad", **WHOLE))
    assert app.segmented_control(key="recall-corpus").value == "cremad"
    run = read_run(tmp_path / "seg+tri-w")
    cremad = run.test_rows[run.test_rows.corpus == "cremad"]
    recall = (cremad.true == cremad.code).groupby(cremad.label).mean()
    shown = table(app, "class").set_index("class")["seg+tri-w"]
    assert shown.to_dict() == {label: float(percent(value)) for label, value in recall.items()}
    assert "By corpus" not in page_text(app)


def test_a_run_of_one_corpus_has_no_scores_by_corpus():
    app = run_page(open_page("recall", run="seg+tri-w", other="none"))
    assert "By corpus" not in page_text(app)


def test_a_run_whose_name_is_no_utf8_is_not_listed(made, tmp_path, monkeypatch):
    shutil.copytree(made / "baseline", tmp_path / "good")
    shutil.copytree(made / "baseline", tmp_path / os.fsdecode(b"\xff bad"))
    monkeypatch.setenv("SEGSER_RUNS", str(tmp_path))
    app = run_page(open_page("recall", run="good", other="none"))
    assert all("bad" not in str(option) for box in app.selectbox for option in box.options)
