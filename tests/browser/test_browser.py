"""The whole job once, in Chromium: upload a recording, see the timeline, hear a segment, take the JSON along."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.serving import CHROMIUM, served, sound, visiting
from tests.conftest import SHARED

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium; name one in SEGSER_CHROMIUM"),
]
CLIP = SHARED / "data/ravdess/Audio_Speech_Actors_01-24/Actor_23/03-01-05-02-01-01-23.flac"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served() as address:
        yield address


@pytest.fixture
def page() -> Iterator["sync_api.Page"]:
    with visiting() as page:
        yield page


def segments(page: "sync_api.Page") -> "sync_api.Locator":
    """The bars of the segments, in the timeline's second row."""
    return page.locator(".js-plotly-plot .x2y2 .bars .point path")


def click(bar: "sync_api.Locator") -> None:
    """Click a bar where it is drawn; plotly lays a layer of its own over it that takes the click."""
    bar.click(force=True)


def upload(page: "sync_api.Page", address: str, file: Path) -> None:
    page.goto(address)
    page.get_by_role("radio", name="Upload").click()
    page.get_by_text("Everyone who can be heard").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_test_id("stFileUploader").locator("button:enabled").click()
    chooser.value.set_files(file)


@pytest.mark.skipif(not CLIP.is_file(), reason=f"no recordings at {SHARED}; name their folder in SEGSER_SHARED")
def test_a_recording_is_uploaded_seen_heard_and_taken_along(page, address):
    upload(page, address, CLIP)
    page.get_by_test_id("stText").filter(has_text=CLIP.name).wait_for()
    segments(page).first.wait_for()
    assert segments(page).count() >= 2

    in_chart = sound(page, lambda: click(segments(page).nth(1)))
    assert in_chart[:4] == b"RIFF"
    in_list = sound(page, lambda: page.get_by_role("radiogroup").get_by_text("0.00–1.60 s").click())
    assert in_list[:4] == b"RIFF" and in_list != in_chart
    assert sound(page, lambda: click(segments(page).nth(1))) == in_chart

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
