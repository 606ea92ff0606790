"""Tables of scores: recall by group against a slow loop, edges of length, the paper's numbers."""

import time

import numpy as np
import pandas as pd
import pytest

from segser_core.errors import SettingError
from segser_core.runs.clip_filter import filter_clips
from segser_core.runs.clip_table import clip_table
from segser_core.statistics import recall_by_group
from segser_core.statistics.bootstrap import wilson_interval
from tests.support.made_run import MADE_LABELS


def clips(n: int, seed: int = 0) -> pd.DataFrame:
    """Made-up test rows, a third of them wrong."""
    g = np.random.default_rng(seed)
    label = g.choice(MADE_LABELS[:3], n)  # none is sad
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


@pytest.mark.parametrize("by", [("length",), ("speaker",), ("length", "speaker"), ("speaker", "length", "gender")])
def test_recall_by_group_is_what_a_loop_counts(by):
    table = clips(500)
    named = table.assign(length=np.where(table.duration_s > 6, "> 6 s", "≤ 6 s"))
    found = recall_by_group.recall_by_group(table, MADE_LABELS, by, 6)
    assert found.clips.sum() == len(table)
    for row in found.to_dict("records"):
        inside = named[(named.label == row["label"]) & (named[list(by)] == [row[c] for c in by]).all(axis=1)]
        right = int((inside.label == inside.predicted).sum())
        assert (row["clips"], row["found"]) == (len(inside), pytest.approx(right))
        assert row["group"] == ", ".join(row[c] for c in by)
        if len(inside):
            interval = wilson_interval(right / len(inside), len(inside))
            assert (row["recall"], row["low"], row["high"]) == (right / len(inside), interval.low, interval.high)


def test_a_class_without_a_clip_has_a_row_that_says_so():
    of_sad = recall_by_group.recall_by_group(clips(60), MADE_LABELS, ("speaker",)).query("label == 'sad'")
    assert list(of_sad.clips) == [0, 0, 0]
    assert list(of_sad.found) == [0, 0, 0]
    assert of_sad[["recall", "low", "high"]].isna().all(axis=None)


def test_seeds_are_not_counted_as_further_clips():
    one, two = clips(100), clips(100).assign(seed=1)
    two["predicted"] = "angry"
    both = recall_by_group.recall_by_group(pd.concat([one, two]), MADE_LABELS, ("speaker",)).query("label == 'angry'")
    alone = recall_by_group.recall_by_group(one, MADE_LABELS, ("speaker",)).query("label == 'angry'")
    assert list(both.clips) == list(alone.clips)
    assert list(both.found) == pytest.approx(list((alone.found + alone.clips) / 2))
    expected = [wilson_interval(r, n).low for r, n in zip(both.recall, both.clips, strict=True)]
    assert list(both.low) == expected


def test_clips_of_unknown_speaker_and_length_are_groups_of_their_own():
    table = clips(40)
    table.loc[:9, "speaker"], table.loc[10:14, "duration_s"] = None, np.nan
    found = recall_by_group.recall_by_group(table, MADE_LABELS, ("speaker",))
    assert found[found.group == recall_by_group.UNKNOWN].clips.sum() == 10
    by_length = recall_by_group.recall_by_group(table, MADE_LABELS, ("length",))
    assert by_length[by_length.group == recall_by_group.UNKNOWN].clips.sum() == 5


@pytest.mark.parametrize("by", [(), "speaker", ("session",)])
def test_what_cannot_be_grouped_is_refused(by):
    with pytest.raises(SettingError, match=r"group"):
        recall_by_group.recall_by_group(clips(5), MADE_LABELS, by)


def test_a_hundred_thousand_rows_take_a_fraction_of_a_second():
    table = clips(100_000)
    began = time.process_time()
    recall_by_group.recall_by_group(table, MADE_LABELS, ("length", "speaker"), 6)
    assert time.process_time() - began < 0.2


def test_only_what_tells_clips_apart_is_offered():
    assert recall_by_group.available_groupings(clips(20).assign(gender="female")) == ("length", "speaker")
    assert recall_by_group.available_groupings(clips(20)[["label", "predicted"]]) == ()


@pytest.mark.parametrize(("long", "short"), [(20, 20), (30, 500)])
def test_ten_seconds_stand_where_twenty_clips_are_on_each_side(long, short):
    durations_s = np.r_[np.full(short, 10.0), np.full(long, 10.1)]
    assert recall_by_group.length_edge(durations_s) == (10.0, "")


def test_the_median_stands_in_where_ten_seconds_leave_too_few():
    durations_s = np.r_[np.linspace(2, 5, 101), np.full(19, 11)]
    edge_s, why = recall_by_group.length_edge(durations_s)
    assert edge_s == round(float(np.median(durations_s)), 1)
    assert "19 are longer than 10 s" in why
    assert f"{edge_s:g} s" in why
    _, why = recall_by_group.length_edge(np.r_[np.full(50, 12.0), np.full(3, 1.0), np.nan])
    assert "Of 53 clips 3 are not longer than 10 s" in why
    with pytest.raises(SettingError, match="duration_s"):
        recall_by_group.length_edge(np.array([np.nan]))


def test_every_edge_within_the_range_leaves_a_clip_on_either_side():
    durations_s = np.array([2.04, 3.0, 7.3])
    low_s, high_s = recall_by_group.length_range(durations_s)
    assert (low_s, high_s) == (2.1, 7.2)
    for edge_s in (low_s, high_s):
        assert 0 < (durations_s > edge_s).sum() < 3
    assert recall_by_group.small_side_warning(durations_s, 7.2) == "Only 1 clips are longer than 7.2 s."
    assert recall_by_group.small_side_warning(np.arange(100), 50) == ""


def test_a_cells_filter_lets_through_just_its_wrong_clips(two_runs):
    table = clip_table(two_runs[0])
    by, durations_s = ("length", "speaker"), table.duration_s.to_numpy()
    found = recall_by_group.recall_by_group(table, two_runs[0].labels, by, 5)
    for row in found[found.clips > 0].to_dict("records"):
        wanted = recall_by_group.cell_filter(row, by, 5, durations_s)
        chosen = filter_clips(table, wanted)
        assert len(chosen) == row["clips"] - row["found"]
