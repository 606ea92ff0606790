"""The rooms of the pages: each uses those before it."""

import ast

import pytest

from tests.support.paths import ROOT

SHARED_PAGES = ROOT / "pages" / "shared"
ROOMS = ("text", "app", "recording", "runs", "recall", "clips", "embedding_map")
QUESTIONS = ROOMS[4:]  # of one page each; none uses another


def used_rooms(source: str) -> set[str]:
    """The rooms of the pages that a source imports from."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.split(".")[2] for name in names if name.startswith("pages.shared.")}


def test_every_room_has_its_place():
    assert sorted(folder.name for folder in SHARED_PAGES.iterdir() if (folder / "__init__.py").exists()) == sorted(
        ROOMS
    )


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_uses_one_that_comes_after_it(room):
    used = {name for file in (SHARED_PAGES / room).glob("*.py") for name in used_rooms(file.read_text())}
    allowed = {*ROOMS[: ROOMS.index(room) + 1]} - ({*QUESTIONS} - {room})
    assert used <= allowed


def test_a_room_that_is_used_is_seen():
    assert used_rooms("from pages.shared.clips import clip_list") == {"clips"}
    assert used_rooms("def f():\n    import pages.shared.runs.charts") == {"runs"}
    assert used_rooms("from segser_core.runs import run") == set()
