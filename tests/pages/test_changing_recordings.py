"""Recordings whose emotion changes at known times: the question on Recall, and the truth as a track."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from segser_core.formatting import percent, signed_points
from segser_core.prediction.exports import stretches_to_textgrid
from segser_core.prediction.known_changes import share_of_time_right
from segser_core.prediction.stretches import Stretch, stretches_from_json
from segser_core.runs.replay import replay_prediction
from segser_core.runs.run import read_run
from segser_core.statistics.diarization_difference import compare_share_of_time
from segser_core.statistics.emotion_diarization import diarization_by_context
from tests.support.app_test import chart_spec, choose_source, open_page, page_text, run_page
from tests.support.audio_files import make_swelling_hum
from tests.support.changing_runs import write_changing_run
from tests.support.run_folders import write_run_folder

PAIR = {"run": "good", "other": "poor"}


@pytest.fixture(autouse=True)
def runs(tmp_path, monkeypatch) -> Path:
    """Two runs on the same changing recordings, and one on recordings that do not change."""
    folder = tmp_path / "runs"
    write_changing_run(folder / "good", share_right=0.9)
    write_changing_run(folder / "poor", share_right=0.3, generator=1)
    write_run_folder(folder / "still")
    monkeypatch.setenv("SEGSER_RUNS", str(folder))
    monkeypatch.setenv("SEGSER_NOTES", str(tmp_path / "notes"))
    return folder


def tables(app: AppTest, heading: str) -> list[pd.DataFrame]:
    return [d.value for d in app.dataframe if heading in d.value]


def tracks(app: AppTest, name: str) -> list[dict]:
    return [trace for trace in chart_spec(app)["data"] if trace.get("name") == name]


def test_a_run_on_changing_recordings_is_first_asked_whether_it_knows_when(runs):
    app = run_page(open_page("recall", **PAIR))
    assert "Does it know when?" in [h.value for h in app.header]
    scores = {name: diarization_by_context(read_run(runs / name)) for name in PAIR.values()}
    metrics = {m.label: m.value for m in app.metric}
    text = page_text(app)
    for context, title in (("clip", "in context"), ("segment", "in isolation")):
        share = scores["good"][context].share_of_time
        assert metrics[f"Share of time, {title}, of good"] == f"{percent(share.value)} %"
        assert f"{percent(share.interval.low)} to {percent(share.interval.high)} by recording" in text
        assert f"**poor: {percent(scores['poor'][context].share_of_time.value)} %**" in text
    (paired, _) = compare_share_of_time(*(read_run(runs / name) for name in PAIR.values())).values()
    assert f"**Difference: {signed_points(paired.by_recording.value)} points**" in text
    assert "12 recordings, 6 speakers, 0.8 minutes, 12 changes of emotion." in text
    assert "known from the corpus" in text  # these do not say that they were joined


def test_its_table_has_every_measure_and_the_share_of_each_class(runs):
    app = run_page(open_page("recall", run="good"))
    of = diarization_by_context(read_run(runs / "good"))["clip"]
    (measures,), (classes,) = tables(app, "measure"), tables(app, "true class, %")
    column = measures.set_index("measure")["good, in context"]
    of_eder = of.eder.interval
    assert column["EDER, %"] == f"{percent(of.eder.value)} ({percent(of_eder.low)} to {percent(of_eder.high)})"
    assert column["– confused emotion, %"].startswith(f"{percent(of.confused.value)} (")
    assert column["boundary error, s"].startswith(f"{of.boundary_error_s.value:.2f} (")
    assert column["surplus changes a minute"].startswith(f"{of.surplus_changes_per_min.value:.2f} (")
    shares = classes.set_index("true class, %")["good, in context"].str.split().str[0]
    assert shares.to_dict() == {
        label: percent(e.value) for label, e in zip(("neutral", "happy", "sad"), of.by_class, strict=True)
    }


def test_joined_clips_are_said_to_be_made(runs):
    frame = pd.read_parquet(runs / "good" / "predictions.parquet").assign(joined=2)
    frame.to_parquet(runs / "good" / "predictions.parquet")
    assert "made of single clips of one speaker" in page_text(run_page(open_page("recall", run="good")))


def test_a_run_without_stretches_says_how_to_make_one_that_has_them(runs):
    app = run_page(open_page("recall", run="still", question="when"))
    (told,) = (i.value for i in app.info if "no recordings whose emotion changes" in i.value)
    assert "`python -m training.corpora join NAME --root DIR --out CHANGING --changing`" in told
    assert "`python -m training.evaluate" in told
    assert not any(m.label.startswith("Share of time") for m in app.metric)
    assert run_page(open_page("recall", run="still")).header[1].value == "Which clips?"


def test_beside_a_run_that_has_none_the_one_that_has_some_is_shown():
    app = run_page(open_page("recall", run="still", other="good", question="when"))
    assert any("**still** holds no recordings" in i.value for i in app.info)
    assert any(m.label.startswith("Share of time, in context, of good") for m in app.metric)


def test_stretches_that_differ_between_the_runs_are_not_paired(runs):
    file = runs / "poor" / "predictions.parquet"
    shifted = pd.read_parquet(file)
    shifted["stretches"] = [text.replace("4.0", "3.9") for text in shifted.stretches]
    shifted.to_parquet(file)
    (runs / "poor" / "stretches.parquet").unlink()
    app = run_page(open_page("recall", **PAIR, question="when"))
    assert any("other stretches" in w.value for w in app.warning)
    assert page_text(app).count("**Difference: ") == 3  # of UAR, accuracy and macro F1 alone


def test_a_clip_shows_the_truth_below_each_models_label_over_time(runs):
    app = run_page(open_page("mistakes", **PAIR, clip="u03"))
    good, poor = (read_run(runs / name) for name in PAIR.values())
    truth = stretches_from_json(good.predictions.set_index("utterance_id").stretches["u03"])
    assert [t["text"] for t in tracks(app, "truth")] == [[s.label for s in truth]] * 2
    assert len(tracks(app, "heard")) == 2
    shares = [percent(share_of_time_right(replay_prediction(run, "u03"), truth)) for run in (good, poor)]
    assert f"**{shares[0]}\N{NO-BREAK SPACE}%** (good) and **{shares[1]}\N{NO-BREAK SPACE}%** (poor)" in page_text(app)


def test_a_clip_of_one_emotion_has_no_truth_over_time(runs):
    shutil.rmtree(runs / "still")
    frame = pd.read_parquet(runs / "good" / "predictions.parquet")
    frame.loc[frame.utterance_id == "u03", "stretches"] = ""
    frame.to_parquet(runs / "good" / "predictions.parquet")
    app = run_page(open_page("mistakes", run="good", clip="u03"))
    assert not tracks(app, "truth")
    assert len(tracks(app, "heard")) == 1
    assert "right in" not in page_text(app)


def uploaded_hum() -> AppTest:
    app = choose_source(open_page("timeline", min_speech="0"), "upload")
    app.file_uploader[0].upload("hum.wav", make_swelling_hum(4), "audio/wav")
    return run_page(app)


def test_known_changes_of_an_uploaded_recording_are_shown_as_a_track():
    app = uploaded_hum()
    assert not tracks(app, "truth")
    (heard,) = tracks(app, "heard")
    spans = zip(heard["base"], heard["x"], heard["text"], strict=True)
    told = [Stretch(start_s, start_s + length_s, label) for start_s, length_s, label in spans]
    app.file_uploader[1].upload("hum.TextGrid", stretches_to_textgrid(told, 4.0).encode(), "text/plain")
    run_page(app)
    assert tracks(app, "truth")[0]["text"] == heard["text"]
    assert "right in **100.0\N{NO-BREAK SPACE}%** of the time" in page_text(app)


def test_a_file_that_is_no_truth_is_refused_in_a_sentence_and_the_timeline_stays():
    app = uploaded_hum()
    app.file_uploader[1].upload("hum_1.TextGrid", b"no tiers", "text/plain")
    run_page(app)
    assert app.error[0].value.startswith(r"hum\_1\.TextGrid\: is no TextGrid")
    assert not tracks(app, "truth")
    assert tracks(app, "heard")


def test_the_sample_is_offered_no_truth():
    app = run_page(open_page("timeline"))
    assert "Known changes" not in [e.label for e in app.expander]
    assert not app.file_uploader
    assert "The track **heard**" in page_text(app)
