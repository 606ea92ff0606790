"""Which of a run's clips to show: a filter that an address can carry."""

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

WRONG = ("this", "other", "both", "either")


@dataclass(frozen=True)
class Filter:
    """Which clips to show; what is None or empty lets all through.

    Attributes:
        label, predicted: true and predicted class.
        correct: only the right ones, or only the wrong ones.
        wrong: `this`, only this run is wrong and the other right; `other`, the other way round; `both`; `either`.
        speaker, session, style, gender: the values of these columns.
        seed, fold: their numbers.
        shortest_s, longest_s: duration, both included.
        least_confidence, most_confidence: 0 to 1, both included.
        ids: utterances, picked elsewhere.
    """

    label: str | None = None
    predicted: str | None = None
    correct: bool | None = None
    wrong: str | None = None
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

    def to_address(self) -> dict[str, str]:
        """What differs from no filter, by name, as an address has it; `ids` are joined by blanks."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: _written(value) for name, value in values.items() if value not in (None, ())}

    @classmethod
    def from_address(cls, address: "Mapping[str, str]") -> "Filter":
        """A filter from an address; what cannot be read there is passed over."""
        found = {f.name: _read(str(f.type), address[f.name]) for f in fields(cls) if address.get(f.name)}
        return cls(**{name: value for name, value in found.items() if value is not None})


def _written(value: Any) -> str:
    """A value as an address has it."""
    return (
        " ".join(value) if isinstance(value, tuple) else str(value).lower() if isinstance(value, bool) else str(value)
    )


def _read(kind: str, text: str) -> Any:
    """A value of an address as the field of a filter wants it; None where it makes no sense."""
    if kind.startswith("tuple"):
        return tuple(text.split())
    if kind.startswith("bool"):
        return {"true": True, "false": False}.get(text)
    if kind.startswith("str"):
        return text
    try:
        number = float(text)
    except ValueError:
        return None
    return (int(number) if kind.startswith("int") else number) if np.isfinite(number) else None


def select(table: "pd.DataFrame", wanted: Filter) -> "pd.DataFrame":
    """The rows of a `clip_table` that a filter lets through, in their order.

    A value that no row has lets none through; so does a column that the table lacks.
    """
    keep = np.ones(len(table), dtype=bool)
    for name in ("label", "predicted", "correct", "speaker", "session", "style", "gender", "seed", "fold"):
        value = getattr(wanted, name)
        if value is not None:
            keep &= table[name].to_numpy() == value if name in table else False
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
    """Which rows this run, the other one, both or either have wrong; none where there is no other run."""
    if "other_correct" not in table or who not in WRONG:
        return np.zeros(len(table), dtype=bool)
    known = table.other_correct.notna().to_numpy()
    here, there = ~table.correct.to_numpy(), known & ~table.other_correct.fillna(True).to_numpy(dtype=bool)
    found = {"this": here & ~there, "other": ~here & there, "both": here & there, "either": here | there}
    return known & found[who]
