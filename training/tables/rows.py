"""Rows of the paper's tables: ours from runs and sweeps, beside the paper's; fractions, None where not known."""

import numpy as np
import pandas as pd

from segser_core import paper
from segser_core.runs.class_indices import add_class_indices
from segser_core.runs.run import Run
from segser_core.statistics import metrics
from segser_core.statistics.bootstrap import Interval, ResamplingUnits, percentile_interval, resample_confusions
from segser_core.statistics.diarization_difference import compare_share_of_time
from segser_core.statistics.diarization_report import diarization_records
from segser_core.statistics.hypothesis_tests import holm_adjust
from segser_core.statistics.metrics import SCORES
from segser_core.statistics.recall_by_group import length_edge
from segser_core.statistics.scores import ScoreSummary, summarise_scores, summary_to_json
from segser_core.statistics.tables import recall_table
from segser_core.systems import BASELINE
from training.tables.comparable import ComparableRuns, Row, in_paper_order


def score_rows(group: ComparableRuns) -> list[Row]:
    """Make Table 1: a row a system, run or not, with the paper's scores where it has the corpus and protocol."""
    theirs = {r.system: r for r in paper.reported_scores(group.corpus)} if group.is_the_papers else {}
    rows = []
    for system in group.systems:
        row: Row = {"system": system, "status": "run" if system in group.runs else "not run"}
        if run := group.runs.get(system):
            row |= _scored(run, group.summaries[system])
        of = theirs.get(system)
        rows.append(row | {"paper_uar": of and of.uar, "paper_accuracy": of and of.accuracy})
    return rows


def _scored(run: Run, of: ScoreSummary) -> Row:
    row: Row = {
        "layer": run.meta.get("layer"),
        "seeds": " ".join(map(str, run.seeds)),
        "folds": len(of.per_fold),
        "clips": of.utterances,
        "speakers": of.speakers or None,
        "classes": of.pooled.present,
    }
    for name in SCORES:
        row |= {name: getattr(of.pooled, name), **_bounds(name, getattr(of.intervals, name))}
        row |= _bounds(f"{name}_speaker", getattr(of.by_speaker, name) if of.by_speaker else None)
        row[f"{name}_mean_of_folds"] = summary_to_json(of)[name]["mean_of_folds"]
    return row


def _bounds(name: str, interval: Interval | None) -> Row:
    low, high = (None, None) if interval is None else (interval.low, interval.high)
    return {f"{name}_low": low, f"{name}_high": high}


def corpus_rows(group: ComparableRuns) -> list[Row]:
    """List the scores of each system by corpus, over the classes that the corpus has; none where there is but one."""
    return [
        {
            "system": system,
            "test_corpus": of.corpus,
            "clips": of.utterances,
            "speakers": of.speakers or None,
            "classes": len(of.classes),
            "uar": of.uar,
            **_bounds("uar", of.uar_interval),
            **_bounds("uar_speaker", of.uar_interval_by_speaker),
            "accuracy": of.accuracy,
            "macro_f1": of.macro_f1,
        }
        for system, by_corpus in group.by_corpus.items()
        for of in by_corpus
    ]


def fold_and_seed_rows(group: ComparableRuns) -> list[Row]:
    """List each score of each fold (over its seeds) and of each seed (over its folds)."""
    return [
        {"system": system, "score": name, "of": what, "number": number}
        | {"value": getattr(score, name), "classes": score.present}
        for system, summary in group.summaries.items()
        for what in ("fold", "seed")
        for number, score in zip(_numbers(group.runs[system], what), getattr(summary, f"per_{what}"), strict=True)
        for name in SCORES
    ]


def _numbers(run: Run, what: str) -> list[int]:
    return sorted(int(n) for n in run.test_rows[what].unique())


def difference_rows(group: ComparableRuns) -> list[Row]:
    """Compute UAR minus the baseline's on the same clips and seeds, p adjusted for the number of systems (Holm)."""
    comparisons = group.against_baseline
    adjusted = holm_adjust([c.differences.uar.p_value for c in comparisons.values()])
    speaker = holm_adjust([c.by_speaker.uar.p_value if c.by_speaker else np.nan for c in comparisons.values()])
    return [
        {
            "system": system,
            "clips": of.utterances,
            "seeds": " ".join(str(t.seed) for t in of.mcnemar),
            "uar_difference": of.differences.uar.value,
            **_bounds("uar_difference", of.differences.uar.interval),
            "p_holm": p,
            **_bounds("uar_difference_speaker", of.by_speaker.uar.interval if of.by_speaker else None),
            "p_holm_speaker": None if np.isnan(by_speaker) else by_speaker,
            "accuracy_mcnemar": "; ".join(
                f"seed {t.seed}: {t.first_only} to {t.second_only}, p {t.p_value:.2g}" for t in of.mcnemar
            ),
        }
        for (system, of), p, by_speaker in zip(comparisons.items(), adjusted, speaker, strict=True)
    ]


