"""A turns file beside a recording on Timeline: a track, a table, the sound of a row, and a line where it is refused."""

from streamlit.testing.v1 import AppTest

from segser_core.bundled import BUNDLED
from tests.support.app_test import chart_spec, choose_source, open_page, page_text, run_page
from tests.support.audio_files import make_swelling_hum

TURNS_CSV = b"start,end,speaker\n0,1.5,Anna\n1.5,4,Ben\n"


def uploaded(name: str, data: bytes) -> AppTest:
    app = choose_source(open_page("timeline"), "upload")
    app.file_uploader[0].upload("hum.wav", make_swelling_hum(4), "audio/wav")
    run_page(app)
    app.file_uploader[2].upload(name, data, "text/plain")
    return run_page(app)


def turn_bars(app: AppTest) -> list[dict]:
    return [trace for trace in chart_spec(app)["data"] if trace.get("name") == "turns"]


def test_turns_appear_as_a_track_and_a_table():
    app = uploaded("hum.csv", TURNS_CSV)
    (bars,) = turn_bars(app)
    assert [text.split(":")[0] for text in bars["text"]] == ["Anna", "Ben"]
    assert bars["base"] == [0.0, 1.5]
    table = app.dataframe[0].value
    assert table["speaker"].tolist() == ["Anna", "Ben"]
    assert table["end"].tolist() == [1.5, 4.0]
    assert [f"{s}: {label}" for s, label in zip(table["speaker"], table["label"], strict=True)] == bars["text"]
    assert "**2 turns of 2 speakers.**" in page_text(app)


def test_a_turns_file_of_another_recording_is_refused_in_a_line():
    app = uploaded("hum.csv", b"start,end\n0,1\n3,9\n")
    assert app.error[0].value.startswith(r"hum\.csv\, line 3\: the turn of 3 to 9 s lies beyond the recording")
    assert not turn_bars(app)
    assert chart_spec(app)["data"]


def test_the_sample_is_offered_no_turns():
    assert (BUNDLED / "sample.flac").is_file()
    assert "Turns" not in [e.label for e in run_page(open_page("timeline")).expander]
