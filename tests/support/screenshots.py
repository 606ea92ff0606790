"""Pictures of every page, at two widths and in both themes, for people to look at.

    SEGSER_SCREENSHOTS=/tmp/pictures python -m tests.support.screenshots [page …]

A page may carry an address of its own: `compare`, `timeline?model=baseline`.
"""

import os
import re
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.support.browser import settle
from tests.support.serving import CHROMIUM, CHROMIUM_FLAGS, serve_app

WIDTHS_PX = (1440, 390)
THEMES = ("light", "dark")
PAGES = ("timeline", "timeline?model=baseline&context=segment", "compare", "about")


def take_screenshots(folder: Path, pages: tuple[str, ...] = PAGES) -> None:
    """Take a picture of each page, from its top to its end."""
    folder.mkdir(parents=True, exist_ok=True)
    with serve_app() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_FLAGS))
        for theme in THEMES:
            for width in WIDTHS_PX:
                page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=theme)
                for name in pages:
                    page.goto(f"{address}/{name.removeprefix('timeline')}")
                    settle(page)
                    height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
                    page.set_viewport_size({"width": width, "height": height})
                    page.wait_for_timeout(800)
                    page.screenshot(path=folder / f"{re.sub(r'[^a-z]+', '-', name)}-{width}-{theme}.png")
                    page.set_viewport_size({"width": width, "height": 900})
                page.close()
        browser.close()


if __name__ == "__main__":
    take_screenshots(Path(os.environ["SEGSER_SCREENSHOTS"]), tuple(sys.argv[1:]) or PAGES)
