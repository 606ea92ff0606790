"""Recordings with stretches as a run folder has them: read, damaged, and lacking what is optional."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from segser_core.errors import RunError
from segser_core.prediction.rules import aggregate
from segser_core.runs.changing_recordings import changing_contexts, changing_recordings
from segser_core.runs.run import Run, read_run
from tests.support.changing_runs import write_changing_run
from tests.support.run_folders import RUN_LABELS, run_meta, write_run_folder


@pytest.fixture
def run(tmp_path) -> Run:
    """A run of 12 recordings with stretches."""
    return read_run(write_changing_run(tmp_path / "run"))


def rewrite(run: Run, file: str, table: pd.DataFrame) -> Run:
    table.to_parquet(run.path / f"{file}.parquet")
    return read_run(run.path)


def test_what_is_written_is_read(run):
    assert len(run.stretches) == 24
    assert changing_contexts(run) == ("clip", "segment")
    found = changing_recordings(run, "clip")
    assert [r.utterance_id for r in found] == run.predictions["utterance_id"].tolist()
    assert [len(r.steps) for r in found] == [200] * 12
    assert found[1].speaker == "s1"


@pytest.mark.parametrize("context", ["clip", "segment"])
def test_steps_and_labels_are_those_of_a_loop(run, context):
    side = "p" if context == "clip" else "i"
    for recording in changing_recordings(run, context):
        rows = run.segments[run.segments["utterance_id"] == recording.utterance_id]
        p = rows[[f"{side}_{c}" for c in RUN_LABELS]].to_numpy()
        for k in (0, 49, 50, 99, 100, 149, 150, 199):
            t = k / 50 + 0.01
            over = (rows["start_s"] <= t) & (t < rows["end_s"])
            assert recording.steps[k] == p[over.to_numpy()].mean(axis=0).argmax()
        told = run.predictions.set_index("utterance_id").loc[recording.utterance_id, "predicted"]
        expected = RUN_LABELS.index(told) if context == "clip" else aggregate(None, p, "max")[0]
        assert recording.predicted == expected


def test_the_rule_utterance_has_the_same_label_in_both_contexts(tmp_path):
    meta = run_meta(corpus="manifest", aggregate="utterance")
    run = read_run(write_changing_run(tmp_path / "run", meta=meta))
    one, two = (changing_recordings(run, context) for context in ("clip", "segment"))
    assert [r.predicted for r in one] == [r.predicted for r in two]


def test_each_context_has_its_own_labels_of_stretches_alone(run):
    alone, isolated = (changing_recordings(run, context) for context in ("clip", "segment"))
    for one, two in zip(alone, isolated, strict=True):
        truth = [RUN_LABELS.index(s.label) for s in one.stretches]
        assert one.alone == (0, truth[1])
        assert two.alone == tuple(truth)


def test_what_is_optional_may_be_lacking(run, tmp_path):
    no_stretches = replace(run, stretches=None)
    assert all(r.alone is None for r in changing_recordings(no_stretches, "clip"))
    in_context = replace(run, segments=run.segments.drop(columns=[f"i_{c}" for c in RUN_LABELS]))
    assert changing_contexts(in_context) == ("clip",)
    with pytest.raises(RunError, match="no stretches to score in the context segment"):
        changing_recordings(in_context, "segment")
    assert changing_contexts(replace(run, segments=None)) == ()
    assert changing_contexts(replace(run, predictions=run.predictions.assign(stretches=""))) == ()
    plain = read_run(write_run_folder(tmp_path / "plain"))
    assert plain.stretches is None
    assert changing_contexts(plain) == ()


def test_development_rows_and_rows_without_stretches_are_passed_over(run):
    split, stretches = run.predictions["split"].copy(), run.predictions["stretches"].copy()
    split.iloc[0], stretches.iloc[1] = "dev", ""
    found = changing_recordings(
        replace(run, predictions=run.predictions.assign(split=split, stretches=stretches)), "clip"
    )
    assert [r.utterance_id for r in found] == run.predictions["utterance_id"].tolist()[2:]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[[0, 2", r"predictions\.parquet: column stretches of u00: stretches are"),
        ('[[2, 1, "sad"]]', "expected 0 ≤ start < end"),
        ('[[0, 2, "bored"]]', "has bored, which is no label of the run"),
    ],
)
def test_damaged_stretches_of_predictions(run, text, why):
    table = run.predictions
    with pytest.raises(RunError, match=why):
        rewrite(run, "predictions", table.assign(stretches=[text, *table["stretches"][1:]]))
    with pytest.raises(RunError, match=r"column stretches of u00: stretches are '1'"):
        rewrite(run, "predictions", table.assign(stretches=1))
    empty = rewrite(run, "predictions", table.assign(stretches=[None, *table["stretches"][1:]]))
    assert len(changing_recordings(empty, "clip")) == 11


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda t: t.drop(columns="alone"), r"stretches\.parquet has no column alone"),
        (lambda t: t.drop(columns="p_sad"), "has no column p_sad"),
        (lambda t: t.assign(alone="bored"), "column alone has bored"),
        (lambda t: t.assign(alone_isolated="bored"), "column alone_isolated has bored"),
        (lambda t: t.assign(stretch=0.5), "column stretch holds something that is not a whole number"),
        (lambda t: t.assign(i_sad=1.5), "column i_sad holds something that is not a share"),
        (lambda t: t.assign(end_s=np.inf), "column end_s holds something that is not a finite number"),
    ],
)
def test_damaged_stretches_parquet(run, change, why):
    with pytest.raises(RunError, match=why):
        rewrite(run, "stretches", change(run.stretches))


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.iloc[1:],
        lambda t: t.assign(start_s=t["start_s"] + 0.1),
        lambda t: t.assign(label=np.roll(t["label"], 1)),
        lambda t: t.assign(seed=1),
    ],
    ids=["one is lacking", "another start", "other labels", "another seed"],
)
def test_stretches_that_are_not_those_of_the_predictions(run, change):
    other = rewrite(run, "stretches", change(run.stretches))
    with pytest.raises(RunError, match=r"stretches of u00 \(seed 0\), which are not the 2 of predictions\.parquet"):
        changing_recordings(other, "clip")


def test_the_rest_of_the_project_reads_such_a_run(run):
    assert json.loads((run.path / "metrics.json").read_text())["utterances"] == 12
    assert run.aligned_segments.isolated.shape == (36, 3)


def test_stretches_that_outlast_the_recording_are_refused(run):
    table = run.predictions.copy()
    table.loc[0, "stretches"] = '[[0, 2, "neutral"], [2, 1e11, "sad"]]'
    damaged = rewrite(run, "predictions", table)
    with pytest.raises(RunError, match=r"the stretches of u00 end at 1e\+11 s, but its segments at 4 s"):
        changing_recordings(damaged, "clip")
