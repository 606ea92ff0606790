"""Filters: what they let through, and what is said where nothing is left."""

import numpy as np
import pandas as pd
import pytest

from segser_core.runs.clip_filter import (
    ORDERS,
    ClipFilter,
    available_orders,
    distinct_values,
    excluding_conditions,
    filter_clips,
    sort_clips,
)

FULL = ClipFilter(
    label="sad",
    predicted="neutral",
    correct=False,
    wrong="this",
    corpus="cremad &=",
    speaker="Ses01 F&=",
    session="1",
    style="scripted",
    gender="female",
    seed=2,
    fold=0,
    shortest_s=10.0,
    longest_s=0.1 + 0.2,
    least_confidence=1 / 3,
    most_confidence=0.9,
    ids=("a b", "c+d", "e%20f", "Ses01/ü"),
)


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "utterance_id": ["a", "b", "c", "d", "e"],
            "label": ["sad", "sad", "happy", "happy", "sad"],
            "predicted": ["sad", "happy", "happy", "sad", "happy"],
            "correct": [True, False, True, False, False],
            "other_correct": np.array([True, True, False, False, np.nan], dtype=object),
            "speaker": ["x", "x", "y", "y", "y"],
            "session": [1, 1, 2, 2, 2],
            "seed": [0, 0, 0, 1, 1],
            "fold": [0, 1, 0, 1, 0],
            "duration_s": [1.0, 5.0, 10.0, 10.0, 20.0],
            "confidence": [0.5, 0.9, 0.7, 0.9, np.nan],
        }
    )


def test_conditions_are_those_that_are_set():
    assert set(FULL.conditions) == set(ClipFilter.__dataclass_fields__)
    assert ClipFilter().conditions == ()


@pytest.mark.parametrize("name", ClipFilter.__dataclass_fields__)
def test_each_condition_can_be_kept_alone_and_dropped(name):
    one = FULL.only(name)
    assert one.conditions == (name,)
    assert one.without(name) == ClipFilter()


def test_zero_and_false_are_conditions():
    wanted = ClipFilter(correct=False, seed=0, shortest_s=0.0)
    assert len(wanted.conditions) == 3


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (ClipFilter(), "abcde"),
        (ClipFilter(label="sad"), "abe"),
        (ClipFilter(label="sad", predicted="happy"), "be"),
        (ClipFilter(correct=True), "ac"),
        (ClipFilter(correct=False), "bde"),
        (ClipFilter(session="2"), "cde"),
        (ClipFilter(speaker="x", fold=1), "b"),
        (ClipFilter(seed=1), "de"),
        (ClipFilter(shortest_s=10.0), "cde"),
        (ClipFilter(longest_s=10.0), "abcd"),
        (ClipFilter(shortest_s=10.0, longest_s=10.0), "cd"),
        (ClipFilter(least_confidence=0.9), "bd"),
        (ClipFilter(most_confidence=0.7), "ac"),
        (ClipFilter(wrong="this"), "b"),
        (ClipFilter(wrong="other"), "c"),
        (ClipFilter(wrong="both"), "d"),
        (ClipFilter(wrong="either"), "bcd"),
        (ClipFilter(ids=("e", "a", "unknown")), "ae"),
        (ClipFilter(label="nobody"), ""),
        (ClipFilter(style="scripted"), ""),
    ],
)
def test_what_a_filter_lets_through(table, wanted, expected):
    assert "".join(filter_clips(table, wanted).utterance_id) == expected


def test_without_another_run_only_one_of_two_lets_nothing_through(table):
    assert filter_clips(table.drop(columns="other_correct"), ClipFilter(wrong="this")).empty


def test_an_empty_table_stays_empty(table):
    assert filter_clips(table.iloc[:0], FULL).empty
    assert excluding_conditions(table.iloc[:0], FULL) == FULL.conditions


def test_the_condition_that_leaves_nothing_is_named(table):
    assert excluding_conditions(table, ClipFilter(label="nobody", correct=False)) == ("label",)
    assert excluding_conditions(table, ClipFilter(label="happy", speaker="x")) == ("label", "speaker")
    assert excluding_conditions(table, ClipFilter(label="happy", speaker="x", seed=0)) == ("label", "speaker")
    assert excluding_conditions(table, ClipFilter(style="scripted", gender="female")) == ("style", "gender")


def test_orders_are_stable_and_put_what_is_not_known_last(table):
    assert "".join(sort_clips(table, "surest").utterance_id) == "bdcae"
    assert "".join(sort_clips(table, "least-sure").utterance_id) == "acbde"
    assert "".join(sort_clips(table, "longest").utterance_id) == "ecdba"
    assert set(available_orders(table)) == {"surest", "least-sure", "longest", "shortest", "name"} < set(ORDERS)
    assert "longest" not in available_orders(table.assign(duration_s=np.nan))


def test_values_of_a_column_are_names(table):
    assert distinct_values(table, "session") == ["1", "2"]
    assert distinct_values(table.assign(style=["", None, "b", "a", "b"]), "style") == ["a", "b"]
    assert distinct_values(table, "style") == []
