"""Count who of two runs on the same clips is right, by class."""

from typing import TYPE_CHECKING

import numpy as np

from segser_core.runs.class_indices import class_indices
from segser_core.runs.clip_filter import ClipFilter

if TYPE_CHECKING:
    import pandas as pd


OUTCOMES = ("both right", "only first right", "only second right", "both wrong")
WRONG_BY_OUTCOME = ("neither", "other", "this", "both")  # as `selection.Filter` has it


def outcome_table(table: "pd.DataFrame", labels: tuple[str, ...]) -> "pd.DataFrame":
    """Count the clips of each class that both runs, one of them or none of them have right.

    Args:
        table: of `clips.clip_table` with another run; clips that the other run lacks are left out.
        labels: the classes, in order.

    Returns:
        A row a class and outcome: `label`, `outcome`, `clips`, and `share` of the class's clips, 0 to 1.
    """
    import pandas as pd

    paired = table[table.other_correct.notna()]
    which = 2 * (~paired.correct.to_numpy(bool)) + ~paired.other_correct.to_numpy(bool)  # the place in OUTCOMES
    cells = class_indices(paired.label, labels) * len(OUTCOMES) + which
    counts = np.bincount(cells, minlength=len(labels) * len(OUTCOMES)).reshape(len(labels), len(OUTCOMES))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = {"label": np.repeat(labels, len(OUTCOMES)), "outcome": np.tile(OUTCOMES, len(labels))}
    return pd.DataFrame({**names, "clips": counts.ravel(), "share": shares.ravel()})


def outcome_filter(label: str, outcome: str) -> ClipFilter:
    """Filter the clips behind a row of `outcome_table`."""
    return ClipFilter(label=label, wrong=WRONG_BY_OUTCOME[OUTCOMES.index(outcome)])
