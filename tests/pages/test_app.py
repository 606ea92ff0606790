"""The pages, each from its own address on a fresh session, without a browser."""

import io
import zipfile

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.recording.downloads import zip_predictions
from segser_core.inference.models import list_models
from segser_core.prediction.prediction import Prediction, Segment
from tests.support.app_test import chart_spec, choose_source, open_page, page_text, run_page, upload_files
from tests.support.audio_files import make_swelling_hum
from tests.support.paths import ROOT

PAGES = sorted(p.stem for p in (ROOT / "pages").glob("*.py"))


@pytest.mark.parametrize("page", PAGES)
def test_each_page_opens_from_its_address_with_a_title_of_its_own_and_runs_again(page):
    app = run_page(open_page(page))
    (title,) = app.title
    assert title.value in (ROOT / "pages" / f"{page}.py").read_text()
    run_page(app)


def test_the_first_visit_shows_the_sample_and_says_that_it_is_synthetic():
    app = run_page(open_page("timeline"))
    assert "synthetic" in page_text(app)
    assert app.metric[0].value in list_models()[0].labels
    assert app.get("audio")
    assert len(app.get("plotly_chart")) == 2
    assert not app.warning


def test_context_lack_of_labels_and_training_are_said_under_the_timeline():
    text = page_text(run_page(open_page("timeline")))
    assert "**in context**" in text
    assert "no labels of their own" in text
    assert "Trained on RAVDESS" in text
    assert "**in isolation**" in page_text(run_page(open_page("timeline", context="segment")))


def test_the_baselines_segments_are_a_probe_and_none_is_starred():
    app = run_page(open_page("timeline", model="baseline"))
    assert "a probe" in page_text(app)
    assert "★" not in page_text(app)
    assert "★" not in app.get("plotly_chart")[-1].proto.spec
    assert "★" in run_page(open_page("timeline")).get("plotly_chart")[-1].proto.spec.encode().decode("unicode_escape")


@pytest.mark.parametrize("written", ["seg+tri-w", "seg tri-w"])
def test_the_address_names_model_rule_and_context(written):
    app = run_page(open_page("timeline", model=written, aggregate="vote", context="segment"))
    assert app.segmented_control(key="model").value == "seg+tri-w"
    assert app.selectbox(key="aggregate-max").value == "vote"
    assert app.segmented_control(key="context").value == "segment"


def test_choices_are_written_to_the_address_and_defaults_are_not():
    app = run_page(open_page("timeline"))
    assert not app.query_params
    app.segmented_control(key="model").set_value("baseline")
    app.segmented_control(key="context").set_value("segment")
    run_page(app)
    app.selectbox(key="aggregate-utterance").set_value("mean")
    run_page(app)
    assert {k: app.query_params[k] for k in app.query_params} == {
        "model": "baseline",
        "context": "segment",
        "aggregate": "mean",
    }


@pytest.mark.parametrize("nonsense", ["<b>x</b>", "../..", ""], ids=["markup", "path", "empty"])
def test_an_address_that_names_nothing_known_shows_the_defaults(nonsense):
    app = run_page(open_page("timeline", model=nonsense, aggregate=nonsense, context=nonsense))
    assert app.segmented_control(key="model").value == "seg+tri-w"


@pytest.mark.parametrize(("rule", "words"), [("mean", "mean of all segments"), ("utterance", "recording as a whole")])
def test_another_rule_of_aggregation_is_said_beside_the_label(rule, words):
    assert words in app_verdict(run_page(open_page("timeline", aggregate=rule)))


def app_verdict(app: AppTest) -> str:
    return next(m.value for m in app.markdown if "with probability" in m.value)


def test_upload_and_microphone_wait_for_consent():
    for source, widget in (("upload", "file_uploader"), ("microphone", "audio_input")):
        app = choose_source(open_page("timeline"), source, consent=False)
        assert app.get(widget)[0].proto.disabled
        assert "No recording yet" in app.info[0].value
        app.checkbox(key="consent").check()
        assert not run_page(app).get(widget)[0].proto.disabled


