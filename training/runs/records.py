"""Make the records of a run folder, predictions, segments and embeddings, from the results of scoring."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from segser_core.audio.excerpt import CLIP_END, CLIP_START, ClipLocation
from segser_core.errors import AudioError
from segser_core.prediction.prediction import Prediction
from segser_core.prediction.stretches import Stretch
from segser_core.runs.run import Run
from training.corpora import corpus_definitions

COMMON_COLUMNS = (
    "utterance_id",
    "label",
    "path",
    "speaker",
    "session",
    "gender",
    "split",
    "duration_s",
    "style",
    "text",
    CLIP_START,
    CLIP_END,
)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ScoredStretches:
    """Further predictions of a clip whose emotion may change at known times.

    Attributes:
        isolated: of the clip, each segment's own audio heard alone.
        stretches: the truth.
        alone: of each stretch, analysed as a recording of its own.
        alone_isolated: the same, each of its segments heard alone.
    """

    isolated: Prediction
    stretches: tuple[Stretch, ...]
    alone: tuple[Prediction, ...]
    alone_isolated: tuple[Prediction, ...]


@dataclass(frozen=True)
class ScoredClip:
    """Prediction of a clip, and the vectors of utterance (D,) and segments (S, D), float16.

    `changing` is known for the clips of a corpus that has stretches.
    """

    prediction: Prediction
    utterance: np.ndarray
    segments: np.ndarray
    changing: ScoredStretches | None = None


Result = ScoredClip | AudioError


@dataclass(frozen=True)
class Records:
    """Tables and arrays of a run folder, as known: a row an utterance, a segment, a stretch, and the embeddings."""

    predictions: pd.DataFrame
    segments: pd.DataFrame | None
    embeddings: dict[str, np.ndarray]
    stretches: pd.DataFrame | None = None

    @classmethod
    def concatenate(cls, parts: "list[Records]", seed: int) -> "Records":
        """Join several folds and seeds, with the embeddings of one seed; a table that one of them lacks is left out."""
        embeddings = [part.embeddings for part in parts if seed in set(part.predictions["seed"])]
        stretches = [part.stretches for part in parts if part.stretches is not None]
        return cls(
            pd.concat([part.predictions for part in parts], ignore_index=True),
            None
            if any(part.segments is None for part in parts)
            else pd.concat([part.segments for part in parts], ignore_index=True),
            {name: np.concatenate([e[name] for e in embeddings]) for name in embeddings[0]} if all(embeddings) else {},
            pd.concat(stretches, ignore_index=True) if stretches else None,
        )

    @classmethod
    def from_run(cls, run: Run) -> "Records":
        """Take the records of a run folder."""
        embeddings = run.embeddings()
        return cls(run.predictions, run.segments, {} if embeddings is None else vars(embeddings), run.stretches)

    @classmethod
    def from_results(
        cls, clips: Iterable[dict[str, Any]], results: Iterable[Result], shared: dict[str, Any]
    ) -> "Records | None":
        """Make records of clips and their results; None where no clip could be read.

        A clip that could not be read is left out with a warning that names it.

        Args:
            clips: rows of a manifest.
            results: of each clip, in order.
            shared: columns of one value for all rows: `corpus`, `seed` and `fold`.
        """
        columns = run_columns(shared["corpus"])
        rows: list[tuple[dict[str, Any], ScoredClip]] = []
        for clip, result in zip(clips, results, strict=False):  # results may go on to the next part
            if isinstance(result, AudioError):
                _log.warning("%s is left out: %s", ClipLocation.of_row(clip).key, result)
            else:
                own = {"corpus": clip["corpus"]} if "corpus" in clip else {}  # where there are several
                rows.append(({k: clip[k] for k in columns if k in clip} | shared | own, result))
        if not rows:
            return None
        stretches = [row for known, scored in rows if scored.changing for row in stretch_rows(known, scored.changing)]
        return cls(
            pd.DataFrame([utterance_row(known, scored.prediction) for known, scored in rows]),
            pd.DataFrame([row for known, scored in rows for row in segment_rows(known, scored)]),
            embedding_arrays([known for known, _ in rows], [scored for _, scored in rows]),
            pd.DataFrame(stretches) if stretches else None,
        )


def run_columns(corpus: str) -> tuple[str, ...]:
    """List the columns of a corpus's manifest that go into a run: those of every corpus, and the corpus's own."""
    known = [definitions[name] for name in corpus.split("+") if name in (definitions := corpus_definitions())]
    return COMMON_COLUMNS + tuple(column for definition in known for column in definition.run_columns)


def utterance_row(known: dict[str, Any], p: Prediction) -> dict[str, Any]:
    """Make one row of predictions.parquet."""
    return {
        **known,
        "predicted": p.label,
        "confidence": p.confidence,
        **{f"p_{c}": p.probabilities[c] for c in p.labels},
        **{f"u_{c}": p.utterance[c] for c in p.labels},
    }


def segment_rows(known: dict[str, Any], scored: ScoredClip) -> list[dict[str, Any]]:
    """Make the rows of segments.parquet that belong to one utterance."""
    p = scored.prediction
    alone = scored.changing.isolated.segments if scored.changing else (None,) * len(p.segments)
    return [
        {
            "utterance_id": known["utterance_id"],
            "segment": s.index,
            "start_s": s.start_s,
            "end_s": s.end_s,
            **{f"p_{c}": s.probabilities[c] for c in p.labels},
            **({f"i_{c}": i.probabilities[c] for c in p.labels} if i else {}),
            "seed": known["seed"],
            "fold": known["fold"],
        }
        for s, i in zip(p.segments, alone, strict=True)
    ]


def stretch_rows(known: dict[str, Any], scored: ScoredStretches) -> list[dict[str, Any]]:
    """Make the rows of stretches.parquet that belong to one utterance."""
    each = zip(scored.stretches, scored.alone, scored.alone_isolated, strict=True)
    return [
        {
            "utterance_id": known["utterance_id"],
            "stretch": number,
            "start_s": stretch.start_s,
            "end_s": stretch.end_s,
            "label": stretch.label,
            "alone": alone.label,
            "alone_isolated": isolated.label,
            **{f"p_{c}": alone.probabilities[c] for c in alone.labels},
            **{f"i_{c}": isolated.probabilities[c] for c in isolated.labels},
            "seed": known["seed"],
            "fold": known["fold"],
        }
        for number, (stretch, alone, isolated) in enumerate(each)
    ]


def embedding_arrays(rows: list[dict[str, Any]], clips: list[ScoredClip]) -> dict[str, np.ndarray]:
    """Make the arrays of embeddings.npz: utterances (U, D) and segments (R, D), float16, with their ids."""
    ids = np.array([row["utterance_id"] for row in rows], dtype=str)
    counts = [len(clip.segments) for clip in clips]
    return {
        "utterance": np.stack([clip.utterance for clip in clips]),
        "utterance_id": ids,
        "utterance_fold": np.array([row["fold"] for row in rows]),
        "segment": np.concatenate([clip.segments for clip in clips]),
        "segment_utterance_id": np.repeat(ids, counts),
        "segment_index": np.concatenate([np.arange(n) for n in counts]),
    }
