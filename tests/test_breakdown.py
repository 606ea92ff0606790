"""Tables of scores: recall by group against a slow loop, edges of length, the paper's numbers."""

import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from segser_core import breakdown, paper, report
from segser_core.bootstrap import wilson
from segser_core.calibration import calibrate
from segser_core.clips import clip_table
from segser_core.errors import SettingError
from segser_core.rows import test_rows as rows_of_test
from segser_core.runs import BUNDLED, read_run
from segser_core.scores import compare, summarise
from segser_core.selection import Filter, select
from tests.made_run import made_runs

LABELS = ("angry", "happy", "neutral", "sad")


def clips(n: int, seed: int = 0) -> pd.DataFrame:
    """Made-up test rows, a third of them wrong."""
    g = np.random.default_rng(seed)
    label = g.choice(LABELS[:3], n)  # none is sad
    return pd.DataFrame(
        {
            "utterance_id": [f"u{i}" for i in range(n)],
            "label": label,
            "predicted": np.where(g.random(n) < 0.33, "happy", label),
            "speaker": g.choice(["A", "B", "C"], n),
            "gender": g.choice(["female", "male"], n),
            "duration_s": np.round(g.gamma(3, 2, n), 2),
            "seed": 0,
        }
    )


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return tuple(read_run(place) for place in made_runs(tmp_path_factory.mktemp("made"), 400))


@pytest.mark.parametrize("weights", [None, [], [[]], [0.5, 0.5], [[0.5], [0.2, 0.8]], [["a"]], [[float("nan")]]])
def test_what_is_no_mix_of_layers_has_no_table(pair, weights):
    assert breakdown.layer_table(replace(pair[0], meta={"layer_weights": weights})) is None


def test_the_mix_of_layers_is_the_mean_over_models_in_table_and_report(pair):
    run = replace(pair[0], meta=pair[0].meta | {"layer_weights": [[0.5, 0.2, 0.3], [0.1, 0.4, 0.5]]})
    assert breakdown.layer_table(run).weight.tolist() == pytest.approx([0.3, 0.3, 0.4])
    assert "  2        40.0  30.0 to 50.0" in report.report_text([run])
    assert report.report_json([run])["runs"][0]["layer_weights"]["1"] == pytest.approx(0.3)
    assert report.report_json([pair[0]])["runs"][0]["layer_weights"] is None


@pytest.mark.parametrize("by", [("length",), ("speaker",), ("length", "speaker"), ("speaker", "length", "gender")])
def test_recall_by_group_is_what_a_loop_counts(by):
    table = clips(500)
    named = table.assign(length=np.where(table.duration_s > 6, "> 6 s", "≤ 6 s"))
    found = breakdown.breakdown(table, LABELS, by, 6)
    assert found.clips.sum() == len(table)
    for row in found.to_dict("records"):
        inside = named[(named.label == row["label"]) & (named[list(by)] == [row[c] for c in by]).all(axis=1)]
        right = int((inside.label == inside.predicted).sum())
        assert (row["clips"], row["found"]) == (len(inside), pytest.approx(right))
        assert row["group"] == ", ".join(row[c] for c in by)
        if len(inside):
            interval = wilson(right / len(inside), len(inside))
            assert (row["recall"], row["low"], row["high"]) == (right / len(inside), interval.low, interval.high)


def test_a_class_without_a_clip_has_a_row_that_says_so():
    of_sad = breakdown.breakdown(clips(60), LABELS, ("speaker",)).query("label == 'sad'")
    assert list(of_sad.clips) == [0, 0, 0] and list(of_sad.found) == [0, 0, 0]
    assert of_sad[["recall", "low", "high"]].isna().all(axis=None)


def test_seeds_are_not_counted_as_further_clips():
    one, two = clips(100), clips(100).assign(seed=1)
    two["predicted"] = "angry"
    both = breakdown.breakdown(pd.concat([one, two]), LABELS, ("speaker",)).query("label == 'angry'")
    alone = breakdown.breakdown(one, LABELS, ("speaker",)).query("label == 'angry'")
    assert list(both.clips) == list(alone.clips)
    assert list(both.found) == pytest.approx(list((alone.found + alone.clips) / 2))
    expected = [wilson(r, n).low for r, n in zip(both.recall, both.clips, strict=True)]
    assert list(both.low) == expected


def test_clips_of_unknown_speaker_and_length_are_groups_of_their_own():
    table = clips(40)
    table.loc[:9, "speaker"], table.loc[10:14, "duration_s"] = None, np.nan
    found = breakdown.breakdown(table, LABELS, ("speaker",))
    assert found[found.group == breakdown.UNKNOWN].clips.sum() == 10
    assert breakdown.breakdown(table, LABELS, ("length",)).query("group == @breakdown.UNKNOWN").clips.sum() == 5


@pytest.mark.parametrize("by", [(), "speaker", ("session",)])
def test_what_cannot_be_grouped_is_refused(by):
    with pytest.raises(SettingError, match=r"group"):
        breakdown.breakdown(clips(5), LABELS, by)


def test_a_hundred_thousand_rows_take_a_fraction_of_a_second():
    table = clips(100_000)
    began = time.process_time()
    breakdown.breakdown(table, LABELS, ("length", "speaker"), 6)
    assert time.process_time() - began < 0.2


def test_only_what_tells_clips_apart_is_offered():
    assert breakdown.groupings(clips(20).assign(gender="female")) == ("length", "speaker")
    assert breakdown.groupings(clips(20)[["label", "predicted"]]) == ()


@pytest.mark.parametrize(("long", "short"), [(20, 20), (30, 500)])
def test_ten_seconds_stand_where_twenty_clips_are_on_each_side(long, short):
    durations_s = np.r_[np.full(short, 10.0), np.full(long, 10.1)]
    assert breakdown.length_edge(durations_s) == (10.0, "")