def test_consent_that_is_taken_back_hides_the_recording():
    app = choose_source(open_page("timeline"), "upload")
    app.file_uploader[0].upload("clip.wav", make_swelling_hum(), "audio/wav")
    assert run_page(app).metric
    app.checkbox(key="consent").uncheck()
    assert not run_page(app).metric


def test_an_uploaded_recording_is_analysed_and_its_name_shown_letter_by_letter():
    app = choose_source(open_page("timeline", min_speech="0"), "upload")
    app.file_uploader[0].upload("a *b* <b>c</b>.wav", make_swelling_hum(), "audio/wav")
    run_page(app)
    assert "a *b* <b>c</b>.wav" in [text.value for text in app.text]
    assert app.metric[0].value in list_models()[0].labels


def test_a_recording_from_the_microphone_is_analysed():
    app = choose_source(open_page("timeline"), "microphone")
    app.audio_input[0].upload("x.wav", make_swelling_hum())
    assert "microphone.wav" in [text.value for text in run_page(app).text]


@pytest.mark.parametrize("data", [b"", b"this is no sound", make_swelling_hum()[:60]], ids=["empty", "text", "cut off"])
def test_what_is_no_sound_is_refused_beside_the_upload_and_the_page_goes_on(data):
    app = choose_source(open_page("timeline"), "upload")
    app.file_uploader[0].upload("x_[y](z).wav", data, "audio/wav")
    run_page(app)
    assert app.error[0].value.startswith(r"x\_\[y\]\(z\)\.wav\: ")
    assert not app.metric
    app.file_uploader[0].upload("good.wav", make_swelling_hum(), "audio/wav")
    run_page(app)
    assert not app.error
    assert app.metric


def test_after_a_refusal_the_recording_from_before_is_still_there():
    app = choose_source(open_page("timeline"), "upload")
    app.file_uploader[0].upload("good.wav", make_swelling_hum(), "audio/wav")
    run_page(app)
    app.file_uploader[0].upload("bad.wav", b"bad", "audio/wav")
    run_page(app)
    assert app.error
    assert "good.wav" in [text.value for text in app.text]


def test_silence_carries_a_warning():
    app = choose_source(open_page("timeline"), "upload")
    app.file_uploader[0].upload("silence.wav", make_swelling_hum()[:44] + bytes(100_000), "audio/wav")
    assert any("silent" in warning.value for warning in run_page(app).warning)
    app.switch_page("pages/compare.py")
    assert sum("silent" in warning.value for warning in run_page(app).warning) == 1  # once for both models


def test_choosing_in_the_list_plays_just_that_segment():
    app = run_page(open_page("timeline"))
    whole = app.get("audio")[0].proto
    assert not whole.autoplay
    app.radio[0].set_value(1)
    segment = run_page(app).get("audio")[0].proto
    assert segment.autoplay
    assert segment.url != whole.url
    assert app.radio[0].options[2].startswith(segment.alt.split(" to ")[0])


def test_previous_and_next_walk_through_the_segments():
    app = run_page(open_page("timeline"))
    step = {button.label: button for button in app.button}
    assert step["Previous"].disabled
    step["Next"].click()
    run_page(app)
    assert app.radio[0].value == 0
    next(b for b in app.button if b.label == "Previous").click()
    assert run_page(app).radio[0].value == -1


def test_a_long_recording_lists_its_segments_in_parts():
    app = choose_source(open_page("timeline"), "upload")
    app.file_uploader[0].upload("long.wav", make_swelling_hum(60), "audio/wav")
    run_page(app)
    assert len(app.radio[0].options) == 26
    assert any("longer than any clip" in w.value for w in app.warning)
    assert chart_spec(app)["layout"]["xaxis"]["range"] == [0, 60]
    part = next(s for s in app.selectbox if s.label == "Part of the recording")
    part.set_value(1)
    run_page(app)
    assert app.radio[0].value == 25
    assert chart_spec(app)["layout"]["xaxis"]["range"] == pytest.approx([20, 40.8])


