"""The examples in docstrings run, and show what the functions give."""

import doctest
from importlib import import_module
from pkgutil import walk_packages

import pytest

import segser_core

ROOMS = ("audio", "network", "prediction", "statistics", "inference")
MODULES = [m.name for m in walk_packages(segser_core.__path__, "segser_core.") if m.name.split(".")[1] in ROOMS]


def examples_of(module: str) -> list[doctest.DocTest]:
    found = doctest.DocTestFinder(exclude_empty=True).find(import_module(module))
    return [test for test in found if test.examples]


@pytest.mark.parametrize("module", MODULES)
def test_examples(module):
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for test in examples_of(module):
        runner.run(test)
    assert runner.summarize(verbose=False).failed == 0


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_examples(room):
    modules = [name for name in MODULES if name.startswith(f"segser_core.{room}.")]
    assert sum(len(examples_of(name)) for name in modules) >= 3
