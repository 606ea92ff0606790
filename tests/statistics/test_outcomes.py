import json

import pandas as pd
import pytest

from segser_core.figures.outcomes import outcomes_figure
from segser_core.runs.clip_filter import filter_clips
from segser_core.statistics.outcomes import OUTCOMES, outcome_filter, outcome_table

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
    found = outcome_table(table, LABELS)
    counts = found.pivot(index="label", columns="outcome", values="clips")
    assert counts.loc["happy"].to_dict() == dict(zip(OUTCOMES, [1, 1, 1, 0], strict=True))
    assert counts.loc["sad"].to_dict() == dict(zip(OUTCOMES, [0, 0, 0, 2], strict=True))
    assert counts.loc["angry"].sum() == 0
    assert found.share[found.label == "happy"].sum() == 1


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("label", LABELS)
def test_the_filter_of_an_outcome_leaves_as_many_clips_as_are_counted(table, label, outcome):
    found = outcome_table(table, LABELS)
    counted = found[(found.label == label) & (found.outcome == outcome)].clips.item()
    assert len(filter_clips(table, outcome_filter(label, outcome))) == counted


def test_the_chart_tells_the_row_of_each_bar(table):
    figure = json.loads(outcomes_figure(outcome_table(table, LABELS), "one", "two").to_json())
    assert [trace["name"] for trace in figure["data"]] == [
        "both right",
        "only one right",
        "only two right",
        "both wrong",
    ]
    assert figure["data"][1]["customdata"] == [[1], [5], [9]]
    assert len({trace["marker"]["pattern"]["shape"] for trace in figure["data"]}) == 4  # not by colour alone
