"""The scores of runs as tables: by layer, class, fold and seed, confusions, and calibration."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from segser_core import paper
from segser_core.bundled import BUNDLED
from segser_core.errors import SettingError
from segser_core.runs.one_corpus import select_corpus
from segser_core.runs.run import read_run
from segser_core.runs.test_split import select_test_rows as rows_of_test
from segser_core.statistics import report, tables
from segser_core.statistics.calibration import measure_calibration
from segser_core.statistics.scores import compare_predictions, summarise_scores
from tests.support.made_run import MADE_LABELS


@pytest.mark.parametrize("weights", [None, [], [[]], [0.5, 0.5], [[0.5], [0.2, 0.8]], [["a"]], [[float("nan")]]])
def test_what_is_no_mix_of_layers_has_no_table(two_runs, weights):
    assert tables.layer_table(replace(two_runs[0], meta={"layer_weights": weights})) is None


def test_the_mix_of_layers_is_the_mean_over_models_in_table_and_report(two_runs):
    run = replace(two_runs[0], meta=two_runs[0].meta | {"layer_weights": [[0.5, 0.2, 0.3], [0.1, 0.4, 0.5]]})
    assert tables.layer_table(run).weight.tolist() == pytest.approx([0.3, 0.3, 0.4])
    assert "  2        40.0  30.0 to 50.0" in report.report_text([run])
    assert report.report_json([run])["runs"][0]["layer_weights"]["1"] == pytest.approx(0.3)
    assert report.report_json([two_runs[0]])["runs"][0]["layer_weights"] is None


def test_the_tables_of_two_runs_are_their_summaries_and_their_comparison(two_runs):
    first, second = two_runs
    summaries = {r.name: summarise_scores(r.predictions, r.labels) for r in two_runs}
    table = tables.recall_table(summaries)
    assert list(table.run.unique()) == [first.name, second.name]
    own = table[table.run == first.name]
    assert list(own.recall) == list(summaries[first.name].pooled.recall)
    assert own.clips.sum() == 400
    assert list(own.low) == [i.low for i in summaries[first.name].intervals.recall]
    found = compare_predictions(first.predictions, second.predictions, first.labels)
    between = tables.difference_table(found)
    assert list(between.p_holm) == list(found.holm)
    assert list(between.difference) == pytest.approx(
        list(own.recall.to_numpy() - table[table.run == second.name].recall.to_numpy())
    )
    by_speaker = tables.difference_table(found, by_speaker=True)
    assert by_speaker.low.tolist() == [d.interval.low for d in found.by_speaker.recall]


def test_intervals_by_two_speakers_are_refused():
    first, second = (select_corpus(read_run(BUNDLED / name), "ravdess") for name in ("seg+tri-w", "baseline"))
    found = compare_predictions(first.predictions, second.predictions, first.labels)
    with pytest.raises(SettingError, match="needs 5 speakers; there are 2"):
        tables.difference_table(found, by_speaker=True)
    table = tables.recall_table({"x": summarise_scores(first.predictions, first.labels)}, by_speaker=True)
    assert table.low.isna().all()
    assert table.recall.notna().all()


def test_folds_and_seeds_have_a_column_each_only_where_there_are_several(two_runs):
    of = summarise_scores(two_runs[0].predictions, two_runs[0].labels)
    table = tables.score_table({"x": of})
    assert list(table.columns) == ["run", "score", "pooled", "mean of folds", *(f"fold {i}" for i in range(5))]
    assert list(table.pooled) == [of.pooled.uar, of.pooled.accuracy, of.pooled.macro_f1]
    assert table["mean of folds"][0] == pytest.approx(np.mean([s.uar for s in of.per_fold]))


def test_confusions_are_counted_and_shared_out_by_true_class():
    rows = pd.DataFrame({"label": ["sad", "sad", "sad", "happy"], "predicted": ["sad", "angry", "angry", "happy"]})
    rows["utterance_id"], rows["split"] = list("abcd"), "test"
    table = tables.confusion_table(summarise_scores(rows, MADE_LABELS).pooled).set_index(["label", "predicted"])
    assert table.loc[("sad", "angry")].tolist() == [2, pytest.approx(2 / 3)]
    assert table.loc[("happy", "happy")].tolist() == [1, 1]
    assert np.isnan(table.loc[("neutral", "sad"), "share"])


def test_overconfidence_is_confidence_minus_accuracy(two_runs):
    rows = rows_of_test(two_runs[0].predictions)
    gap = rows.confidence.mean() - (rows.label == rows.predicted).mean()
    of = measure_calibration(two_runs[0].predictions, two_runs[0].labels)
    assert tables.overconfidence(of) == pytest.approx(gap)
    assert tables.reliability_table({"x": of})["count"].sum() == len(rows)
    assert tables.segment_group_table({"x": of}).empty


def test_the_papers_numbers_are_those_of_its_table():
    of = {r.system: r for r in paper.reported_scores("ravdess")}
    assert "p-tapt" not in of
    assert of["seg+tri-w"].uar == pytest.approx(0.805)
    right = [round(of[s].accuracy * 208) for s in ("baseline", "seg", "tri-w", "seg+tri-s")]
    assert right == [141, 150, 163, 160]
    assert len(paper.reported_scores("iemocap")) == 7
    assert len(paper.reported_scores("fesc")) == 5
    assert paper.reported_scores("emodb") == ()
    assert paper.layer_average_note("fesc") is None
