"""Filters: their way through an address, what they let through, and what is said where nothing is left."""

import numpy as np
import pandas as pd
import pytest

from segser_core.runs.clip_filter import ORDERS, Filter, obstacles, ordered, orders_of, select, values_of

FULL = Filter(
    label="sad",
    predicted="neutral",
    correct=False,
    wrong="this",
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


def test_a_filter_comes_back_from_its_address():
    assert Filter.from_address(FULL.to_address()) == FULL
    assert all(isinstance(value, str) for value in FULL.to_address().values())
    assert set(FULL.set) == set(Filter.__dataclass_fields__)


@pytest.mark.parametrize("name", Filter.__dataclass_fields__)
def test_each_condition_comes_back_by_itself(name):
    one = FULL.only(name)
    assert list(one.to_address()) == [name] and one.set == (name,)
    assert Filter.from_address(one.to_address()) == one
    assert one.without(name) == Filter()


def test_no_filter_has_an_empty_address():
    assert Filter().to_address() == {} and Filter.from_address({}) == Filter() and Filter().set == ()


def test_zero_and_false_are_conditions():
    wanted = Filter(correct=False, seed=0, shortest_s=0.0)
    assert Filter.from_address(wanted.to_address()) == wanted and len(wanted.set) == 3


@pytest.mark.parametrize(
    "address",
    [
        {"correct": "perhaps"},
        {"seed": "one"},
        {"shortest_s": "nan"},
        {"longest_s": "inf"},
        {"wrong": "nobody"},
        {"label": ""},
        {"run": "baseline"},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_passed_over(address):
    assert Filter.from_address(address) == Filter()


def test_plain_ids_are_plain_in_the_address():
    assert Filter(ids=("03-01-06-01", "Ses01F_impro05_F019")).to_address() == {"ids": "03-01-06-01 Ses01F_impro05_F019"}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Filter(), "abcde"),
        (Filter(label="sad"), "abe"),
        (Filter(label="sad", predicted="happy"), "be"),
        (Filter(correct=True), "ac"),
        (Filter(correct=False), "bde"),
        (Filter(session="2"), "cde"),
        (Filter(speaker="x", fold=1), "b"),
        (Filter(seed=1), "de"),
        (Filter(shortest_s=10.0), "cde"),
        (Filter(longest_s=10.0), "abcd"),
        (Filter(shortest_s=10.0, longest_s=10.0), "cd"),
        (Filter(least_confidence=0.9), "bd"),
        (Filter(most_confidence=0.7), "ac"),
        (Filter(wrong="this"), "b"),
        (Filter(wrong="other"), "c"),
        (Filter(wrong="both"), "d"),
        (Filter(wrong="either"), "bcd"),
        (Filter(ids=("e", "a", "unknown")), "ae"),
        (Filter(label="nobody"), ""),
        (Filter(style="scripted"), ""),
    ],
)
def test_what_a_filter_lets_through(table, wanted, expected):
    assert "".join(select(table, wanted).utterance_id) == expected


def test_without_another_run_only_one_of_two_lets_nothing_through(table):
    assert select(table.drop(columns="other_correct"), Filter(wrong="this")).empty


def test_an_empty_table_stays_empty(table):
    assert select(table.iloc[:0], FULL).empty and obstacles(table.iloc[:0], FULL) == FULL.set


def test_the_condition_that_leaves_nothing_is_named(table):
    assert obstacles(table, Filter(label="nobody", correct=False)) == ("label",)
    assert obstacles(table, Filter(label="happy", speaker="x")) == ("label", "speaker")
    assert obstacles(table, Filter(label="happy", speaker="x", seed=0)) == ("label", "speaker")
    assert obstacles(table, Filter(style="scripted", gender="female")) == ("style", "gender")


def test_orders_are_stable_and_put_what_is_not_known_last(table):
    assert "".join(ordered(table, "surest").utterance_id) == "bdcae"
    assert "".join(ordered(table, "least-sure").utterance_id) == "acbde"
    assert "".join(ordered(table, "longest").utterance_id) == "ecdba"
    assert set(orders_of(table)) == {"surest", "least-sure", "longest", "shortest", "name"} < set(ORDERS)
    assert "longest" not in orders_of(table.assign(duration_s=np.nan))


def test_values_of_a_column_are_names(table):
    assert values_of(table, "session") == ["1", "2"]
    assert values_of(table.assign(style=["", None, "b", "a", "b"]), "style") == ["a", "b"]
    assert values_of(table, "style") == []
