"""Scores of a run by corpus: against scikit-learn, over the classes of a corpus, in metrics.json and the report."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from segser_core.runs.run import read_run
from segser_core.statistics.report import report_json, report_text
from segser_core.statistics.scores import compute_metrics
from segser_core.statistics.scores_by_corpus import corpus_score_table, scores_by_corpus
from tests.support.run_folders import RUN_LABELS, make_predictions, write_run_folder


def several_corpora(**changes) -> pd.DataFrame:
    """Predictions of three corpora, of which `b` has no happy clip, with speakers named by corpus."""
    table = make_predictions(n=240, **changes)
    corpus = np.array(["a", "b", "c"])[table.utterance_id.str[1:].astype(int) % 3]
    corpus = np.where((corpus == "b") & (table.label == "happy"), "c", corpus)
    speaker = [f"{c}/{i // 3 % 6}" for c, i in zip(corpus, table.utterance_id.str[1:].astype(int), strict=True)]
    return table.assign(corpus=corpus, speaker=speaker)


@pytest.mark.parametrize("seeds", [(0,), (0, 1)])
def test_scores_are_those_of_scikit_learn_over_the_classes_of_the_corpus(seeds):
    table = several_corpora(seeds=seeds)
    found = {of.corpus: of for of in scores_by_corpus(table, RUN_LABELS)}
    assert list(found) == ["a", "b", "c"]
    assert found["b"].classes == ("neutral", "sad")
    for name, rows in table.groupby("corpus"):
        of = found[name]
        assert of.uar == pytest.approx(balanced_accuracy_score(rows.label, rows.predicted))
        assert of.accuracy == pytest.approx(accuracy_score(rows.label, rows.predicted))
        macro_f1 = f1_score(rows.label, rows.predicted, labels=list(of.classes), average="macro")
        assert of.macro_f1 == pytest.approx(macro_f1)
        assert of.uar_interval.low < of.uar < of.uar_interval.high
        assert of.utterances == rows.utterance_id.nunique()
        assert of.speakers == rows.speaker.nunique()
    assert (table[table.corpus == "b"].predicted == "happy").any()


def test_development_clips_do_not_count():
    table = several_corpora()
    wrong = table.assign(split="dev", predicted="sad", corpus="d", utterance_id="dev " + table.utterance_id)
    assert scores_by_corpus(pd.concat([table, wrong]), RUN_LABELS) == scores_by_corpus(table, RUN_LABELS)


def test_a_single_corpus_is_not_split():
    table = make_predictions()
    assert scores_by_corpus(table, RUN_LABELS) == ()
    assert scores_by_corpus(table.assign(corpus="ravdess"), RUN_LABELS) == ()
    assert "by_corpus" not in compute_metrics(table.assign(corpus="ravdess"), RUN_LABELS)
    assert corpus_score_table({"run": ()}).empty


def test_clips_of_an_unnamed_corpus_are_a_group():
    table = several_corpora()
    table.loc[table.corpus == "a", "corpus"] = None
    assert [of.corpus for of in scores_by_corpus(table, RUN_LABELS)] == ["b", "c", "not known"]


def test_metrics_json_names_the_classes_of_each_corpus():
    got = compute_metrics(several_corpora(), RUN_LABELS)["by_corpus"]
    json.dumps(got, allow_nan=False)
    (of,) = (of for of in scores_by_corpus(several_corpora(), RUN_LABELS) if of.corpus == "b")
    assert (got["b"]["uar"], got["b"]["macro_f1"]) == (of.uar, of.macro_f1)
    assert got["b"]["classes"] == ["neutral", "sad"]
    assert got["b"]["uar_interval"] == [of.uar_interval.low, of.uar_interval.high]
    assert got["b"]["uar_interval_by_speaker"] is not None


def test_too_few_speakers_have_no_interval():
    few = several_corpora().assign(speaker=lambda t: t.corpus)
    assert compute_metrics(few, RUN_LABELS)["by_corpus"]["a"]["uar_interval_by_speaker"] is None
    table = corpus_score_table({"run": scores_by_corpus(few, RUN_LABELS)})
    assert table.speaker_low.isna().all() and table.low.notna().all()


def test_a_report_lists_the_corpora(tmp_path):
    run = read_run(write_run_folder(tmp_path / "run", predictions=several_corpora()))
    lines = report_text([run]).splitlines()
    (head,) = (i for i, line in enumerate(lines) if line.startswith("by corpus"))
    of = scores_by_corpus(run.test_rows, RUN_LABELS)[1]
    cells = lines[head + 2].split()
    assert cells[:2] == ["b", f"{100 * of.uar:.1f}"]
    assert cells[-6:] == [f"{100 * of.accuracy:.1f}", f"{100 * of.macro_f1:.1f}", "2", "of", "3", str(of.utterances)]
    (reported,) = report_json([run])["runs"]
    assert reported["by_corpus"] == json.loads((run.path / "metrics.json").read_text())["by_corpus"]
    single = read_run(write_run_folder(tmp_path / "single"))
    assert "by corpus" not in report_text([single])


def test_labels_that_raters_heard_are_scored_beside_the_acted_ones():
    table = several_corpora()
    heard = table.label.where(table.utterance_id.str[1:].astype(int) % 4 > 0, "sad").where(table.corpus == "b", "")
    heard = heard.mask(table.utterance_id.isin(["u3", "u9"]), "bored")  # no class of the run
    found = {of.corpus: of for of in scores_by_corpus(table.assign(heard=heard), RUN_LABELS)}
    assert list(found) == ["a", "b", "b (heard)", "c"]
    rows = table[heard.isin(RUN_LABELS)]
    assert found["b (heard)"].utterances == len(rows)
    assert found["b (heard)"].uar == pytest.approx(balanced_accuracy_score(heard[rows.index], rows.predicted))
    assert found["b"] == {of.corpus: of for of in scores_by_corpus(table, RUN_LABELS)}["b"]
    alone = scores_by_corpus(table.assign(heard=heard)[table.corpus == "b"], RUN_LABELS)
    assert [of.corpus for of in alone] == ["b", "b (heard)"]
