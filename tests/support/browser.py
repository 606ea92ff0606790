"""Wait for and read a page in Chromium."""

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlparse

if TYPE_CHECKING:
    from playwright.sync_api import Page


def settle(page: "Page") -> None:
    """Wait until nothing runs any more and charts are drawn."""
    page.wait_for_selector("h1", timeout=60_000)
    page.wait_for_timeout(500)
    page.wait_for_selector("[data-test-script-state=notRunning]", timeout=120_000)
    page.wait_for_selector("[data-testid=stSkeleton]", state="detached", timeout=60_000)
    page.wait_for_timeout(1500)


def around(folder: Path) -> dict[str, str]:
    """What tells a server where made-up runs and their recordings are."""
    return {"SEGSER_RUNS": str(folder / "runs"), "SEGSER_CORPORA": str(folder / "corpora")}


def titled(page: "Page", title: str) -> None:
    """Wait for the page of this title, until the server is done with it."""
    page.get_by_role("heading", level=1, name=title).wait_for()
    page.wait_for_selector("[data-test-script-state=notRunning]")


def in_address(page: "Page", name: str) -> list[str]:
    """The values that the page's address has of this name."""
    return parse_qs(urlparse(page.url).query).get(name, [])
