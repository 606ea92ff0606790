"""Fixtures of the browser's tests: made-up runs with sounds, a server that has them, and a page of Chromium."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.support.browser import open_chromium, open_tab, run_environment
from tests.support.made_run import make_runs
from tests.support.serving import serve_app


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
    """A server that has the few clips, one for all files of a process."""
    with serve_app(env=run_environment(few)) as address:
        yield address


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for each file: no longer, since playwright's event loop shuts out those of other tests."""
    with open_chromium() as browser:
        yield browser


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page of its own for each test."""
    with open_tab(chromium) as page:
        yield page
