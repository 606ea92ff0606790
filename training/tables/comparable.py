"""What may be compared: runs of one corpus, one protocol and one encoder, a system each, and the sweeps beside them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from segser_core import paper
from segser_core.errors import RunError
from segser_core.runs.run import Run
from segser_core.statistics.scores import Comparison, ScoreSummary, compare_runs, summarise_scores
from segser_core.systems import BASELINE, SYSTEMS

Row = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Section:
    """Runs of one corpus, protocol and encoder by system, in the paper's order, and the sweeps that go with them."""

    corpus: str
    protocol: str
    encoder: str
    runs: Mapping[str, Run]
    sweeps: tuple[Row, ...] = ()

    @cached_property
    def summaries(self) -> dict[str, ScoreSummary]:
        """The scores of each run."""
        return {system: summarise_scores(run.predictions, run.labels) for system, run in self.runs.items()}

    @cached_property
    def against_baseline(self) -> dict[str, Comparison]:
        """Each other system's paired difference to the baseline; none without it."""
        if BASELINE not in self.runs:
            return {}
        return {s: compare_runs(run, self.runs[BASELINE]) for s, run in self.runs.items() if s != BASELINE}

    @property
    def best(self) -> str | None:
        """The system of the highest pooled UAR on the test clips, the first of equals."""
        return max(self.runs, key=lambda s: self.summaries[s].pooled.uar, default=None)

    @property
    def shown_by_class(self) -> list[str]:
        """Of Figure 4: the baseline and the best other system, as far as they were run."""
        others = [s for s in self.runs if s != BASELINE]
        best = sorted(others, key=lambda s: -self.summaries[s].pooled.uar)[:1]
        return [s for s in (BASELINE, *best) if s in self.runs]

    @property
    def is_the_papers(self) -> bool:
        """Whether the paper has this corpus, under this protocol."""
        return paper.PROTOCOLS.get(self.corpus) == self.protocol

    @property
    def other_encoder(self) -> str:
        """The paper's encoder, where these runs have another one; empty where they have the same."""
        theirs = paper.ENCODERS.get(self.corpus, "wav2vec2-base")
        return "" if theirs == self.encoder else theirs

    @property
    def systems(self) -> list[str]:
        """All systems of the paper, then any other that was run."""
        return [*SYSTEMS, *(s for s in self.runs if s not in SYSTEMS)]


def encoder_of(about: Mapping[str, Any]) -> str:
    """The name of the encoder that a run or a sweep was trained from."""
    said = about.get("encoder", "")
    return str(said.get("name", "") if isinstance(said, dict) else said).rpartition("/")[2]


def sections(runs: Iterable[Run], sweeps: Iterable[Row]) -> list[Section]:
    """Runs and sweeps by what may be compared, the paper's corpora first; those that nobody ran have no runs.

    Raises:
        RunError: two runs of one system would share a section, or two sweeps.
    """
    found: dict[tuple[str, str, str], dict[str, Run]] = {}
    for run in runs:
        by_system = found.setdefault((run.corpus, run.protocol, encoder_of(run.meta)), {})
        if other := by_system.get(run.system):
            raise RunError(
                f"{run.path} and {other.path} are both {run.system} on {run.corpus}; give one of them, or train the "
                "seeds of one into the other with `python -m training.train --seed … --out`"
            )
        by_system[run.system] = run
    swept: dict[tuple[str, str, str], list[Row]] = {}
    for sweep in (s for s in sweeps if s["values"]):
        key = sweep["corpus"], sweep["protocol"], encoder_of(sweep)
        if any(other["sweep"] == sweep["sweep"] and other["system"] == sweep["system"] for other in swept.get(key, [])):
            raise RunError(
                f"there are two sweeps of {sweep['sweep']} for {sweep['system']} on {key[0]}; give one of them"
            )
        swept.setdefault(key, []).append(sweep)
    ran = {corpus for corpus, _, _ in [*found, *swept]}
    absent = [(c, paper.PROTOCOLS[c], paper.ENCODERS[c]) for c in paper.PAPER_CORPORA if c not in ran]
    keys = sorted({*found, *swept}, key=_order) + absent
    return [Section(*key, in_order(found.get(key, {})), tuple(swept.get(key, ()))) for key in keys]


def _order(key: tuple[str, str, str]) -> tuple[bool, bool, tuple[str, str, str]]:
    corpus, protocol, _ = key
    return corpus not in paper.PAPER_CORPORA, protocol != paper.PROTOCOLS.get(corpus), key


def in_order(found: Mapping[str, T]) -> dict[str, T]:
    """What is known of systems, by system, in the paper's order; any other system comes last."""
    place = {system: i for i, system in enumerate(SYSTEMS)}
    return dict(sorted(found.items(), key=lambda item: (place.get(item[0], len(place)), item[0])))
