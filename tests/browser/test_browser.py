"""The whole job once, in Chromium: upload a recording, see the timeline, hear a segment, take the JSON along."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.audio.waveform import encode_wav
from tests.support.paths import SHARED
from tests.support.serving import CHROMIUM, open_browser_page, played_sound, serve_app

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium; name one in SEGSER_CHROMIUM"),
]
CLIP = SHARED / "data/ravdess/Audio_Speech_Actors_01-24/Actor_23/03-01-05-02-01-01-23.flac"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serve_app() as address:
        yield address


@pytest.fixture
def page() -> Iterator["sync_api.Page"]:
    with open_browser_page() as page:
        yield page


def segments(page: "sync_api.Page") -> "sync_api.Locator":
    """The bars of the segments, in the timeline's second row."""
    return page.locator(".js-plotly-plot .x2y2 .bars .point path")


def click(bar: "sync_api.Locator") -> None:
    """Click a bar where it is drawn; plotly lays a layer of its own over it that takes the click."""
    bar.click(force=True)


def upload(page: "sync_api.Page", address: str, *files: Path) -> None:
    page.goto(address)
    page.get_by_role("radio", name="Upload").click()
    page.get_by_text("Everyone who can be heard").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_test_id("stFileUploader").locator("button:enabled").click()
    chooser.value.set_files(files)


@pytest.mark.skipif(not CLIP.is_file(), reason=f"no recordings at {SHARED}; name their folder in SEGSER_SHARED")
def test_a_recording_is_uploaded_seen_heard_and_taken_along(page, address):
    upload(page, address, CLIP)
    page.get_by_test_id("stText").filter(has_text=CLIP.name).wait_for()
    segments(page).first.wait_for()
    assert segments(page).count() >= 2

    in_chart = played_sound(page, lambda: click(segments(page).nth(1)))
    assert in_chart[:4] == b"RIFF"
    in_list = played_sound(page, lambda: page.get_by_role("radiogroup").get_by_text("0.00–1.60 s").click())
    assert in_list[:4] == b"RIFF"
    assert in_list != in_chart
    assert played_sound(page, lambda: click(segments(page).nth(1))) == in_chart

    with page.expect_download() as download:
        page.get_by_role("button", name="JSON").click()
    (result,) = json.loads(Path(download.value.path()).read_text())
    assert result["file"] == CLIP.name
    assert len(result["segments"]) == segments(page).count()
    assert sum(result["probabilities"].values()) == pytest.approx(1, abs=1e-6)


def test_a_file_that_is_no_sound_is_refused_beside_the_upload(page, address, tmp_path):
    bad = tmp_path / "_notes_ <b>1<b>.wav"
    bad.write_text("this is no sound")
    upload(page, address, bad)
    refusal = page.get_by_role("alert").filter(has_text=bad.name)  # letter by letter: no markup is read
    refusal.wait_for()
    page.get_by_role("radio", name="Sample").click()
    segments(page).first.wait_for()


def test_what_was_uploaded_stays_after_another_source_and_can_be_removed(page, address, tmp_path):
    file = tmp_path / "a tone.wav"
    file.write_bytes(encode_wav(0.2 * np.sin(np.arange(32_000) / 8), 0, 2))
    upload(page, address, file)
    shown = page.get_by_test_id("stText")
    shown.filter(has_text=file.name).wait_for()
    page.get_by_role("radio", name="Sample").click()
    shown.filter(has_not_text=file.name).wait_for()
    page.get_by_role("radio", name="Upload").click()
    shown.filter(has_text=file.name).wait_for()
    page.get_by_role("button", name=f"Remove {file.name}").click()
    page.get_by_text("No recording yet").wait_for()
    assert page.get_by_role("button", name="Remove").count() == 0


def taken(page: "sync_api.Page", button: "sync_api.Locator") -> bytes:
    """The file that a button downloads."""
    with page.expect_download() as download:
        button.click()
    return Path(download.value.path()).read_bytes()


def test_several_files_are_tabled_walked_and_taken_along_together(page, address, tmp_path):
    t = np.arange(3 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    files = [tmp_path / name for name in ("first.wav", "second.wav", "third.wav")]
    for i, file in enumerate(files):
        file.write_bytes(encode_wav(0.2 * np.sin(2 * np.pi * (120 + 60 * i) * t) * np.sin(t), 0, 2 + i / 2))
    bad = tmp_path / "notes.wav"
    bad.write_text("this is no sound")
    upload(page, address, *files, bad)
    page.get_by_text("3 of 4 files could be analysed.").wait_for()
    page.get_by_role("alert").filter(has_text="notes.wav").wait_for()
    cells = page.get_by_test_id("stDataFrame").locator("[role=gridcell]").filter(has_text=".wav")
    cells.first.wait_for(state="attached")
    assert cells.all_text_contents() == ["first.wav", "second.wav", "third.wav", "notes.wav"]

    shown = page.get_by_test_id("stText")
    for name in ("second.wav", "third.wav"):
        page.get_by_role("button", name="Next file").click()
        shown.filter(has_text=name).wait_for()
    sync_api.expect(page.get_by_role("button", name="Next file")).to_be_disabled()
    page.wait_for_selector("[data-test-script-state=notRunning]")  # the buttons for download are the last to be new
    (one,) = json.loads(taken(page, page.get_by_role("button", name="JSON").first))
    assert one["file"] == "third.wav"
    table = pd.read_csv(io.BytesIO(taken(page, page.get_by_role("button", name="CSV").last)))
    assert set(table.file) == {file.name for file in files}
    with zipfile.ZipFile(io.BytesIO(taken(page, page.get_by_role("button", name="TextGrid (ZIP)")))) as made:
        assert set(made.namelist()) == {"first.TextGrid", "second.TextGrid", "third.TextGrid"}


def test_the_microphone_records_once_consent_is_given(page, address):
    page.goto(address)
    page.get_by_role("radio", name="Microphone").click()
    page.get_by_text("Everyone who can be heard").click()
    page.get_by_role("button", name="Record", exact=True).click()
    page.wait_for_timeout(2000)
    page.get_by_role("button", name="Stop recording").click()
    page.get_by_text("microphone.wav").wait_for()
    segments(page).first.wait_for()


def test_nothing_is_fetched_from_elsewhere(page, address):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    segments(page).first.wait_for()
    assert not [url for url in asked if not url.startswith((address, address.replace("http", "ws"), "data:", "blob:"))]
