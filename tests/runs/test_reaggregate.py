"""A run under another rule of aggregation, against a slow loop over `prediction.aggregate`."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from segser_core.bundled import BUNDLED
from segser_core.errors import RunError
from segser_core.prediction.rules import AGGREGATES, aggregate, aggregate_all, rank_by_confidence
from segser_core.runs.reaggregate import KEY, available_rules, count_segments, reaggregate, stored_rule
from segser_core.runs.run import Run, read_run
from tests.support.made_run import MADE_LABELS, make_runs, with_seeds_and_folds

SEGMENT_RULES = tuple(rule for rule in AGGREGATES if rule != "utterance")


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Run:
    return read_run(make_runs(tmp_path_factory.mktemp("made"), 60)[0])


def eighths(counts: np.ndarray, seed: int, classes: int = 4) -> np.ndarray:
    """Probabilities in steps of an eighth, so that many are equal and every sum is exact."""
    g = np.random.default_rng(seed)
    return g.multinomial(8, np.full(classes, 1 / classes), counts.sum()) / 8


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("rule", SEGMENT_RULES)
def test_all_recordings_at_once_equal_a_loop_over_them_with_ties(rule, seed):
    counts = np.random.default_rng(seed).integers(1, 9, 300)
    p = eighths(counts, seed)
    starts = np.cumsum(counts) - counts
    found, labels = aggregate_all(p, starts, rule)
    for i, part in enumerate(np.split(p, starts[1:])):
        label, expected = aggregate(part[0], part, rule)
        assert labels[i] == label
        assert found[i] == pytest.approx(expected)


def test_the_ties_are_there():
    counts = np.full(300, 4)
    p = eighths(counts, 0)
    shares = np.add.reduceat(np.eye(4)[p.argmax(axis=1)], np.arange(0, len(p), 4))
    assert ((shares == shares.max(axis=1, keepdims=True)).sum(axis=1) > 1).sum() > 50
    surest = p.max(axis=1).reshape(-1, 4)
    assert ((surest == surest.max(axis=1, keepdims=True)).sum(axis=1) > 1).sum() > 50


def test_of_equally_confident_segments_the_first_leads():
    p = np.array([[0.5, 0.5], [0.1, 0.9], [0.9, 0.1], [0.2, 0.8]])
    assert rank_by_confidence(p, np.array([0, 3])).tolist() == [1, 2, 0, 3]


def loop(run: Run, rule: str) -> dict[tuple, tuple[str, float]]:
    """Label and confidence of every row, found row by row."""
    found = {}
    names = [f"p_{c}" for c in run.labels]
    for row in run.predictions.to_dict("records"):
        of = run.segments
        of = of[(of.utterance_id == row["utterance_id"]) & (of.seed == row["seed"])]
        of = (of[of.fold == row["fold"]] if "fold" in of else of).sort_values("segment")
        u = np.array([row[f"u_{c}"] for c in run.labels])
        label, p = aggregate(u, of[names].to_numpy(), rule)
        found[tuple(row[k] for k in KEY)] = (run.labels[label], p[label])
    return found


@pytest.mark.parametrize("rule", AGGREGATES)
@pytest.mark.parametrize("shape", ["one seed", "several seeds and folds"])
def test_a_run_under_a_rule_equals_a_loop_over_its_rows(made, rule, shape):
    run = made if shape == "one seed" else with_seeds_and_folds(made)
    run = replace(run, meta=run.meta | {"aggregate": "vote" if rule == "max" else "max"})
    found, expected = reaggregate(run, rule), loop(run, rule)
    assert len(found) == len(expected)
    for row in found.itertuples():
        label, confidence = expected[row.utterance_id, row.seed, row.fold]
        assert row.predicted == label
        assert row.confidence == pytest.approx(confidence)
        assert getattr(row, f"p_{label}") == pytest.approx(confidence)


def test_its_own_rule_gives_the_run_its_own_rows_and_finding_them_anew_gives_the_same(made):
    assert reaggregate(made, "max") is made.predictions
    anew = reaggregate(replace(made, meta=made.meta | {"aggregate": "mean"}), "max")
    assert (anew.predicted.to_numpy() == made.predictions.predicted.to_numpy()).all()
    assert anew.confidence.to_numpy() == pytest.approx(made.predictions.confidence.to_numpy())


@pytest.mark.parametrize("name", ["baseline", "seg+tri-w"])
def test_the_bundled_runs_stored_labels_are_those_of_their_own_rule(name):
    run = read_run(BUNDLED / name)
    own = stored_rule(run)
    anew = reaggregate(replace(run, meta=run.meta | {"aggregate": "vote"}), own)
    assert (anew.predicted.to_numpy() == run.predictions.predicted.to_numpy()).all()


def test_a_run_of_an_unknown_rule_has_its_systems_own(made):
    assert stored_rule(replace(made, meta={})) == "max"
    assert stored_rule(replace(made, meta={"aggregate": "magic"}, system="baseline")) == "utterance"


def test_rules_need_segments_or_the_whole_utterance(made):
    assert available_rules(made) == ("max", "utterance", "mean", "vote", "top-k")
    bare = made.predictions.drop(columns=[f"u_{c}" for c in MADE_LABELS])
    assert "utterance" not in available_rules(replace(made, predictions=bare))
    assert available_rules(replace(made, predictions=bare, segments=None)) == ("max",)


def test_a_rule_that_cannot_be_told_is_refused_by_name(made):
    with pytest.raises(RunError, match="mean: it has max, utterance alone"):
        reaggregate(replace(made, segments=None), "mean")


def test_a_test_clip_without_segments_is_refused_and_a_development_clip_is_left_out(made):
    lost = made.predictions.utterance_id.iloc[7]
    fewer = replace(made, segments=made.segments[made.segments.utterance_id != lost])
    with pytest.raises(RunError, match=lost):
        reaggregate(fewer, "mean")
    split = np.where(made.predictions.utterance_id == lost, "dev", "test")
    found = reaggregate(replace(fewer, predictions=made.predictions.assign(split=split)), "mean")
    assert len(found) == len(made.predictions) - 1
    assert lost not in set(found.utterance_id)


def test_segments_of_unknown_utterances_are_passed_over(made):
    more = pd.concat([made.segments.assign(utterance_id="nobody"), made.segments])
    found, expected = reaggregate(replace(made, segments=more), "mean"), reaggregate(made, "mean")
    assert found.confidence.to_numpy() == pytest.approx(expected.confidence.to_numpy())


def test_segments_that_two_rows_could_claim_are_refused(made):
    run = with_seeds_and_folds(made, seeds=1)
    with pytest.raises(RunError, match=r"several rows of .* a row once for each utterance_id, seed"):
        reaggregate(replace(run, segments=run.segments.drop(columns="fold")), "mean")


def test_segments_are_counted_for_each_row(made):
    run = with_seeds_and_folds(made)
    counts = count_segments(run)
    assert len(counts) == len(run.predictions)
    for key, n in list(counts.items())[::37]:
        same = np.logical_and.reduce([run.segments[name] == value for name, value in zip(KEY, key, strict=True)])
        assert n == same.sum()
    assert count_segments(replace(made, segments=None)) is None


def test_a_run_folder_is_not_needed(made):
    assert len(reaggregate(replace(made, path=Path("nowhere")), "mean")) == 60