def agreement_rows(group: ComparableRuns) -> list[Row]:
    """Make Table 2: each system's UAR with the best one's predictions as truth, and Cohen's kappa, by utterance."""
    rows = []
    for system in group.systems:
        row: Row = {"system": system, "status": "run" if system in group.runs else "not run", "best": group.best}
        if system in group.runs and system != group.best:
            row |= _agreement(group.runs[group.best or ""], group.runs[system])
        theirs = paper.reported_agreement(group.corpus, system) if group.is_the_papers else None
        rows.append(row | {"paper_uar": theirs})
    return rows


def _agreement(best: Run, other: Run) -> Row:
    """Compute agreement on the clips (and seeds) that both have; a clip is drawn together with all its seeds."""
    one, two = (add_class_indices(run.test_rows, best.labels) for run in (best, other))
    key = ["utterance_id", "seed"]
    rows = one[[*key, "code"]].merge(two[[*key, "code"]], on=key, suffixes=("", "_other"))
    clip, ids = pd.factorize(rows["utterance_id"])
    of_clips = np.zeros((len(ids), 1, len(best.labels), len(best.labels)), dtype=np.float32)
    np.add.at(of_clips, (clip, 0, rows["code"], rows["code_other"]), 1)
    of = ResamplingUnits(np.ones(len(ids), dtype=np.int64), of_clips)
    draws, seen = resample_confusions(of, np.random.default_rng(0))[:, 0], of.observed[0]
    return {
        "uar": float(metrics.uar(seen)),
        **_bounds("uar", percentile_interval(metrics.uar(draws))),
        "kappa": float(metrics.cohens_kappa(seen)),
        **_bounds("kappa", percentile_interval(metrics.cohens_kappa(draws))),
        "equal": float(metrics.accuracy(seen)),
    }


def length_rows(group: ComparableRuns, wanted_s: float) -> tuple[list[Row], str]:
    """Compute UAR of short and of long clips of each system.

    Args:
        group: the runs.
        wanted_s: seconds at which clips are split, where enough are on both sides.

    Returns:
        The rows, and why the edge is another than the one wanted, if it is.
    """
    tested = {system: run.test_rows for system, run in group.runs.items()}
    if any("duration_s" not in rows or rows["duration_s"].isna().any() for rows in tested.values()):
        return [], "The duration of a clip is not known, so clips are not split by length."
    edge_s, why = paper.EDGE_S, ""
    if tested:
        one = next(iter(tested.values())).drop_duplicates("utterance_id")
        edge_s, why = length_edge(one["duration_s"].to_numpy(), wanted_s)
    rows = []
    for system in group.systems:
        theirs = (
            paper.reported_by_length(group.corpus, system) if group.is_the_papers and edge_s == paper.EDGE_S else None
        )
        for is_longer, side in enumerate(("≤", ">")):
            row: Row = {"system": system, "length": f"{side} {edge_s:g} s", "paper_uar": theirs and theirs[is_longer]}
            if system in tested:
                longer = tested[system]["duration_s"] > edge_s
                row |= _of_length(tested[system][longer if is_longer else ~longer], group.runs[system])
            if theirs or system in tested:
                rows.append(row | {"status": "run" if system in tested else "not run"})
    return rows, why


def _of_length(rows: pd.DataFrame, run: Run) -> Row:
    of = summarise_scores(rows, run.labels)
    counted = {"clips": of.utterances, "classes": of.pooled.present, "uar": of.pooled.uar}
    return counted | _bounds("uar", of.intervals.uar)


def class_rows(group: ComparableRuns) -> list[Row]:
    """Compute recall by class (Figure 4) of each system that was run; a clip counts once under all seeds."""
    if not group.runs:
        return []
    table = recall_table(group.summaries).rename(columns={"run": "system"})
    once = {s: run.test_rows.drop_duplicates("utterance_id") for s, run in group.runs.items()}
    counts = {s: rows["label"].value_counts() for s, rows in once.items()}
    clips = [int(counts[s].get(c, 0)) for s, c in zip(table["system"], table["label"], strict=True)]
    return table.assign(clips=clips).to_dict("records")


def diarization_rows(group: ComparableRuns) -> list[Row]:
    """List how true each system's label over time is, a row a context, and its share of time minus the baseline's."""
    rows = []
    for system, by_context in group.over_time.items():
        baseline = group.runs.get(BASELINE) if system != BASELINE else None
        minus = compare_share_of_time(group.runs[system], baseline) if baseline else {}
        for row in diarization_records(by_context):
            of = minus.get(row["context"])
            against = of and {"share_of_time_difference": of.by_recording.value, "p": _known(of.by_recording.p_value)}
            bounds = _bounds("share_of_time_difference", of.by_recording.interval) if of else {}
            rows.append({"system": system} | row | (against or {}) | bounds)
    return rows


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value


def sweep_rows(group: ComparableRuns, swept: str) -> list[Row]:
    """List the values of Figure 2 (`segment-size`) or 3 (`alpha`): a row a system and value, on development clips."""
    fixed = ("fold", "share", "training_clips", "development_clips")
    sweeps = {sweep["system"]: sweep for sweep in group.sweeps if sweep["sweep"] == swept}
    return [
        {"system": system, **value, "seeds": " ".join(map(str, value["seeds"]))}
        | {name: sweeps[system][name] for name in fixed}
        for system in in_paper_order(sweeps)
        for value in sweeps[system]["values"]
    ]
