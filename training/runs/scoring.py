"""Clips through a model, one after the other here or shared out by Ray, and what of them goes into a run folder.

What a long evaluation has done lies beside its run in parts, each a small run folder that is whole or not
there, so that it goes on after a stop and holds one part at a time.
"""

import contextlib
import logging
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm

from segser_core.audio.loading import DecodedAudio, load_audio, predecode
from segser_core.errors import AudioError, CorpusError, RunError, SettingError
from segser_core.inference.predictor import Predictor
from segser_core.inference.prefetch import prefetch
from segser_core.inference.ray_workers import map_on_ray
from segser_core.network.layer_average import (
    IDENTITY_STATISTICS,
    ActivationStatistics,
    LayerAverage,
    activation_statistics,
)
from segser_core.prediction.prediction import Prediction
from segser_core.runs.run import Run, read_run
from segser_core.runs.writing import write_run
from training.corpora import corpus_definitions

RUN_COLUMNS = ("utterance_id", "label", "path", "speaker", "session", "gender", "split", "duration_s", "style", "text")
PART = 500  # clips: what is done again after a stop, at most
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scored:
    """What a model says of a clip, and the vectors of utterance (D,) and segments (S, D), float16."""

    prediction: Prediction
    utterance: np.ndarray
    segments: np.ndarray


Result = Scored | AudioError


@dataclass(frozen=True)
class Records:
    """What a run folder holds of the predictions: a row an utterance, a row a segment, and the vectors (as known)."""

    predictions: pd.DataFrame
    segments: pd.DataFrame | None
    embeddings: dict[str, np.ndarray]

    @classmethod
    def joined(cls, parts: "list[Records]", seed: int) -> "Records":
        """Several folds and seeds as one, with the vectors of one seed; what one of them lacks is left out."""
        kept = [p.embeddings for p in parts if seed in set(p.predictions["seed"])]
        return cls(
            pd.concat([p.predictions for p in parts], ignore_index=True),
            None
            if any(p.segments is None for p in parts)
            else pd.concat([p.segments for p in parts], ignore_index=True),
            {name: np.concatenate([e[name] for e in kept]) for name in kept[0]} if all(kept) else {},
        )

    @classmethod
    def of_run(cls, run: Run) -> "Records":
        """What a run folder has of them."""
        vectors = run.embeddings()
        return cls(run.predictions, run.segments, {} if vectors is None else vars(vectors))

    @classmethod
    def of_clips(
        cls, clips: Iterable[dict[str, Any]], results: Iterable[Result], further: dict[str, Any]
    ) -> "Records | None":
        """Clips (rows of a manifest) with what came of them, and columns that all share; None where nothing did.

        A clip that could not be read is left out with a warning that names it.
        """
        columns = run_columns(further["corpus"])
        rows: list[tuple[dict[str, Any], Scored]] = []
        for clip, result in zip(clips, results, strict=False):  # results may go on to the next part
            if isinstance(result, AudioError):
                log.warning("%s is left out: %s", clip["path"], result)
            else:
                rows.append(({k: clip[k] for k in columns if k in clip} | further, result))
        if not rows:
            return None
        return cls(
            pd.DataFrame([utterance_row(known, s.prediction) for known, s in rows]),
            pd.DataFrame([row for known, s in rows for row in segment_rows(known, s.prediction)]),
            embeddings([known for known, _ in rows], [s for _, s in rows]),
        )


def scored(predictor: Predictor, manifest: pd.DataFrame, root: Path) -> Iterator[Result]:
    """What a model says of each clip of a manifest, in order; clips are decoded ahead.

    A model that normalises by speaker is given the statistics of the speaker's clips of the same split.
    """
    encoder = predictor.model.encoder
    by_speaker = speaker_statistics(encoder, manifest, root) if isinstance(encoder, LayerAverage) else {}
    keys = zip(manifest["split"], manifest["speaker"], strict=True) if by_speaker else repeat(None)
    clips = zip(manifest["path"], keys, strict=False)
    for (path, key), decoded in prefetch(clips, lambda clip: predecode(root / clip[0])):
        if isinstance(encoder, LayerAverage):
            encoder.known = by_speaker.get(key)
        yield score(predictor, path, decoded.result)


def scored_on_ray(model: str, device: str, manifest: pd.DataFrame, root: Path, address: str | None) -> Iterator[Result]:
    """The same by Ray's workers, each with the model to itself; `root` is a place that all of them see."""
    return map_on_ray(list(manifest["path"]), partial(scorer, model, device, root.resolve()), address, device == "cuda")


def scorer(model: str, device: str, root: Path) -> Callable[[str], Result]:
    """What one of Ray's workers does with each clip."""
    predictor = Predictor.from_pretrained(model, device)
    if isinstance(predictor.model.encoder, LayerAverage) and predictor.model.encoder.by_speaker:
        raise SettingError("a model that normalises by speaker must hear all of a speaker first: use --engine local")
    return lambda path: score(predictor, path, partial(predecode, root / path))


def score(predictor: Predictor, path: str, decoded: Callable[[], DecodedAudio | Path]) -> Result:
    """What a model says of one clip, or why it cannot be read."""
    try:
        encoded = predictor.encode(decoded())
    except AudioError as error:
        return error
    assert encoded.utterance is not None, "in context the whole is heard"
    vectors = (v.half().cpu().numpy() for v in (encoded.utterance, encoded.segments))
    return Scored(predictor.classify(encoded, path), *vectors)


