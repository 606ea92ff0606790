"""What the measurements of speed have in common: sides that take turns, figures with their spread, one table of all.

    python -m benchmarks.turns

writes the table again, `benchmarks/results/README.md`, from the figures beside it.
"""

import csv
import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Attributes:
        work, against: what was measured, and the other side.
        value, low, high: the median over turns with its quartiles, or one number, all three alike.
        unit: of the value.
        turns: how many there were.
        target: what the value should be.
        remark: what else should be known.
    """

    work: str
    against: str
    value: float
    low: float
    high: float
    unit: str
    turns: int
    target: str
    remark: str = ""

    def cells(self) -> list[str]:
        """As the table has it."""
        spread = f" ({self.low:.3g} to {self.high:.3g})" if self.turns > 1 else ""
        found = f"{self.value:.3g}{spread} {self.unit}"
        return [self.work, self.against, found, self.target, f"{self.turns}", self.remark]


HEAD = ["work", "against", "median (quartiles)", "target", "turns", "remark"]


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def alternate(turns: Sequence[Any], sides: dict[str, Callable[[Any], object]]) -> dict[str, list[float]]:
    """Seconds of each side on each turn; the side that goes first changes from turn to turn."""
    times: dict[str, list[float]] = {name: [] for name in sides}
    names = list(sides)
    for i, turn in enumerate(turns):
        for name in names[i % len(names) :] + names[: i % len(names)]:
            times[name].append(seconds(lambda name=name, turn=turn: sides[name](turn)))
    return times


def ratio(work: str, against: str, over: list[float], under: list[float], target: str, remark: str = "") -> Figure:
    """How many times as long one side takes as the other on the same turns, with the seconds of all turns."""
    single = [a / b for a, b in zip(over, under, strict=True)]
    totals = f"{sum(over):.3g} s / {sum(under):.3g} s"
    return spread(work, against, single, "×", target, f"{totals}; {remark}" if remark else totals)


def spread(work: str, against: str, values: list[float], unit: str, target: str, remark: str = "") -> Figure:
    """The median of some values, with their quartiles."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    return Figure(work, against, middle, low, high, unit, len(values), target, remark)


def exponent(now: tuple[float, float], before: tuple[float, float] | None) -> str:
    """How time grew with size, each a pair (size, seconds): 1 is proportional."""
    return "–" if before is None else f"{math.log(now[1] / before[1]) / math.log(now[0] / before[0]):.2f}"


def markdown(lines: Sequence[Sequence[str]]) -> str:
    """A Markdown table, its head first."""
    head, *rest = lines
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [head, ["---"] * len(head), *rest])


def publish(name: str, figures: Sequence[Figure], folder: Path = RESULTS) -> None:
    """Print figures, keep them as `NAME.csv`, and write the table of all anew."""
    print(markdown([HEAD, *(f.cells() for f in figures)]), flush=True)
    folder.mkdir(exist_ok=True)
    with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [f.name for f in fields(Figure)])
        writer.writeheader()
        writer.writerows(asdict(f) for f in figures)
    write_table(folder)


def write_table(folder: Path = RESULTS) -> None:
    """All figures that are kept in a folder as one Markdown file in it."""
    parts = ["# What was measured\n\nHow, and on which machine: [../README.md](../README.md)."]
    for path in sorted(folder.glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            lines = [figure_of(row).cells() for row in csv.DictReader(file)]
        parts.append(f"## {path.stem}\n\n{markdown([HEAD, *lines])}")
    (folder / "README.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def figure_of(row: dict[str, str]) -> Figure:
    """A figure from its row of CSV."""
    kinds: dict[str, Any] = {f.name: f.type for f in fields(Figure)}
    return Figure(**{name: kinds[name](text) for name, text in row.items()})


if __name__ == "__main__":
    write_table()
