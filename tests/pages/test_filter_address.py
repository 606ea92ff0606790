"""Filters of clips as values of an address, and back."""

import pytest

from pages.shared.recall.by_group import parse_seconds
from pages.shared.runs.filter_address import MAX_LINKED_IDS, filter_from_address, filter_link, filter_to_address
from segser_core.bundled import BUNDLED
from segser_core.runs.clip_filter import ClipFilter
from segser_core.runs.clip_table import clip_table
from segser_core.runs.run import read_run
from segser_core.statistics.recall_by_group import cell_filter, recall_by_group

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


def test_a_filter_comes_back_from_its_address():
    assert filter_from_address(filter_to_address(FULL)) == FULL
    assert all(isinstance(value, str) for value in filter_to_address(FULL).values())


@pytest.mark.parametrize("name", ClipFilter.__dataclass_fields__)
def test_each_condition_comes_back_by_itself(name):
    one = FULL.only(name)
    assert list(filter_to_address(one)) == [name]
    assert filter_from_address(filter_to_address(one)) == one


def test_no_filter_has_an_empty_address():
    assert filter_to_address(ClipFilter()) == {}
    assert filter_from_address({}) == ClipFilter()


def test_zero_and_false_are_conditions():
    wanted = ClipFilter(correct=False, seed=0, shortest_s=0.0)
    assert filter_to_address(wanted) == {"correct": "false", "seed": "0", "shortest_s": "0.0"}
    assert filter_from_address(filter_to_address(wanted)) == wanted


def test_numbers_are_read_as_numbers_and_names_as_text():
    wanted = filter_from_address({"session": "1", "seed": "1", "longest_s": "2", "label": "true"})
    assert [type(value) for value in (wanted.session, wanted.seed, wanted.longest_s)] == [str, int, float]
    assert wanted.label == "true"


def test_the_filter_of_a_cell_comes_back():
    run = read_run(BUNDLED / "baseline")
    table, by = clip_table(run), ("length", "speaker")
    for row in recall_by_group(table, run.labels, by, 3.5).to_dict("records"):
        wanted = cell_filter(row, by, 3.5, table.duration_s.to_numpy())
        assert filter_from_address(filter_to_address(wanted)) == wanted


@pytest.mark.parametrize(
    "address",
    [
        {"correct": "perhaps"},
        {"correct": "all"},
        {"seed": "one"},
        {"seed": "1e999"},
        {"shortest_s": "nan"},
        {"longest_s": "inf"},
        {"least_confidence": "<b>1e999</b>"},
        {"wrong": "nobody"},
        {"label": ""},
        {"run": "baseline"},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_passed_over(address):
    assert filter_from_address(address) == ClipFilter()


def test_plain_ids_are_plain_in_the_address():
    wanted = ClipFilter(ids=("03-01-06-01", "Ses01F_impro05_F019"))
    assert filter_to_address(wanted) == {"ids": "03-01-06-01 Ses01F_impro05_F019"}


def test_a_link_leaves_out_many_picked_clips_and_says_where_there_is_no_condition():
    many = tuple(f"clip {i}" for i in range(MAX_LINKED_IDS + 1))
    assert filter_link(ClipFilter(label="sad", ids=many)) == {"label": "sad"}
    assert len(filter_link(ClipFilter(ids=many[1:]))["ids"].split()) == MAX_LINKED_IDS
    assert filter_link(ClipFilter()) == {"correct": "all"}


def test_the_seconds_of_an_address_are_between_the_bounds_or_none():
    assert parse_seconds("3.5", low_s=2.1, high_s=7.2) == 3.5
    assert [parse_seconds(text, low_s=2.1, high_s=7.2) for text in ("8", "x", "nan", "")] == [None] * 4
