"""The app on a free port, and Chromium to look at it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page
from tests.support.paths import ROOT

CHROMIUM = os.environ.get("SEGSER_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)


@contextmanager
def serve_app(
    root: Path = ROOT, start_s: float = 60, env: Mapping[str, str] | None = None, log: Path = Path(os.devnull)
) -> Iterator[str]:
    """Serve the app for the time of a block with these environment variables added, and give its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    around = {**os.environ, **(env or {})}
    with log.open("wb") as said:
        process = subprocess.Popen(command, cwd=root, env=around, stdout=said, stderr=subprocess.STDOUT)
    try:
        address = f"http://127.0.0.1:{port}"
        _await(f"{address}/_stcore/health", start_s, process)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)


@contextmanager
def open_browser_page(height_px: int = 1400, patience_ms: int = 120_000) -> "Iterator[Page]":
    """Open a page of Chromium, 1440 pixels wide, that takes downloads."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_FLAGS))
        page = browser.new_page(viewport={"width": 1440, "height": height_px}, accept_downloads=True)
        page.set_default_timeout(patience_ms)
        yield page
        browser.close()


def played_sound(page: "Page", act: Callable[[], None]) -> bytes:
    """Read the bytes that the page's player fetches once `act` is done."""
    player = page.locator("audio")
    before = player.get_attribute("src")
    act()
    page.wait_for_function("old => document.querySelector('audio')?.getAttribute('src') !== old", arg=before)
    return page.request.get(player.evaluate("player => player.src")).body()


def _await(address: str, seconds: float, process: subprocess.Popen) -> None:
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"the app does not answer at {address}")
