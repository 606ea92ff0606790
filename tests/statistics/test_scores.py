"""Scores of one run and of two, by fold, seed and speaker."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from segser_core.errors import RunError
from segser_core.statistics.scores import compare_predictions, compute_metrics, summarise_scores
from tests.support.run_folders import (
    RUN_LABELS,
    make_predictions,
)


def test_metrics_by_fold_and_seed():
    table = make_predictions(n=90, seeds=(0, 1), folds=3)
    got = compute_metrics(pd.concat([table, table.assign(split="dev", predicted="sad", fold=7)]), RUN_LABELS)
    assert got["uar"]["pooled"] == pytest.approx(balanced_accuracy_score(table.label, table.predicted))
    by_fold = [balanced_accuracy_score(g.label, g.predicted) for _, g in table.groupby("fold")]
    assert got["uar"]["per_fold"] == pytest.approx(by_fold)
    assert got["uar"]["mean_of_folds"] == pytest.approx(np.mean(by_fold))
    by_seed = [balanced_accuracy_score(g.label, g.predicted) for _, g in table.groupby("seed")]
    assert got["uar"]["per_seed"] == pytest.approx(by_seed)
    assert got["utterances"] == 90
    assert got["recall"].keys() == set(RUN_LABELS)
    low, high = got["intervals"]["uar"]
    assert low < got["uar"]["pooled"] < high
    assert all(low <= got["recall"][c] <= high for c, (low, high) in got["intervals"]["recall"].items())


def test_a_class_without_a_sample_is_null():
    got = compute_metrics(make_predictions(), (*RUN_LABELS, "bored"))
    assert got["recall"]["bored"] is None
    assert got["intervals"]["recall"]["bored"] is None
    assert got["classes_present"]["pooled"] == 3
    json.dumps(got, allow_nan=False)


def test_wrong_test_rows():
    table = make_predictions()
    with pytest.raises(RunError, match="no test utterance"):
        compute_metrics(table.assign(split="dev"), RUN_LABELS)
    with pytest.raises(RunError, match="tested twice"):
        compute_metrics(pd.concat([table, table]), RUN_LABELS)
    two = pd.concat([table, table.assign(seed=1, label="sad")])
    with pytest.raises(RunError, match="different labels"):
        compute_metrics(two, RUN_LABELS)
    with pytest.raises(RunError, match="u000 has different speakers"):
        compute_metrics(pd.concat([table, table.assign(seed=1, speaker=9)]), RUN_LABELS)


def test_comparison_pairs_by_utterance_and_seed():
    good, bad = (
        make_predictions(n=200, seeds=(0, 1), right=0.9),
        make_predictions(n=200, seeds=(1, 2), right=0.3, generator=5),
    )
    got = compare_predictions(good.sample(frac=1, random_state=0), bad, RUN_LABELS)
    one, two = (compute_metrics(t[t.seed == 1], RUN_LABELS)["uar"]["pooled"] for t in (good, bad))
    assert got.differences.uar.value == pytest.approx(one - two)
    assert got.differences.uar.interval.low > 0
    assert got.utterances == 200
    assert got.left_out == 400
    assert compare_predictions(good, good, RUN_LABELS).differences.uar.interval.high == 0


def test_comparison_is_refused_where_nothing_pairs():
    table = make_predictions()
    with pytest.raises(RunError, match="in common"):
        compare_predictions(table, table.assign(seed=3), RUN_LABELS)
    changed = table.label.where(table.index > 0, "happy" if table.label[0] != "happy" else "sad")
    with pytest.raises(RunError, match="1 utterances have another label in the other run, u000"):
        compare_predictions(table, table.assign(label=changed), RUN_LABELS)


def test_the_speakers_are_counted():
    four = summarise_scores(make_predictions(), RUN_LABELS)
    assert (four.speakers, four.few_speakers, four.by_speaker) == (4, True, None)
    for unknown in (make_predictions().drop(columns="speaker"), make_predictions().assign(speaker="")):
        got = summarise_scores(unknown, RUN_LABELS)
        assert (got.speakers, got.few_speakers, got.by_speaker) == (0, False, None)
    one_unknown = make_predictions().assign(
        speaker=np.where(np.arange(60) == 7, None, (np.arange(60) % 10).astype(str))
    )
    assert summarise_scores(one_unknown, RUN_LABELS).by_speaker is None
    many = summarise_scores(make_predictions(n=200).assign(speaker=np.arange(200) % 20), RUN_LABELS)
    assert (many.speakers, many.few_speakers) == (20, False)
    assert many.by_speaker.uar.low < many.pooled.uar


def test_intervals_by_speaker_are_written_beside_those_by_utterance():
    table = make_predictions(n=200, seeds=(0, 1))
    table["speaker"] = table.groupby("seed").cumcount() % 10
    got = compute_metrics(table, (*RUN_LABELS, "bored"))
    assert got["intervals_by_speaker"].keys() == got["intervals"].keys()
    low, high = got["intervals_by_speaker"]["uar"]
    assert low < got["uar"]["pooled"] < high
    assert got["intervals_by_speaker"]["recall"]["bored"] is None
    assert compute_metrics(make_predictions(), RUN_LABELS)["intervals_by_speaker"] is None
    shuffled = table.sample(frac=1, random_state=1)
    assert compute_metrics(shuffled, (*RUN_LABELS, "bored")) == got, "the order of the rows does not matter"


def test_a_comparison_has_its_tests_and_agreement():
    good, bad = (
        make_predictions(n=200, seeds=(0, 1), right=0.9),
        make_predictions(n=200, seeds=(0, 1), right=0.3, generator=5),
    )
    alone = compare_predictions(good, bad, RUN_LABELS)
    assert (alone.by_speaker, alone.holm_by_speaker, alone.speakers) == (None, None, 4)
    got = compare_predictions(*(t.assign(speaker=t.index % 10) for t in (good, bad)), RUN_LABELS)
    assert got.by_speaker.uar.value == got.differences.uar.value
    assert got.by_speaker.uar.interval.low > 0
    for test, (_, one), (_, two) in zip(got.mcnemar, good.groupby("seed"), bad.groupby("seed"), strict=True):
        right = one.predicted.to_numpy() == one.label.to_numpy(), two.predicted.to_numpy() == two.label.to_numpy()
        assert (test.first_only, test.second_only) == ((right[0] & ~right[1]).sum(), (~right[0] & right[1]).sum())
    assert [t.seed for t in got.mcnemar] == [0, 1]
    assert max(t.p_value for t in got.mcnemar) < 1e-6
    p = [d.p_value for d in got.differences.recall]
    assert got.holm == pytest.approx([3 * max(p)] * 3)
    assert max(got.holm) < 0.05
    assert got.agreement.share == np.mean(good.predicted.to_numpy() == bad.predicted.to_numpy())
    third = compare_predictions(good, bad, (*RUN_LABELS, "bored"))
    assert np.isnan(third.holm[3]) and third.holm[:3] == alone.holm, "a class without a sample is no test"
