"""Open pages in Chromium, wait until they are drawn, and read them."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.support.serving import CHROMIUM, CHROMIUM_FLAGS

PATIENCE_MS = 120_000
IN_CHROMIUM = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium; name one in SEGSER_CHROMIUM"),
]
BOTH_RUNS = "run=seg%2Btri-w&other=baseline"
DONE = "[data-test-script-state=notRunning]"
QUIET_MS = 1000
# Nothing runs, no part of the page waits for the server, and nothing has moved for a while.
SETTLED = """quiet_ms => {
  const idle = document.querySelector('[data-test-script-state=notRunning]')
    && !document.querySelector('[data-testid=stSkeleton], [data-stale=true]');
  const places = [...document.querySelectorAll('h1, h2, h3, button, .js-plotly-plot, .main-svg')].map(element => {
    const {x, y, width, height} = element.getBoundingClientRect();
    return [x, y, width, height].map(Math.round);
  }).join(' ');
  if (!idle || places !== window.placesBefore) {
    window.placesBefore = places;
    window.quietSince = performance.now();
  }
  return idle && performance.now() - window.quietSince > quiet_ms;
}"""
expect.set_options(timeout=PATIENCE_MS)


@contextmanager
def open_chromium() -> Iterator[Browser]:
    """Start Chromium for the time of a block."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_FLAGS))
        yield browser
        browser.close()


@contextmanager
def open_tab(browser: Browser) -> Iterator[Page]:
    """Open a page without cookies or cache, 1440 pixels wide, that takes downloads."""
    context = browser.new_context(viewport={"width": 1440, "height": 1400}, accept_downloads=True)
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


def settle(page: Page) -> None:
    """Wait until no script runs and charts are drawn."""
    expect(page.locator("h1")).to_be_visible()
    page.wait_for_function(SETTLED, arg=QUIET_MS, polling=100)


def see_page(page: Page, title: str) -> None:
    """Check that the page of this title is shown and the server is done with it."""
    expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()
    expect(page.locator(DONE)).to_be_attached()


def see_address(page: Page, part: str) -> None:
    """Check that the page's address holds this part."""
    expect(page).to_have_url(re.compile(re.escape(part)))


def address_values(page: Page, name: str) -> list[str]:
    """Read the values of a name in the page's address."""
    return parse_qs(urlparse(page.url).query).get(name, [])


def download_file(button: Locator) -> bytes:
    """Read the file that a button downloads."""
    with button.page.expect_download() as download:
        button.click()
    return Path(download.value.path()).read_bytes()


def played_sound(page: Page, act: Callable[[], None]) -> bytes:
    """Read the bytes that the page's player fetches once `act` is done."""
    player = page.locator("audio")
    before = player.get_attribute("src")
    act()
    page.wait_for_function("old => document.querySelector('audio')?.getAttribute('src') !== old", arg=before)
    return page.request.get(player.evaluate("player => player.src")).body()


def run_environment(folder: Path) -> dict[str, str]:
    """Name made-up runs and their recordings in a server's environment variables."""
    return {"SEGSER_RUNS": str(folder / "runs"), "SEGSER_CORPORA": str(folder / "corpora")}
