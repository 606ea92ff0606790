"""The whole job once, in Chromium: upload a recording, see the timeline, hear a segment, take the JSON along."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Locator, Page, expect

from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.audio.waveform import encode_wav
from tests.support.browser import DONE, IN_CHROMIUM, download_file, played_sound
from tests.support.paths import SHARED

pytestmark = IN_CHROMIUM
CLIP = SHARED / "data/ravdess/Audio_Speech_Actors_01-24/Actor_23/03-01-05-02-01-01-23.flac"


def segments(page: Page) -> Locator:
    """The bars of the segments, in the timeline's second row."""
    return page.locator(".js-plotly-plot .x2y2 .bars .point path")


def click(bar: Locator) -> None:
    """Click a bar where it is drawn; plotly lays a layer of its own over it that takes the click."""
    bar.click(force=True)


def upload(page: Page, address: str, *files: Path) -> None:
    page.goto(address)
    page.get_by_role("radio", name="Upload").click()
    page.get_by_text("Everyone who can be heard").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_test_id("stFileUploader").locator("button:enabled").click()
    chooser.value.set_files(files)


@pytest.mark.skipif(not CLIP.is_file(), reason=f"no recordings at {SHARED}; name their folder in SEGSER_SHARED")
def test_a_recording_is_uploaded_seen_heard_and_taken_along(page, address):
    upload(page, address, CLIP)
    expect(page.get_by_test_id("stText").filter(has_text=CLIP.name)).to_be_visible()
    expect(segments(page).first).to_be_visible()
    assert segments(page).count() >= 2

    in_chart = played_sound(page, lambda: click(segments(page).nth(1)))
    assert in_chart[:4] == b"RIFF"
    in_list = played_sound(page, lambda: page.get_by_role("radiogroup").get_by_text("0.00–1.60 s").click())
    assert in_list[:4] == b"RIFF"
    assert in_list != in_chart
    assert played_sound(page, lambda: click(segments(page).nth(1))) == in_chart

    (result,) = json.loads(download_file(page.get_by_role("button", name="JSON")))
    assert result["file"] == CLIP.name
    assert len(result["segments"]) == segments(page).count()
    assert sum(result["probabilities"].values()) == pytest.approx(1, abs=1e-6)


def test_a_file_that_is_no_sound_is_refused_beside_the_upload(page, address, tmp_path):
    bad = tmp_path / "_notes_ <b>1<b>.wav"
    bad.write_text("this is no sound")
    upload(page, address, bad)
    refusal = page.get_by_role("alert").filter(has_text=bad.name)  # letter by letter: no markup is read
    expect(refusal).to_be_visible()
    expect(segments(page)).to_have_count(0)
    page.get_by_role("radio", name="Sample").click()
    expect(page.get_by_test_id("stText")).to_contain_text("sample.flac")
    expect(segments(page).first).to_be_visible()
    expect(refusal).to_have_count(0)


def test_what_was_uploaded_stays_after_another_source_and_can_be_removed(page, address, tmp_path):
    file = tmp_path / "a tone.wav"
    file.write_bytes(encode_wav(0.2 * np.sin(np.arange(32_000) / 8), 0, 2))
    upload(page, address, file)
    shown = page.get_by_test_id("stText")
    expect(shown.filter(has_text=file.name)).to_be_visible()
    page.get_by_role("radio", name="Sample").click()
    expect(shown.filter(has_not_text=file.name)).to_be_visible()
    page.get_by_role("radio", name="Upload").click()
    expect(shown.filter(has_text=file.name)).to_be_visible()
    page.get_by_role("button", name=f"Remove {file.name}").click()
    expect(page.get_by_text("No recording yet")).to_be_visible()
    expect(page.get_by_role("button", name="Remove")).to_have_count(0)


def test_several_files_are_tabled_walked_and_taken_along_together(page, address, tmp_path):
    t = np.arange(3 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    files = [tmp_path / name for name in ("first.wav", "second.wav", "third.wav")]
    for i, file in enumerate(files):
        file.write_bytes(encode_wav(0.2 * np.sin(2 * np.pi * (120 + 60 * i) * t) * np.sin(t), 0, 2 + i / 2))
    bad = tmp_path / "notes.wav"
    bad.write_text("this is no sound")
    upload(page, address, *files, bad)
    expect(page.get_by_text("3 of 4 files could be analysed.")).to_be_visible()
    expect(page.get_by_role("alert").filter(has_text="notes.wav")).to_be_visible()
    cells = page.get_by_test_id("stDataFrame").locator("[role=gridcell]").filter(has_text=".wav")
    expect(cells.first).to_be_attached()
    assert cells.all_text_contents() == ["first.wav", "second.wav", "third.wav", "notes.wav"]

    shown = page.get_by_test_id("stText")
    for name in ("second.wav", "third.wav"):
        page.get_by_role("button", name="Next file").click()
        expect(shown.filter(has_text=name)).to_be_visible()
    expect(page.get_by_role("button", name="Next file")).to_be_disabled()
    expect(page.locator(DONE)).to_be_attached()  # the buttons for download are the last to be new
    (one,) = json.loads(download_file(page.get_by_role("button", name="JSON").first))
    assert one["file"] == "third.wav"
    table = pd.read_csv(io.BytesIO(download_file(page.get_by_role("button", name="CSV").last)))
    assert set(table.file) == {file.name for file in files}
    with zipfile.ZipFile(io.BytesIO(download_file(page.get_by_role("button", name="TextGrid (ZIP)")))) as made:
        assert set(made.namelist()) == {"first.TextGrid", "second.TextGrid", "third.TextGrid"}


def test_the_microphone_records_once_consent_is_given(page, address):
    page.goto(address)
    page.get_by_role("radio", name="Microphone").click()
    page.get_by_text("Everyone who can be heard").click()
    page.get_by_role("button", name="Record", exact=True).click()
    page.wait_for_timeout(2000)  # so long it records
    page.get_by_role("button", name="Stop recording").click()
    expect(page.get_by_text("microphone.wav")).to_be_visible()
    expect(segments(page).first).to_be_visible()
    (result,) = json.loads(download_file(page.get_by_role("button", name="JSON")))
    assert 1 < result["duration_s"] < 10
    assert len(result["segments"]) == segments(page).count()


def test_nothing_is_fetched_from_elsewhere(page, address):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    expect(segments(page).first).to_be_visible()
    assert not [url for url in asked if not url.startswith((address, address.replace("http", "ws"), "data:", "blob:"))]