def test_the_median_stands_in_where_ten_seconds_leave_too_few():
    durations_s = np.r_[np.linspace(2, 5, 101), np.full(19, 11)]
    edge_s, why = breakdown.length_edge(durations_s)
    assert edge_s == round(float(np.median(durations_s)), 1)
    assert "19 are longer than 10 s" in why and f"{edge_s:g} s" in why
    _, why = breakdown.length_edge(np.r_[np.full(50, 12.0), np.full(3, 1.0), np.nan])
    assert "Of 53 clips 3 are not longer than 10 s" in why
    with pytest.raises(SettingError, match="duration_s"):
        breakdown.length_edge(np.array([np.nan]))


def test_every_edge_within_the_range_leaves_a_clip_on_either_side():
    durations_s = np.array([2.04, 3.0, 7.3])
    low_s, high_s = breakdown.length_range(durations_s)
    assert (low_s, high_s) == (2.1, 7.2)
    for edge_s in (low_s, high_s):
        assert 0 < (durations_s > edge_s).sum() < 3
    assert breakdown.few_on_a_side(durations_s, 7.2) == "Only 1 clips are longer than 7.2 s."
    assert breakdown.few_on_a_side(np.arange(100), 50) == ""
    assert [breakdown.seconds_in(t, 2.1, 7.2) for t in ("3.5", "8", "x", "nan", "")] == [3.5, None, None, None, None]


def test_a_cells_filter_lets_through_just_its_wrong_clips(pair):
    table = clip_table(pair[0])
    by, durations_s = ("length", "speaker"), table.duration_s.to_numpy()
    found = breakdown.breakdown(table, pair[0].labels, by, 5)
    for row in found[found.clips > 0].to_dict("records"):
        wanted = breakdown.cell_filter(row, by, 5, durations_s)
        chosen = select(table, wanted)
        assert len(chosen) == row["clips"] - row["found"]
        assert select(table, Filter.from_address(wanted.to_address())).equals(chosen)


def test_the_tables_of_two_runs_are_their_summaries_and_their_comparison(pair):
    first, second = pair
    summaries = {r.name: summarise(r.predictions, r.labels) for r in pair}
    table = breakdown.recall_table(summaries)
    assert list(table.run.unique()) == [first.name, second.name]
    own = table[table.run == first.name]
    assert list(own.recall) == list(summaries[first.name].pooled.recall)
    assert own.clips.sum() == 400 and list(own.low) == [i.low for i in summaries[first.name].intervals.recall]
    found = compare(first.predictions, second.predictions, first.labels)
    between = breakdown.difference_table(found)
    assert list(between.p_holm) == list(found.holm)
    assert list(between.difference) == pytest.approx(
        list(own.recall.to_numpy() - table[table.run == second.name].recall.to_numpy())
    )
    by_speaker = breakdown.difference_table(found, by_speaker=True)
    assert by_speaker.low.tolist() == [d.interval.low for d in found.by_speaker.recall]


def test_intervals_by_two_speakers_are_refused():
    first, second = (read_run(BUNDLED / name) for name in ("seg+tri-w", "baseline"))
    found = compare(first.predictions, second.predictions, first.labels)
    with pytest.raises(SettingError, match="needs 5 speakers; there are 2"):
        breakdown.difference_table(found, by_speaker=True)
    table = breakdown.recall_table({"x": summarise(first.predictions, first.labels)}, by_speaker=True)
    assert table.low.isna().all() and table.recall.notna().all()


def test_folds_and_seeds_have_a_column_each_only_where_there_are_several(pair):
    of = summarise(pair[0].predictions, pair[0].labels)
    table = breakdown.score_table({"x": of})
    assert list(table.columns) == ["run", "score", "pooled", "mean of folds", *(f"fold {i}" for i in range(5))]
    assert list(table.pooled) == [of.pooled.uar, of.pooled.accuracy, of.pooled.macro_f1]
    assert table["mean of folds"][0] == pytest.approx(np.mean([s.uar for s in of.per_fold]))


def test_confusions_are_counted_and_shared_out_by_true_class():
    rows = pd.DataFrame({"label": ["sad", "sad", "sad", "happy"], "predicted": ["sad", "angry", "angry", "happy"]})
    rows["utterance_id"], rows["split"] = list("abcd"), "test"
    table = breakdown.confusion_table(summarise(rows, LABELS).pooled).set_index(["label", "predicted"])
    assert table.loc[("sad", "angry")].tolist() == [2, pytest.approx(2 / 3)]
    assert table.loc[("happy", "happy")].tolist() == [1, 1]
    assert np.isnan(table.loc[("neutral", "sad"), "share"])


def test_overconfidence_is_confidence_minus_accuracy(pair):
    rows = rows_of_test(pair[0].predictions)
    gap = rows.confidence.mean() - (rows.label == rows.predicted).mean()
    of = calibrate(pair[0].predictions, pair[0].labels)
    assert breakdown.overconfidence(of) == pytest.approx(gap)
    assert breakdown.reliability_table({"x": of})["count"].sum() == len(rows)
    assert breakdown.segments_table({"x": of}).empty


def test_the_papers_numbers_are_those_of_its_table():
    of = {r.system: r for r in paper.reported("ravdess")}
    assert "p-tapt" not in of and of["seg+tri-w"].uar == pytest.approx(0.805)
    right = [round(of[s].accuracy * 208) for s in ("baseline", "seg", "tri-w", "seg+tri-s")]
    assert right == [141, 150, 163, 160]
    assert len(paper.reported("iemocap")) == 7 and len(paper.reported("fesc")) == 5
    assert paper.reported("emodb") == () and paper.layer_average_note("fesc") is None
