"""Filter a run's clips."""

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


WRONG = ("this", "other", "both", "either", "neither")
ORDERS = {  # by name: the column, and whether the smallest comes first
    "surest": ("confidence", False),
    "least-sure": ("confidence", True),
    "longest": ("duration_s", False),
    "shortest": ("duration_s", True),
    "least-true": ("true_share", True),
    "late": ("decided_at", False),
    "name": ("utterance_id", True),
}


@dataclass(frozen=True)
class ClipFilter:
    """Conditions on the clips to show; a condition that is None or empty lets all through.

    Attributes:
        label, predicted: true and predicted class.
        correct: only the right ones, or only the wrong ones.
        wrong: `this`, only this run is wrong and the other right; `other`, the other way round; `both`; `either`;
            `neither`.
        corpus, speaker, session, style, gender: the values of these columns.
        seed, fold: their numbers.
        shortest_s, longest_s: duration, both included.
        least_confidence, most_confidence: 0 to 1, both included.
        ids: utterances, picked elsewhere.
    """

    label: str | None = None
    predicted: str | None = None
    correct: bool | None = None
    wrong: str | None = None
    corpus: str | None = None
    speaker: str | None = None
    session: str | None = None
    style: str | None = None
    gender: str | None = None
    seed: int | None = None
    fold: int | None = None
    shortest_s: float | None = None
    longest_s: float | None = None
    least_confidence: float | None = None
    most_confidence: float | None = None
    ids: tuple[str, ...] = ()

    @property
    def conditions(self) -> tuple[str, ...]:
        """Name the conditions that are set."""
        return tuple(f.name for f in fields(self) if getattr(self, f.name) not in (None, ()))

    def without(self, *names: str) -> "ClipFilter":
        """Drop these conditions."""
        nothing: dict[str, Any] = {name: () if name == "ids" else None for name in names}
        return replace(self, **nothing)

    def only(self, name: str) -> "ClipFilter":
        """Keep this condition alone."""
        return ClipFilter(**{name: getattr(self, name)})


def filter_clips(table: "pd.DataFrame", wanted: ClipFilter) -> "pd.DataFrame":
    """Select the rows of a `clip_table` that a filter lets through, in their order.

    A value that no row has lets none through; so does a column that the table lacks.
    """
    keep = np.ones(len(table), dtype=bool)
    for name in ("correct", "seed", "fold"):
        value = getattr(wanted, name)
        if value is not None:
            keep &= table[name].to_numpy() == value if name in table else False
    for name in ("label", "predicted", "corpus", "speaker", "session", "style", "gender"):  # a session may be a number
        value = getattr(wanted, name)
        if value is not None:
            keep &= (table[name].astype(str) == value).to_numpy() if name in table else False
    for name, low, high in (
        ("duration_s", wanted.shortest_s, wanted.longest_s),
        ("confidence", wanted.least_confidence, wanted.most_confidence),
    ):
        if low is not None:
            keep &= table[name].to_numpy() >= low if name in table else False
        if high is not None:
            keep &= table[name].to_numpy() <= high if name in table else False
    if wanted.wrong is not None:
        keep &= _wrong(table, wanted.wrong)
    if wanted.ids:
        keep &= table.utterance_id.isin(wanted.ids).to_numpy()
    return table[keep]


def _wrong(table: "pd.DataFrame", who: str) -> np.ndarray:
    """Mark the rows that this run, the other one, both, either or neither have wrong; none without another run."""
    if "other_correct" not in table or who not in WRONG:
        return np.zeros(len(table), dtype=bool)
    known = table.other_correct.notna().to_numpy()
    here, there = ~table.correct.to_numpy(), known & ~table.other_correct.fillna(True).to_numpy(dtype=bool)
    found = {"this": here & ~there, "other": ~here & there, "both": here & there, "either": here | there}
    found["neither"] = ~found["either"]
    return known & found[who]


def available_orders(table: "pd.DataFrame") -> tuple[str, ...]:
    """List the orders that a table has the columns for."""
    return tuple(name for name, (column, _) in ORDERS.items() if column in table and table[column].notna().any())


def sort_clips(table: "pd.DataFrame", order: str) -> "pd.DataFrame":
    """Sort the rows by one of `ORDERS`; equals, and rows of which nothing is known, keep their order."""
    column, rising = ORDERS[order]
    return table.sort_values(column, ascending=rising, kind="stable")


def excluding_conditions(table: "pd.DataFrame", wanted: ClipFilter) -> tuple[str, ...]:
    """Name the conditions that leave nothing of a table.

    Those that let no row through by themselves; where there is none of these, those without which
    something would be left; and where there is none of these either, all of them.
    """
    alone = tuple(name for name in wanted.conditions if filter_clips(table, wanted.only(name)).empty)
    spared = tuple(name for name in wanted.conditions if not filter_clips(table, wanted.without(name)).empty)
    return alone or spared or wanted.conditions


def distinct_values(table: "pd.DataFrame", name: str) -> list[str]:
    """List the distinct values of a column, sorted; nothing where it is missing or empty."""
    if name not in table:
        return []
    return sorted(value for value in table[name].dropna().astype(str).unique() if value)
