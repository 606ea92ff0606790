"""Speech or not on Timeline and Compare: a hum has none, and a choice keeps its segments."""

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.text import common
from segser_core.inference.speech_watch import NO_SPEECH_FOUND
from tests.support.app_test import chart_spec, choose_source, open_page, page_text, run_page
from tests.support.audio_files import make_swelling_hum


def with_hum(page: str) -> AppTest:
    app = choose_source(open_page(page), "upload")
    app.file_uploader[0].upload("hum.wav", make_swelling_hum(4), "audio/wav")
    return run_page(app)


def min_speech(app: AppTest):
    (control,) = (box for box in app.selectbox if box.label == common.MIN_SPEECH)
    return control


@pytest.mark.parametrize("page", ["timeline", "compare"])
def test_a_hum_is_no_speech_and_is_kept_on_request(page):
    app = with_hum(page)
    assert {metric.value for metric in app.metric} == {"no speech"}
    assert NO_SPEECH_FOUND in [warning.value for warning in app.warning]
    assert chart_spec(app)["data"]
    assert min_speech(app).value == "0.3"
    min_speech(app).set_value("0")
    run_page(app)
    assert "no speech" not in {metric.value for metric in app.metric}
    assert NO_SPEECH_FOUND not in [warning.value for warning in app.warning]
    assert app.query_params["min_speech"] == "0"
    assert "no speech" not in page_text(app)
