"""Wait for and read a page in Chromium."""

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlparse

if TYPE_CHECKING:
    from playwright.sync_api import Page


def settle(page: "Page") -> None:
    """Wait until no script runs and charts are drawn."""
    page.wait_for_selector("h1", timeout=60_000)
    page.wait_for_timeout(500)
    page.wait_for_selector("[data-test-script-state=notRunning]", timeout=120_000)
    page.wait_for_selector("[data-testid=stSkeleton]", state="detached", timeout=60_000)
    page.wait_for_timeout(1500)


def run_environment(folder: Path) -> dict[str, str]:
    """Name made-up runs and their recordings in a server's environment variables."""
    return {"SEGSER_RUNS": str(folder / "runs"), "SEGSER_CORPORA": str(folder / "corpora")}


def see_page(page: "Page", title: str) -> None:
    """Check that the page of this title is shown and the server is done with it."""
    page.get_by_role("heading", level=1, name=title).wait_for()
    page.wait_for_selector("[data-test-script-state=notRunning]")


def address_values(page: "Page", name: str) -> list[str]:
    """Read the values of a name in the page's address."""
    return parse_qs(urlparse(page.url).query).get(name, [])
