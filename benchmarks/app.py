"""How long a visitor waits: from the click to the drawn page, in Chromium, for each page that shows runs.

    python -m benchmarks.app [UTTERANCES …]

On two made-up runs (`tests/support/made_run.py`; 5531 and 100 000 utterances unless said otherwise). Start: the page
"How it works" on a fresh server in a fresh browser, no run read. Cold: in that browser the first visit to a page by its
link, which reads the runs and computes everything. Warm: a second visit, by a click in the menu. A page counts as
drawn when its title is there, the server is done with it and every chart and table has its place; the time is the
browser's, to the next frame after that. UMAP: `projection.project_umap` of the smaller run's segments, in this process.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.support.made_run import make_runs
from tests.support.serving import CHROMIUM, CHROMIUM_FLAGS, serve_app

PAGES = {"recall": "Recall", "embeddings": "Embeddings", "mistakes": "Mistakes", "compare": "Compare"}
TURNS = 5
DRAWN = """([title]) => {
  const gone = selector => !document.querySelector(selector);
  const heading = document.querySelector('h1');
  return heading && (!title || heading.innerText !== title)
    && !gone('[data-test-script-state=notRunning]') && gone('[data-testid=stSkeleton]') && gone('[data-stale=true]')
    && [...document.querySelectorAll('[data-testid=stPlotlyChart]')].every(chart => chart.querySelector('.main-svg'))
}"""


def wait_until_drawn(page: Page, other_than: str | None = None) -> None:
    """Wait for a page whose title is not `other_than`."""
    page.wait_for_function(DRAWN, arg=[other_than], polling="raf", timeout=300_000)


def visit_s(address: str, page: Page) -> float:
    """Seconds of a visit to an address."""
    began = time.perf_counter()
    page.goto(address)
    wait_until_drawn(page)
    return time.perf_counter() - began


def click_s(title: str, page: Page) -> float:
    """Seconds from a click on a page's place in the menu."""
    page.get_by_role("link", name="About", exact=True).click()
    page.wait_for_function("() => document.querySelector('h1')?.innerText.startsWith('How it works')", timeout=60_000)
    wait_until_drawn(page)
    before = page.locator("h1").inner_text()
    began = time.perf_counter()
    page.get_by_role("link", name=title, exact=True).click()
    wait_until_drawn(page, other_than=before)
    return time.perf_counter() - began


def measure(folder: Path) -> None:
    """Print a line a page."""
    for name, title in PAGES.items():
        with serve_app(env={"SEGSER_RUNS": str(folder)}) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_FLAGS))
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            start = visit_s(f"{address}/about", page)
            first = visit_s(f"{address}/{name}?run=seg%2Btri-w&other=baseline", page)
            again = [click_s(title, page) for _ in range(TURNS)]
            browser.close()
        spread = f"{min(again):.2f} to {max(again):.2f}"
        print(
            f"  {name}: start {start:.2f} s, cold {first:.2f} s, "
            f"warm {statistics.median(again):.2f} s ({spread}, n = {TURNS})",
            flush=True,
        )


def umap_s(run: Path) -> tuple[int, float]:
    """How many segments a run has, and the seconds of their map."""
    from segser_core.runs.run import read_run
    from segser_core.statistics.projection import project_umap

    vectors = read_run(run).embeddings()
    assert vectors is not None
    began = time.perf_counter()
    project_umap(vectors.segment)
    return len(vectors.segment), time.perf_counter() - began


def main() -> None:
    """Measure on a run of each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("utterances", type=int, nargs="*", default=[5531, 100_000])
    with tempfile.TemporaryDirectory() as folder:
        for i, n in enumerate(parser.parse_args().utterances):
            place = Path(folder, str(n))
            run, _ = make_runs(place, n)
            print(f"{n} utterances", flush=True)
            measure(place / "runs")
            if i == 0:
                print("  UMAP of {} segments: {:.1f} s".format(*umap_s(run)), flush=True)


if __name__ == "__main__":
    main()
