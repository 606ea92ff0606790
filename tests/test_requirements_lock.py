"""The lock file: every requirement is in it, in a version that fits, and CI runs on just these versions."""

import os
import re
import tomllib
from importlib.metadata import PackageNotFoundError, version

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.paths import ROOT


def lines(name: str) -> list[str]:
    """A requirements file's lines, those of files that it names among them."""
    found = []
    for line in (ROOT / name).read_text().splitlines():
        line = line.partition("#")[0].strip()
        found += lines(line.removeprefix("-r ")) if line.startswith("-r ") else [line] if line else []
    return found


LOCKED = dict(line.split("==") for line in lines("requirements-lock.txt"))


def test_each_requirement_is_locked_in_a_version_that_fits():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = (line for name in ("app", "ray", "dev") for line in project["optional-dependencies"][name])
    wanted = [Requirement(line) for line in (*project["dependencies"], *extras) if not line.startswith("segser")]
    assert len(wanted) > 20
    assert [str(r) for r in wanted if LOCKED.get(canonicalize_name(r.name)) not in r.specifier] == []


def test_the_lock_is_exact_and_in_order():
    assert all(re.fullmatch(r"[\w.]+", number) for number in LOCKED.values())
    assert list(LOCKED) == sorted(LOCKED)
    assert [canonicalize_name(name) for name in LOCKED] == list(LOCKED)


@pytest.mark.skipif("CI" not in os.environ, reason="an environment of one's own may be newer than the lock")
def test_what_is_installed_is_what_is_locked():
    here = {}
    for name in LOCKED:
        try:
            here[name] = version(name)
        except PackageNotFoundError:  # of another Python or another system
            continue
    assert len(here) > 80
    assert here == {name: LOCKED[name] for name in here}
