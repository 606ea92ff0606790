"""A small crowd, and a visitor who leaves in the middle; `python -m benchmarks.load` is the large one."""

import pytest

from benchmarks import load
from tests.support.serving import serve_app


@pytest.mark.slow
def test_a_crowd_is_served_in_turn_and_who_leaves_frees_the_work(tmp_path):
    known = load.clips(None)
    with serve_app(log=tmp_path / "log") as address:
        seen = load.crowd(address, 8, 20, known)
        left_s = load.abandoned(address, load.server_of(address))
    assert seen.wrong == []
    assert len(seen.waits_s) >= 8
    assert seen.places
    assert left_s < 10
    assert "Traceback" not in (tmp_path / "log").read_text()
