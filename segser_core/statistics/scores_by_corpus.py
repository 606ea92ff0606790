"""Score a run of several corpora on each of them, over the classes that the corpus has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from segser_core.runs.class_indices import add_class_indices, class_indices
from segser_core.runs.test_split import select_test_rows
from segser_core.statistics import metrics
from segser_core.statistics.bootstrap import NO_INTERVAL, Interval, group_utterances, score_intervals
from segser_core.statistics.clip_predictions import group_by_clip
from segser_core.statistics.recall_by_group import UNKNOWN

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class CorpusScores:
    """Test scores of a run on one of its corpora, its folds and seeds pooled; all scores are fractions.

    Attributes:
        corpus: its name.
        classes: those of the run's classes that have a test clip of the corpus, in the run's order.
        uar, accuracy, macro_f1: over these classes; a prediction of another class is wrong.
        uar_interval: by utterance.
        uar_interval_by_speaker: by speaker; None below `FEWEST_SPEAKERS`.
        utterances: how many clips there are.
        speakers: how many speakers they have, 0 where one clip's or more is not known.
    """

    corpus: str
    classes: tuple[str, ...]
    uar: float
    accuracy: float
    macro_f1: float
    uar_interval: Interval
    uar_interval_by_speaker: Interval | None
    utterances: int
    speakers: int


def scores_by_corpus(predictions: "pd.DataFrame", labels: Sequence[str], seed: int = 0) -> tuple[CorpusScores, ...]:
    """Score a run's test predictions on each of several corpora, in the order of their names.

    A corpus whose clips have a label that raters heard, as CREMA-D has, is scored on that, too, as `NAME (heard)`.

    Args:
        predictions: rows of predictions.parquet, of several corpora where `corpus` has several values.
        labels: the classes, in order.
        seed: of the resampling.

    Returns:
        One for each; nothing where there is one alone, or where the corpus is not known.

    Raises:
        RunError: see `select_test_rows`.
        SettingError: a label or prediction is no class.
    """
    rows = select_test_rows(predictions)
    if "corpus" not in rows:
        return ()
    rows = add_class_indices(rows, labels)
    names = rows["corpus"].fillna("").astype(str).replace("", UNKNOWN)
    found = []
    for name, part in rows.groupby(names):
        found.append(_of_corpus(str(name), part, labels, seed))
        if "heard" in part and len(as_heard := with_heard_labels(part, labels)):
            found.append(_of_corpus(f"{name} (heard)", as_heard, labels, seed))
    return tuple(found) if len(found) > 1 else ()


def with_heard_labels(rows: "pd.DataFrame", labels: Sequence[str]) -> "pd.DataFrame":
    """Take what most raters heard (column `heard`) for the label; clips without a majority, or of no class, go.

    Args:
        rows: with `heard`, and class indices of `labels`.
        labels: the classes, in order.
    """
    known = rows[rows["heard"].isin(labels)]
    return known.assign(label=known["heard"], true=class_indices(known["heard"], labels))


def _of_corpus(corpus: str, rows: "pd.DataFrame", labels: Sequence[str], seed: int) -> CorpusScores:
    clips = group_by_clip(rows, ["code"])
    of = group_utterances(clips.true, clips.models, len(labels))
    grouped, seen = clips.by_speaker(len(labels)), of.observed[0]
    by_speaker = None if grouped is None else score_intervals(grouped, np.random.default_rng(seed)).uar
    return CorpusScores(
        corpus=corpus,
        classes=tuple(label for label, n in zip(labels, seen.sum(axis=1), strict=True) if n),
        uar=float(metrics.uar(seen)),
        accuracy=float(metrics.accuracy(seen)),
        macro_f1=float(metrics.macro_f1_of_present(seen)),
        uar_interval=score_intervals(of, np.random.default_rng(seed)).uar,
        uar_interval_by_speaker=by_speaker,
        utterances=len(clips.true),
        speakers=clips.speakers,
    )


def by_corpus_to_json(found: Sequence[CorpusScores]) -> dict[str, Any]:
    """Convert scores by corpus to an entry `by_corpus` of metrics.json; to nothing where there are none."""
    return {"by_corpus": {of.corpus: _to_json(of) for of in found}} if found else {}


def _to_json(of: CorpusScores) -> dict[str, Any]:
    by_speaker = of.uar_interval_by_speaker
    return {
        "uar": of.uar,
        "uar_interval": [of.uar_interval.low, of.uar_interval.high],
        "uar_interval_by_speaker": None if by_speaker is None else [by_speaker.low, by_speaker.high],
        "accuracy": of.accuracy,
        "macro_f1": of.macro_f1,
        "classes": list(of.classes),
        "utterances": of.utterances,
        "speakers": of.speakers,
    }


def corpus_score_table(found: Mapping[str, Sequence[CorpusScores]]) -> "pd.DataFrame":
    """Tabulate the scores of runs by corpus, a row a run and corpus.

    Args:
        found: of each run by name, as `scores_by_corpus` has it.

    Returns:
        `run`, `corpus`, `clips`, `speakers`, `classes` (how many), `uar`, `low`, `high` (by utterance),
        `speaker_low`, `speaker_high` (by speaker, NaN where there is no such interval), `accuracy`, `macro_f1`.
    """
    import pandas as pd

    rows = []
    for name, by_corpus in found.items():
        for of in by_corpus:
            sure, by_speaker = of.uar_interval, of.uar_interval_by_speaker or NO_INTERVAL
            counts = {"clips": of.utterances, "speakers": of.speakers, "classes": len(of.classes)}
            bounds = {
                "low": sure.low,
                "high": sure.high,
                "speaker_low": by_speaker.low,
                "speaker_high": by_speaker.high,
            }
            scores = {"accuracy": of.accuracy, "macro_f1": of.macro_f1}
            rows.append({"run": name, "corpus": of.corpus, **counts, "uar": of.uar, **bounds, **scores})
    return pd.DataFrame(rows)