def test_the_downloads_are_offered():
    labels = [b.label for b in run_page(open_page("timeline")).get("download_button")]
    assert labels == ["CSV", "JSON", "Parquet", "TextGrid", "ELAN"]


SILENCE = make_swelling_hum()[:44] + bytes(100_000)
FILES = (
    ("a.wav", make_swelling_hum(3)),
    ("b_[x](y).wav", b"no sound"),
    ("c.wav", SILENCE),
    ("d.wav", make_swelling_hum(2)),
)


def shown(app: AppTest) -> str:
    """The name of the file whose timeline is shown."""
    (name,) = {text.value for text in app.text} & {name for name, _ in FILES}
    return name


def button(app: AppTest, label: str):
    return next(b for b in app.button if b.label == label)


def test_of_several_files_each_has_a_row_and_a_bad_one_hides_no_other():
    app = upload_files(*FILES, min_speech="0")
    table = app.dataframe[0].value
    assert list(table["file"]) == [name for name, _ in FILES]
    good = table[table["file"] != FILES[1][0]]
    assert set(good["label"]) <= set(list_models()[0].labels)
    assert good["confidence"].between(0, 1).all()
    assert list(good["duration"]) == pytest.approx([3, 2.268, 2], abs=0.01)
    assert table["notes"][1].startswith("Not analysed: ")
    assert "silent" in table["notes"][2]
    assert table["label"].isna().tolist() == [False, True, False, False]
    assert "3 of 4 files" in page_text(app)
    assert not app.error
    assert r"- b\_\[x\]\(y\)\.wav: " in app.warning[0].value
    assert app.metric[0].value == table["label"][0]
    assert shown(app) == "a.wav"


def test_the_list_and_its_steps_show_another_file():
    app = upload_files(*FILES, min_speech="0")
    files = app.selectbox(key="shown-file")
    assert [option.split(": ")[0] for option in files.options] == ["a.wav", "c.wav", "d.wav"]
    assert button(app, "Previous file").disabled
    button(app, "Next file").click()
    assert shown(run_page(app)) == "c.wav"
    assert any("silent" in w.value for w in app.warning)
    app.selectbox(key="shown-file").select_index(2)
    assert shown(run_page(app)) == "d.wav"
    assert button(app, "Next file").disabled
    checked = app.session_state[f"table-of-files-{app.selectbox(key='shown-file').value}"]
    assert checked["selection"]["rows"] == [3]


def test_the_chosen_file_and_rule_go_for_all_and_the_file_goes_along_to_compare():
    app = upload_files(*FILES, min_speech="0")
    button(app, "Next file").click()
    run_page(app)
    app.selectbox(key="aggregate-max").set_value("vote")
    assert shown(run_page(app)) == "c.wav"
    assert "vote of the segments" in app_verdict(app)
    app.switch_page("pages/compare.py")
    assert shown(run_page(app)) == "c.wav"
    app.switch_page("pages/timeline.py")
    assert shown(run_page(app)) == "c.wav"
    assert len(app.dataframe[0].value) == 4


def test_files_of_which_none_can_be_read_are_listed_with_the_reason():
    app = upload_files(("x.wav", b"bad"), ("y.wav", b"worse"))
    assert list(app.dataframe[0].value["notes"].str.startswith("Not analysed")) == [True, True]
    assert "No recording yet" in app.info[0].value
    assert not app.metric
    assert "None of the 2 files" in page_text(app)
    app.switch_page("pages/compare.py")
    assert "No recording yet" in run_page(app).info[0].value


