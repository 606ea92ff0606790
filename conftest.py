"""The start of every test session: how many processes share the tests, and which files come first."""

import os

import pytest

# The networks of the tests are too small to be shared out, and each core has a process of its own. Said before torch is
# imported, and in the environment, so that servers and trainings that tests start keep to it as well.
os.environ["OMP_NUM_THREADS"] = "1"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Run on every core, but a single file or test in this process, where a debugger can stop it."""
    asked = config.args
    single = len(asked) == 1 and ("::" in asked[0] or asked[0].endswith(".py"))
    return 0 if single else len(os.sched_getaffinity(0))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that no core waits for them at the end."""
    files = {mark: {item.path for item in items if item.get_closest_marker(mark)} for mark in ("slow", "browser")}
    items.sort(key=lambda item: (item.path not in files["slow"], item.path not in files["browser"]))
