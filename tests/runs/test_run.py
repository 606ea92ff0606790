"""Run folders: read back, damaged in every way, and replaced while they are read."""

import json
import os

import numpy as np
import pandas as pd
import pytest

from segser_core.bundled import find_checkpoint
from segser_core.errors import RunError
from segser_core.runs import run as run_module
from segser_core.runs.run import find_runs_below, read_run
from segser_core.statistics.scores import compute_metrics
from tests.support.run_folders import (
    RUN_LABELS,
    make_embeddings,
    make_predictions,
    make_segments,
    run_meta,
    write_run_folder,
)


def test_what_is_written_is_read(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    path = write_run_folder(
        tmp_path / "a", segments=make_segments(), embeddings=make_embeddings(), checkpoint_dir=tmp_path / "model"
    )
    run = read_run(path)
    assert (run.name, run.system, run.labels, run.corpus, run.seeds) == ("a", "seg+tri-w", RUN_LABELS, "ravdess", (0,))
    pd.testing.assert_frame_equal(run.predictions, make_predictions(), check_dtype=False)
    assert run.segments.seed.tolist() == [0]
    assert run.embeddings().utterance.shape == (2, 4)
    assert run.missing_files == ()
    assert json.loads((path / "run.json").read_text())["format"] == 1
    assert json.loads((path / "metrics.json").read_text()) == compute_metrics(make_predictions(), RUN_LABELS)
    assert find_checkpoint(path) == path / "checkpoint"
    assert find_checkpoint(path / "checkpoint") == path / "checkpoint"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "model"], "nothing is left beside the run"


def test_two_files_are_enough(tmp_path):
    (tmp_path / "run.json").write_text(json.dumps(run_meta(format=1)))
    make_predictions().drop(columns=["seed", "fold", "split", "speaker"]).to_parquet(tmp_path / "predictions.parquet")
    run = read_run(tmp_path, "by another name")
    assert run.name == "by another name"
    assert run.segments is None
    assert run.embeddings() is None
    assert set(run.predictions.split) == {"test"}
    assert run.seeds == (0,)
    assert [w.split(":")[0] for w in run.missing_files] == ["segments.parquet", "embeddings.npz"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "cannot be read as JSON"),
        ("[" * 100_000, "cannot be read as JSON"),
        ("[]", "holds a list"),
        (json.dumps(run_meta(format=2)), "format 2"),
        (json.dumps(run_meta()), "format None"),
        (json.dumps(run_meta(format=1, labels="sad")), "expected a list"),
        (json.dumps(run_meta(format=1, labels=["sad", "sad"])), "twice"),
        (json.dumps(run_meta(format=1, system=None)), "no system"),
        (json.dumps(run_meta(format=1, labels=["neutral", "happy"])), "label has sad"),
        (json.dumps(run_meta(format=1, labels=[*RUN_LABELS, "bored"])), "no column p_bored"),
    ],
)
def test_a_wrong_run_json(tmp_path, content, why):
    path = write_run_folder(tmp_path / "a")
    (path / "run.json").write_text(content)
    with pytest.raises(RunError, match=why):
        read_run(path)


@pytest.mark.parametrize("column", ["utterance_id", "label", "predicted", "confidence", "p_sad"])
def test_a_missing_column(tmp_path, column):
    path = write_run_folder(tmp_path / "a")
    make_predictions().drop(columns=column).to_parquet(path / "predictions.parquet")
    with pytest.raises(RunError, match=f"no column {column}"):
        read_run(path)


def test_damaged_tables(tmp_path):
    path = write_run_folder(tmp_path / "a", segments=make_segments())
    make_segments().drop(columns="end_s").to_parquet(path / "segments.parquet")
    with pytest.raises(RunError, match="no column end_s"):
        read_run(path)
    make_predictions().assign(p_sad=np.nan).to_parquet(path / "predictions.parquet")
    with pytest.raises(RunError, match="p_sad"):
        read_run(path)
    make_predictions().iloc[:0].to_parquet(path / "predictions.parquet")
    with pytest.raises(RunError, match="no row"):
        read_run(path)
    (path / "predictions.parquet").write_bytes(b"PAR1 no, it is not")
    with pytest.raises(RunError, match="Parquet"):
        read_run(path)
    (path / "predictions.parquet").unlink()
    with pytest.raises(RunError, match=r"no predictions\.parquet"):
        read_run(path)
    with pytest.raises(RunError, match=r"no run\.json"):
        read_run(tmp_path / "absent")


def test_damaged_embeddings(tmp_path):
    path = write_run_folder(tmp_path / "a", embeddings=make_embeddings())
    np.savez(path / "embeddings.npz", **(vars(make_embeddings()) | {"utterance_fold": np.zeros(3)}))
    with pytest.raises(RunError, match="does not fit"):
        read_run(path).embeddings()
    np.savez(path / "embeddings.npz", **(vars(make_embeddings()) | {"utterance": np.array([{}], dtype=object)}))
    with pytest.raises(RunError, match="damaged, or holds other things"):
        read_run(path).embeddings()
    np.savez(path / "embeddings.npz", utterance=np.ones((2, 2)))
    with pytest.raises(RunError, match="utterance_id"):
        read_run(path).embeddings()
    (path / "embeddings.npz").write_bytes(b"PK\3\4 cut off")
    with pytest.raises(RunError, match="is damaged"):
        read_run(path).embeddings()


def test_ids_may_be_text_of_any_kind(tmp_path):
    arrays = vars(make_embeddings()) | {"utterance_id": pd.Series(["u000", "u001"]).to_numpy(dtype=object)}
    assert read_run(write_run_folder(tmp_path / "a", embeddings=arrays)).embeddings().utterance_id.tolist() == [
        "u000",
        "u001",
    ]


def test_a_run_that_is_replaced_while_it_is_read_is_read_again(tmp_path, monkeypatch):
    write_run_folder(tmp_path / "run")
    new = make_predictions().assign(confidence=0.25)
    read, waiting = run_module.read_predictions, [new]

    def read_after_replacement(*what):
        if waiting:
            write_run_folder(tmp_path / "run", predictions=waiting.pop())
        return read(*what)

    monkeypatch.setattr(run_module, "read_predictions", read_after_replacement)
    run = read_run(tmp_path / "run")
    assert run.stamp == run_module.folder_stamp(tmp_path / "run")
    assert (run.predictions.confidence == 0.25).all()


def test_embeddings_of_a_run_that_was_replaced_are_refused(tmp_path):
    write_run_folder(tmp_path / "run")
    run = read_run(tmp_path / "run")
    write_run_folder(tmp_path / "run", predictions=make_predictions().assign(confidence=0.25))
    with pytest.raises(RunError, match="was replaced after it was read"):
        run.embeddings()


def test_a_folder_whose_name_is_no_utf8_is_passed_over_with_a_warning(tmp_path, caplog):
    write_run_folder(tmp_path / "good")
    write_run_folder(tmp_path / "bad").rename(tmp_path / os.fsdecode(b"\xff bad"))
    assert list(find_runs_below(tmp_path)) == ["good"]
    assert list(find_runs_below(tmp_path)) == ["good"]
    (message,) = caplog.messages
    assert "\\udcff bad is passed over, since its name is no UTF-8" in message