def test_consent_that_is_taken_back_hides_several_files_too():
    app = upload_files(*FILES, min_speech="0")
    app.checkbox(key="consent").uncheck()
    assert not run_page(app).metric
    assert not app.dataframe


def test_a_file_that_is_taken_away_is_gone():
    """Two files and a bad one; then the first is taken away, then the second, in the uploader."""
    app = upload_files(("a.wav", make_swelling_hum(3)), ("c.wav", SILENCE), ("bad.wav", b"bad"))
    assert shown(app) == "a.wav"
    take_away(app, "a.wav")
    assert shown(app) == "c.wav"
    assert len(app.dataframe[0].value) == 2
    take_away(app, "c.wav")
    assert not app.metric
    assert not app.dataframe
    assert app.error[0].value.startswith(r"bad\.wav\: ")


def take_away(app: AppTest, name: str) -> None:
    """What a click on the cross beside a file does: the others stay as they were, under their old ids."""
    uploader = app.file_uploader[0]
    uploader._files = [file for file in uploader._get_files_to_register() if file[1] != name]
    run_page(app)


def test_several_files_are_taken_along_together():
    app = upload_files(*FILES, min_speech="0")
    labels = [b.label for b in app.get("download_button")]
    assert labels[5:] == ["CSV", "JSON", "Parquet", "TextGrid (ZIP)", "ELAN (ZIP)"]
    assert "All 3 recordings" in page_text(app)


def prediction(file: str) -> Prediction:
    p = {"happy": 0.75, "sad": 0.25}
    parts = (Segment(0, 0.0, 1.6, p), Segment(1, 0.8, 2.0, p))
    return Prediction(file, 2.0, "m", "seg", ("happy", "sad"), "happy", p, p, "max", "clip", (), parts)


def test_an_archive_holds_a_file_a_recording_under_names_of_their_own():
    names = ("a.wav", "A.flac", "../b c.wav", "a-2.mp3")
    with zipfile.ZipFile(io.BytesIO(zip_predictions("textgrid", [prediction(n) for n in names]))) as archive:
        assert archive.namelist() == ["a.TextGrid", "A-2.TextGrid", "b_c.TextGrid", "a-2-2.TextGrid"]
        assert b'name = "utterance"' in archive.read("a.TextGrid")
    with zipfile.ZipFile(io.BytesIO(zip_predictions("elan", [prediction("a.wav")]))) as archive:
        assert archive.namelist() == ["a.eaf"]
        assert b"ANNOTATION_DOCUMENT" in archive.read("a.eaf")


def test_compare_shows_both_models_on_one_recording():
    app = run_page(open_page("compare"))
    assert len(app.metric) == 2
    assert "Baseline" in app.metric[0].label
    assert "seg+tri-w" in app.metric[1].label
    assert "For the recording they name" in page_text(app)
    assert "a probe" in page_text(app)
    titles = [note["text"] for note in chart_spec(app)["layout"]["annotations"]]
    assert {"<b>baseline</b>", "<b>seg+tri-w</b>"} <= set(titles)


def test_a_recording_goes_along_from_timeline_to_compare():
    app = choose_source(open_page("timeline"), "upload")
    app.file_uploader[0].upload("clip.wav", make_swelling_hum(), "audio/wav")
    run_page(app)
    app.switch_page("pages/compare.py")
    assert "clip.wav" in [text.value for text in run_page(app).text]


def test_about_holds_the_equations_the_law_and_the_scores():
    app = run_page(open_page("about"))
    text = page_text(app)
    assert len(app.latex) == 4
    assert [e.label for e in app.expander] == ["Model card of baseline", "Model card of seg+tri-w"]
    for needed in ("Art. 5(1)(f)", "Art. 50(3)", "shock", "autism", "2.0 s", "never its own voices", "two sentences"):
        assert needed in text
    assert list(app.dataframe[0].value["model"]) == ["baseline", "seg+tri-w"]
