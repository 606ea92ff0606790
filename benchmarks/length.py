"""What length does to a model, and what the rule of aggregation has to do with it, as Markdown tables.

    python -m training.corpora join ravdess --root RAVDESS --out JOINED
    python -m training.evaluate --model seg+tri-w --corpus manifest --root JOINED --out RUNS/joined
    python -m benchmarks.length segser_core/bundled/seg+tri-w RUNS/joined --recall sad

The test clips of all runs of one system are put together: those recorded as they are, and those joined from
several recordings (style `joined`), which stand apart since they were not said as one. Brackets hold the 95 %
interval by utterance. A class that a bin lacks is not in its UAR; the classes are counted below the clips.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from segser_core.errors import SegserError, SettingError
from segser_core.formatting import percent
from segser_core.runs.reaggregate import available_rules, reaggregate
from segser_core.runs.run import Run, read_run
from segser_core.statistics.scores import summarise_scores

if TYPE_CHECKING:
    import pandas as pd

EDGES_S = (3.0, 6.0, 10.0, 20.0, 30.0)
JOINED = "joined"
KINDS = ("as recorded", JOINED)


@dataclass(frozen=True)
class Bins:
    """Stretches of length, the upper edge of each belonging to it; `edges_s` rise."""

    edges_s: tuple[float, ...] = EDGES_S

    def __post_init__(self):
        if not self.edges_s or list(self.edges_s) != sorted(set(self.edges_s)):
            raise SettingError(f"edges {self.edges_s} do not rise; give seconds in rising order")

    @property
    def names(self) -> list[str]:
        """What each is called, from the shortest on."""
        inner = [f"{a:g} to {b:g} s" for a, b in zip(self.edges_s, self.edges_s[1:], strict=False)]
        return [f"up to {self.edges_s[0]:g} s", *inner, f"over {self.edges_s[-1]:g} s"]

    def of(self, seconds: np.ndarray) -> np.ndarray:
        """The place of each length's bin, (U,)."""
        return np.searchsorted(self.edges_s, seconds, side="left")


@dataclass(frozen=True)
class Part:
    """Clips of one kind and one bin (or of all) under one rule: rows of predictions, and the classes."""

    rows: "pd.DataFrame"
    labels: tuple[str, ...]

    def uar(self) -> str:
        """UAR with its interval, in percent."""
        summary = summarise_scores(self.rows, self.labels)
        low, high = summary.intervals.uar.low, summary.intervals.uar.high
        return f"{percent(summary.pooled.uar)} ({percent(low)} to {percent(high)})"

    def recall(self, label: str) -> str:
        """Recall of a class and the number of its clips."""
        hits = self.rows["predicted"][self.rows["label"] == label] == label
        return f"{percent(hits.mean())} of {len(hits)}" if len(hits) else "–"

    def trust(self) -> str:
        """Mean confidence beside the accuracy."""
        right = self.rows["predicted"].to_numpy() == self.rows["label"].to_numpy()
        return f"{percent(self.rows['confidence'].mean())} / {percent(right.mean())}"

    def size(self) -> str:
        """How many clips, and of how many classes."""
        return f"{len(self.rows)} ({self.rows['label'].nunique()})"


def parts(runs: Sequence[Run], rule: str, bins: Bins, kind: str) -> dict[str, Part]:
    """The test clips of a kind by the name of their bin, all of them last; bins without a clip are not there."""
    import pandas as pd

    rows = pd.concat([_test(run, rule) for run in runs], ignore_index=True)
    rows = rows[(rows["style"] == JOINED) == (kind == JOINED)]
    place = bins.of(rows["duration_s"].to_numpy(float))
    found = {name: Part(rows[place == i], runs[0].labels) for i, name in enumerate(bins.names) if (place == i).any()}
    return found | ({"all": Part(rows, runs[0].labels)} if len(rows) else {})


def _test(run: Run, rule: str) -> "pd.DataFrame":
    rows = reaggregate(run, rule)
    rows = rows[rows["split"] == "test"]
    return rows.assign(style=rows.get("style", ""))


def table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> list[str]:
    """A Markdown table."""
    lines = [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]
    return [*lines, ""]


def tables(runs: Sequence[Run], bins: Bins, classes: Sequence[str]) -> list[str]:
    """All that is said of one system: its runs → lines of Markdown."""
    rules = [rule for rule in available_rules(runs[0]) if all(rule in available_rules(run) for run in runs)]
    by = {(kind, rule): parts(runs, rule, bins, kind) for kind in KINDS for rule in rules}
    there = {name for found in by.values() for name in found}
    names = [name for name in (*bins.names, "all") if name in there]
    kinds = [kind for kind in KINDS if by[kind, rules[0]]]

    def of(say) -> Iterator[list[str]]:
        for kind in kinds:
            for rule in rules:
                yield [kind, rule, *(say(p) if (p := by[kind, rule].get(name)) else "–" for name in names)]

    sizes = ([k, "", *(p.size() if (p := by[k, rules[0]].get(name)) else "–" for name in names)] for k in kinds)
    head = ["clips", "label from", *names]
    lines = ["Clips (classes)", "", *table(head, sizes), "UAR", "", *table(head, of(Part.uar))]
    for label in classes:
        lines += [f"Recall of {label}, and its clips", "", *table(head, of(lambda part, c=label: part.recall(c)))]
    return [*lines, "Mean confidence / accuracy", "", *table(head, of(Part.trust))]


def by_system(paths: Sequence[Path]) -> dict[str, list[Run]]:
    """The runs of each system.

    Raises:
        RunError: a run that cannot be read.
        SettingError: runs of one system have different classes, or one does not say how long its clips are.
    """
    found: dict[str, list[Run]] = {}
    for path in paths:
        run = read_run(path)
        if "duration_s" not in run.predictions:
            raise SettingError(f"{path} has no column duration_s, so nothing can be said of length")
        same = found.setdefault(run.system, [])
        if same and same[0].labels != run.labels:
            raise SettingError(f"{path} has other classes than {same[0].path}, of the same system")
        same.append(run)
    return found


def main(argv: list[str] | None = None) -> int:
    """The tables of each system; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.length", description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path, help="run folders of joined and of other clips")
    parser.add_argument("--edges", nargs="+", type=float, default=EDGES_S, help="seconds between the bins")
    parser.add_argument("--recall", nargs="+", default=[], metavar="CLASS", help="classes to show the recall of")
    asked = parser.parse_args(argv)
    try:
        bins = Bins(tuple(asked.edges))
        for system, runs in by_system(asked.runs).items():
            print("\n".join([f"## {system}", "", *tables(runs, bins, asked.recall)]))
    except SegserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
