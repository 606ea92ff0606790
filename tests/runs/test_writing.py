"""Run folders are written whole or not at all."""

import pytest

from segser_core.errors import RunError
from segser_core.runs.run import read_run
from tests.support.run_folders import (
    make_predictions,
    make_segments,
    run_meta,
    write_run_folder,
)


def test_a_failed_write_leaves_the_old_run(tmp_path):
    path = write_run_folder(tmp_path / "a")
    before = {p.name: p.read_bytes() for p in path.iterdir()}
    for wrong in ({"predictions": make_predictions().drop(columns="p_sad")}, {"meta": run_meta(x=float("nan"))}):
        with pytest.raises(RunError):
            write_run_folder(path, **wrong)
        assert {p.name: p.read_bytes() for p in path.iterdir()} == before
        assert [p.name for p in tmp_path.iterdir()] == ["a"]
    with pytest.raises(RunError):
        write_run_folder(tmp_path / "b", predictions=make_predictions().drop(columns="p_sad"))
    assert not (tmp_path / "b").exists()


def test_a_new_run_replaces_the_old_one_whole(tmp_path):
    path = write_run_folder(tmp_path / "a", segments=make_segments())
    write_run_folder(path, predictions=make_predictions(seeds=(0, 1)))
    assert read_run(path).seeds == (0, 1)
    assert not (path / "segments.parquet").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_what_is_no_run_or_holds_weights_is_not_replaced(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    with pytest.raises(RunError, match="no run folder"):
        write_run_folder(tmp_path / "thesis")
    with pytest.raises(RunError, match="is a file"):
        write_run_folder(tmp_path / "thesis" / "chapter.txt")
    path = write_run_folder(tmp_path / "a")
    (path / "checkpoint").mkdir()
    with pytest.raises(RunError, match="checkpoint"):
        write_run_folder(path)
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "years of work"
