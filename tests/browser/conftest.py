"""What the browser's tests share: made-up runs with sounds, servers that have them, and a page of Chromium."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.browser import run_environment
from tests.support.made_run import make_runs
from tests.support.serving import open_browser_page, serve_app


@pytest.fixture(scope="session")
def many(tmp_path_factory) -> Path:
    """A folder with the runs of 5531 clips, and the recordings of the 40 longest sad ones."""
    folder = tmp_path_factory.mktemp("many")
    make_runs(folder, 5531, sounds=40)
    return folder


@pytest.fixture(scope="session")
def few(tmp_path_factory) -> Path:
    """The same of 400 clips, with the recordings of all sad ones."""
    folder = tmp_path_factory.mktemp("few")
    make_runs(folder, 400, sounds=100)
    return folder


@pytest.fixture(scope="session")
def address(few: Path) -> Iterator[str]:
    """A server that has the few clips."""
    with serve_app(env=run_environment(few)) as address:
        yield address


@pytest.fixture
def page() -> Iterator["sync_api.Page"]:  # noqa: F821
    with open_browser_page() as page:
        yield page
