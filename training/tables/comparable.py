"""Group runs that may be compared: of one corpus, one protocol and one encoder, with the sweeps beside them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from segser_core import paper
from segser_core.errors import RunError, UnknownRunError
from segser_core.prediction.prediction import Context
from segser_core.runs.run import Run, find_runs_below, read_run
from segser_core.statistics.emotion_diarization import DiarizationSummary, diarization_by_context
from segser_core.statistics.scores import Comparison, ScoreSummary, compare_runs, summarise_scores
from segser_core.statistics.scores_by_corpus import CorpusScores, scores_by_corpus
from segser_core.systems import BASELINE, SYSTEMS
from training.corpora import corpus_title
from training.runs.sweep_folder import read_sweep

Row = dict[str, Any]
GroupKey = tuple[str, str, str]  # corpus, protocol, encoder
_T = TypeVar("_T")


@dataclass(frozen=True, eq=False)
class ComparableRuns:
    """Runs of one corpus, protocol and encoder by system, in the paper's order, and the sweeps that go with them."""

    corpus: str
    protocol: str
    encoder: str
    runs: Mapping[str, Run]
    sweeps: tuple[Row, ...] = ()

    @property
    def title(self) -> str:
        """Corpus, protocol and encoder in words."""
        return f"{corpus_title(self.corpus)}, {self.protocol}, {self.encoder}"

    @cached_property
    def summaries(self) -> dict[str, ScoreSummary]:
        """The scores of each run."""
        return {system: summarise_scores(run.test_rows, run.labels) for system, run in self.runs.items()}

    @cached_property
    def by_corpus(self) -> dict[str, tuple[CorpusScores, ...]]:
        """The scores of each run by corpus; none where the runs are of one corpus."""
        found = {system: scores_by_corpus(run.test_rows, run.labels) for system, run in self.runs.items()}
        return {system: scores for system, scores in found.items() if scores}

    @cached_property
    def against_baseline(self) -> dict[str, Comparison]:
        """Each other system's paired difference to the baseline; none without it."""
        if BASELINE not in self.runs:
            return {}
        return {s: compare_runs(run, self.runs[BASELINE]) for s, run in self.runs.items() if s != BASELINE}

    @cached_property
    def over_time(self) -> dict[str, dict[Context, DiarizationSummary]]:
        """How true each run's label over time is, by context; without the runs that have no stretches."""
        found = {system: diarization_by_context(run) for system, run in self.runs.items()}
        return {system: by_context for system, by_context in found.items() if by_context}

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


def read_results(folders: Sequence[Path]) -> list[ComparableRuns]:
    """Read the runs and the sweeps in or below some folders, and group those that may be compared.

    Raises:
        UnknownRunError: there is no such folder.
        RunError: a folder holds none, a run or a sweep is damaged, or two are of one system in one group.
    """
    runs: dict[Path, Run] = {}
    sweeps: dict[Path, Row] = {}
    for folder in folders:
        if not folder.is_dir():
            raise UnknownRunError(f"{folder} is no folder; name runs, sweeps, or folders above them")
        run_folders = {path.resolve(): path for path in find_runs_below(folder).values()}
        sweep_folders = {file.parent.resolve(): file.parent for file in sorted(folder.rglob("sweep.json"))}
        if not run_folders and not sweep_folders:
            raise RunError(f"{folder} holds no run and no sweep; expected run.json or sweep.json in it or below")
        runs |= {key: read_run(path) for key, path in run_folders.items() if key not in runs}
        sweeps |= {key: read_sweep(path) for key, path in sweep_folders.items()}
    return group_comparable(runs.values(), sweeps.values())


def group_comparable(runs: Iterable[Run], sweeps: Iterable[Row]) -> list[ComparableRuns]:
    """Group runs and sweeps that may be compared, the paper's corpora first; those that nobody ran have no runs.

    Raises:
        RunError: two runs of one system would share a group, or two sweeps.
    """
    runs_of: dict[GroupKey, dict[str, Run]] = {}
    for run in runs:
        by_system = runs_of.setdefault((run.corpus, run.protocol, encoder_name(run.meta)), {})
        if other := by_system.get(run.system):
            raise RunError(
                f"{run.path} and {other.path} are both {run.system} on {run.corpus}; give one of them, or train the "
                "seeds of one into the other with `python -m training.train --seed … --out`"
            )
        by_system[run.system] = run
    sweeps_of = group_sweeps(sweeps)
    present = {corpus for corpus, _, _ in [*runs_of, *sweeps_of]}
    absent = [(c, paper.PROTOCOLS[c], paper.ENCODERS[c]) for c in paper.PAPER_CORPORA if c not in present]
    keys = sorted({*runs_of, *sweeps_of}, key=_papers_first) + absent
    return [ComparableRuns(*key, in_paper_order(runs_of.get(key, {})), tuple(sweeps_of.get(key, ()))) for key in keys]


def group_sweeps(sweeps: Iterable[Row]) -> dict[GroupKey, list[Row]]:
    """Group sweeps that have values by corpus, protocol and encoder.

    Raises:
        RunError: two sweeps of one setting for one system would share a group.
    """
    groups: dict[GroupKey, list[Row]] = {}
    for sweep in (s for s in sweeps if s["values"]):
        group = groups.setdefault((sweep["corpus"], sweep["protocol"], encoder_name(sweep)), [])
        if any((other["sweep"], other["system"]) == (sweep["sweep"], sweep["system"]) for other in group):
            raise RunError(
                f"there are two sweeps of {sweep['sweep']} for {sweep['system']} on {sweep['corpus']}; give one of them"
            )
        group.append(sweep)
    return groups


def encoder_name(meta: Mapping[str, Any]) -> str:
    """Name the encoder that a run or a sweep was trained from, without its owner or folder."""
    encoder = meta.get("encoder", "")
    return str(encoder.get("name", "") if isinstance(encoder, dict) else encoder).rpartition("/")[2]


def _papers_first(key: GroupKey) -> tuple[bool, bool, GroupKey]:
    corpus, protocol, _ = key
    return corpus not in paper.PAPER_CORPORA, protocol != paper.PROTOCOLS.get(corpus), key


def in_paper_order(by_system: Mapping[str, _T]) -> dict[str, _T]:
    """Sort values by system in the paper's order; any other system comes last."""
    order = {system: i for i, system in enumerate(SYSTEMS)}
    return dict(sorted(by_system.items(), key=lambda item: (order.get(item[0], len(order)), item[0])))
