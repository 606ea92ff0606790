import json

import pandas as pd
import pytest

from segser_core.pairs import outcomes, outcomes_figure

LABELS = ("happy", "sad", "angry")


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "label": ["happy", "happy", "happy", "sad", "sad", "sad"],
            "correct": [True, True, False, False, False, True],
            "other_correct": [True, False, True, False, False, None],
        }
    )


def test_each_clip_is_counted_once_by_who_is_right(table):
    counts = outcomes(table, LABELS)
    assert counts.loc["happy"].to_dict() == {"both": 1, "only_first": 1, "only_second": 1, "none": 0}
    assert counts.loc["sad"].to_dict() == {"both": 0, "only_first": 0, "only_second": 0, "none": 2}
    assert counts.loc["angry"].sum() == 0


def test_the_chart_tells_class_and_outcome_of_each_bar(table):
    figure = json.loads(outcomes_figure(outcomes(table, LABELS), "one", "two").to_json())
    assert [trace["name"] for trace in figure["data"]] == ["both right", "only one", "only two", "both wrong"]
    assert figure["data"][1]["customdata"][0] == ["happy", "only_first"]
    assert len({trace["marker"]["pattern"]["shape"] for trace in figure["data"]}) == 4  # not by colour alone