def speaker_statistics(encoder: LayerAverage, manifest: pd.DataFrame, root: Path) -> dict[Any, ActivationStatistics]:
    """Statistics of the activations by split and speaker; none where the model does not normalise by speaker."""
    if not encoder.by_speaker:
        return {}
    encoder.known = IDENTITY_STATISTICS

    def activations(paths: pd.Series) -> Iterator[Tensor]:
        for path in tqdm(paths, desc="measuring a speaker", unit="clip", file=sys.stderr):
            with contextlib.suppress(AudioError):  # which is told when its turn comes
                yield encoder.features(torch.from_numpy(load_audio(root / path)).to(encoder.mean.device))

    return {
        key: activation_statistics(activations(clips["path"])) for key, clips in manifest.groupby(["split", "speaker"])
    }


@dataclass(frozen=True)
class Parts:
    """What an evaluation has done so far, in a folder beside its run.

    Attributes:
        folder: holds a run folder for every `PART` clips.
        meta: run.json of each.
        config: config.yaml of each; what was made under another one is done again.
    """

    folder: Path
    meta: dict[str, Any]
    config: str

    def read(self, part: int) -> Run | None:
        """A part, or None where it is not there, torn, or of another evaluation."""
        path = self._path(part)
        try:
            run = read_run(path)
            run.embeddings()
        except RunError:
            return None
        return run if (path / "config.yaml").read_text(encoding="utf-8") == self.config else None

    def write(self, part: int, records: Records) -> None:
        """Put a part in its place."""
        path = self._path(part)
        shutil.rmtree(path, ignore_errors=True)
        write_run(path, meta=self.meta, config_yaml=self.config, metrics={"part": part}, **vars(records))

    def _path(self, part: int) -> Path:
        return self.folder / f"{part:06d}"

    def complete(
        self, manifest: pd.DataFrame, score_all: Callable[[pd.DataFrame], Iterator[Result]], further: dict[str, Any]
    ) -> Records:
        """Score the clips of all parts that are not there yet, and join them all.

        Args:
            manifest: all clips, in order.
            score_all: from clips to their results.
            further: columns that all rows share.

        Raises:
            CorpusError: no clip could be read.
        """
        parts = {k // PART: manifest.iloc[k : k + PART] for k in range(0, len(manifest), PART)}
        waiting = {part: clips for part, clips in parts.items() if self.read(part) is None}
        left = pd.concat([manifest.iloc[:0], *waiting.values()])
        done = len(manifest) - len(left)
        bar = tqdm(score_all(left), "evaluating", len(manifest), initial=done, unit="clip", file=sys.stderr)
        results = iter(bar)  # once, for all parts
        for part, clips in waiting.items():
            records = Records.of_clips(clips.to_dict("records"), results, further)
            if records is not None:
                self.write(part, records)
        found = [run for part in parts if (run := self.read(part)) is not None]
        if not found:
            raise CorpusError(f"none of the {len(manifest)} clips could be read")
        return Records.joined([Records.of_run(run) for run in found], further["seed"])


def run_columns(corpus: str) -> tuple[str, ...]:
    """List the columns of a corpus's manifest that go into a run: those of every corpus, and the corpus's own."""
    definition = corpus_definitions().get(corpus)
    return RUN_COLUMNS + (definition.run_columns if definition else ())


def utterance_row(known: dict[str, Any], p: Prediction) -> dict[str, Any]:
    """One row of predictions.parquet."""
    return {
        **known,
        "predicted": p.label,
        "confidence": p.confidence,
        **{f"p_{c}": p.probabilities[c] for c in p.labels},
        **{f"u_{c}": p.utterance[c] for c in p.labels},
    }


def segment_rows(known: dict[str, Any], p: Prediction) -> list[dict[str, Any]]:
    """The rows of segments.parquet that belong to one utterance."""
    return [
        {
            "utterance_id": known["utterance_id"],
            "segment": s.index,
            "start_s": s.start_s,
            "end_s": s.end_s,
            **{f"p_{c}": s.probabilities[c] for c in p.labels},
            "seed": known["seed"],
            "fold": known["fold"],
        }
        for s in p.segments
    ]


def embeddings(rows: list[dict[str, Any]], clips: list[Scored]) -> dict[str, np.ndarray]:
    """The arrays of embeddings.npz: utterances (U, D) and segments (R, D), float16, with their ids."""
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


def evaluate(
    predictor: Predictor, manifest: pd.DataFrame, root: Path, corpus: str, *, seed: int = 0, fold: int = 0
) -> Records:
    """Predict every clip of a manifest, one at a time, with the model's own rule of aggregation.

    A model that normalises by speaker is given the statistics of the speaker's clips of the same split.
    A clip that cannot be read is left out with a warning that names it.

    Raises:
        CorpusError: no clip could be read.
    """
    results = tqdm(scored(predictor, manifest, root), "evaluating", len(manifest), unit="clip", file=sys.stderr)
    records = Records.of_clips(manifest.to_dict("records"), results, {"corpus": corpus, "seed": seed, "fold": fold})
    if records is None:
        raise CorpusError(f"none of the {len(manifest)} clips below {root} could be read")
    return records
