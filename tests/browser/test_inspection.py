"""From a number to the clip behind it, in Chromium: a researcher's way on made-up runs, a teacher's on the bundled."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.screenshots import settle
from tests.browser.serving import CHROMIUM, served, sound, visiting
from tests.made_run import made_runs

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium; name one in SEGSER_CHROMIUM"),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    made_runs(folder, 5531, sounds=40)
    return folder


@pytest.fixture(scope="module")
def address(made: Path) -> Iterator[str]:
    with served(env={"SEGSER_RUNS": str(made / "runs"), "SEGSER_CORPORA": str(made / "corpora")}) as address:
        yield address


@pytest.fixture
def page() -> Iterator["sync_api.Page"]:
    with visiting(height_px=2400) as page:
        yield page


def titled(page: "sync_api.Page", title: str) -> None:
    """Wait for the page of this title, until the server is done with it."""
    page.get_by_role("heading", level=1, name=title).wait_for()
    page.wait_for_selector("[data-test-script-state=notRunning]")


def choose(page: "sync_api.Page", label: str, option: str) -> None:
    """Choose in a select box."""
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option).click()


def test_from_the_recall_of_sad_to_the_sound_of_a_long_sad_clip_and_back_by_a_link(page, address, made):
    page.goto(f"{address}/recall?run=seg%2Btri-w&other=baseline")
    titled(page, "How good, and how sure?")
    bars = page.locator(".st-key-chart-recall .js-plotly-plot .trace.bars").first.locator(".point path")
    bars.last.click(force=True)  # the classes are in order: sad is the last

    titled(page, "Where does it fail?")
    page.wait_for_url("**label=sad**")
    choose(page, "Order", "longest first")
    page.get_by_role("button", name="Open the first clip").click()
    page.wait_for_url("**clip=Ses**")
    segments = page.locator(".js-plotly-plot .bars .point path")
    segments.first.wait_for()
    titles = page.locator(".js-plotly-plot .annotation-text").all_text_contents()
    assert {"seg+tri-w", "baseline"} <= set(titles)
    whole = page.request.get(page.locator("audio").first.evaluate("player => player.src")).body()
    part = sound(page, lambda: segments.nth(3).click(force=True))
    assert whole[:4] == part[:4] == b"RIFF" and len(part) < len(whole)

    clip = page.get_by_role("heading", level=3).first.inner_text()
    with served(env={"SEGSER_RUNS": str(made / "runs"), "SEGSER_CORPORA": str(made / "corpora")}) as fresh:
        page.goto(page.url.replace(address, fresh))
        titled(page, "Where does it fail?")
        page.get_by_role("heading", level=3, name=clip).wait_for()
        assert "label=sad" in page.url and "sort=longest" in page.url


def test_a_clip_chosen_beside_two_maps_is_named_in_the_address(page, address):
    page.goto(f"{address}/embeddings?run=seg%2Btri-w&other=baseline")
    titled(page, "Are the classes apart?")
    page.locator(".js-plotly-plot").nth(1).wait_for()
    assert page.locator(".js-plotly-plot").count() == 2
    settle(page)  # a list that opens while the page is still being made closes again
    page.get_by_role("combobox", name="Clip").click()
    page.get_by_role("option").first.click()
    page.wait_for_url("**clip=Ses**")


def test_the_teachers_tour_leads_to_every_page_it_names(page):
    with served() as address:
        for place in range(5):
            page.goto(f"{address}/tour")
            titled(page, "segser in five steps")
            page.get_by_test_id("stPageLink").get_by_role("link").nth(place).click()
            page.wait_for_function("() => document.querySelector('h1')?.innerText !== 'segser in five steps'")
            page.wait_for_selector("[data-test-script-state=notRunning]")
            assert page.get_by_test_id("stException").count() == 0
