"""Scores and paired differences under each rule of aggregation."""

import time
from dataclasses import replace

import numpy as np

from segser_core.prediction.rules import AGGREGATES
from segser_core.runs.reaggregate import reaggregate, stored_rule
from segser_core.runs.run import read_run
from segser_core.statistics import scores_by_rule
from segser_core.statistics.scores import compare_predictions, summarise_scores
from tests.support.made_run import make_runs


def test_scores_under_each_rule_are_those_of_the_run_under_it(two_runs):
    for run in two_runs:
        found = scores_by_rule.scores_by_rule(run)
        assert next(iter(found)) == stored_rule(run)
        assert set(found) == set(AGGREGATES)
        for rule, of in found.items():
            expected = summarise_scores(reaggregate(run, rule), run.labels)
            assert of.pooled.uar == expected.pooled.uar
            assert of.intervals.uar == expected.intervals.uar


def test_the_table_of_rules_has_a_row_a_run_and_rule(two_runs):
    found = {run.name: scores_by_rule.scores_by_rule(run) for run in two_runs}
    for label, value in ((None, lambda s: s.uar), ("sad", lambda s: s.recall[3])):
        table = scores_by_rule.rule_table(found, label).set_index(["rule", "run"])
        for rule in AGGREGATES:
            for run in two_runs:
                assert table.loc[(rule, run.name), "value"] == value(found[run.name][rule].pooled)
        assert table.own.sum() == 2


def test_differences_under_each_rule_are_those_of_the_two_runs_under_it(two_runs):
    first, second = two_runs
    found = scores_by_rule.differences_by_rule(first, second)
    assert list(found) == list(AGGREGATES)
    for rule, of in found.items():
        expected = compare_predictions(reaggregate(first, rule), reaggregate(second, rule), first.labels).differences
        assert of == expected
    table = scores_by_rule.rule_difference_table(found, first.labels.index("sad")).set_index("rule")
    sad = found["mean"].recall[3]
    assert table.loc["mean"].tolist() == [sad.value, sad.interval.low, sad.interval.high]
    assert scores_by_rule.rule_difference_table(found).difference.tolist() == [of.uar.value for of in found.values()]


def test_runs_are_paired_clip_by_clip_whatever_the_order_of_clips_and_classes(two_runs):
    first, second = two_runs
    expected = scores_by_rule.differences_by_rule(first, second)
    rows = second.predictions.sample(frac=1, random_state=1)
    turned = replace(second, predictions=rows, labels=second.labels[::-1])
    assert scores_by_rule.differences_by_rule(first, turned) == expected
    half = replace(second, predictions=second.predictions.iloc[:200])
    shared = compare_predictions(first.predictions.iloc[:200], reaggregate(half, stored_rule(first)), first.labels)
    assert scores_by_rule.differences_by_rule(first, half)[stored_rule(first)] == shared.differences


def test_a_run_without_segments_has_the_rules_that_it_can_tell(two_runs):
    bare = replace(two_runs[1], segments=None)
    assert list(scores_by_rule.scores_by_rule(bare)) == ["utterance"]
    assert list(scores_by_rule.differences_by_rule(two_runs[0], bare)) == ["utterance"]


def test_every_rule_of_two_runs_of_iemocaps_size_is_paired_in_well_under_a_second(tmp_path):
    first, second = (read_run(place) for place in make_runs(tmp_path, 5531))
    began = time.process_time()
    found = scores_by_rule.differences_by_rule(first, second)
    assert time.process_time() - began < 1.5  # 0.4 s where nothing else runs
    assert all(of.resamples == 10_000 for of in found.values())
    assert not np.isnan(found["mean"].uar.p_value)
