"""Score a model on a corpus, exactly as `analyze` would hear each clip, and write the run folder.

python -m training.evaluate --model seg+tri-w --corpus emodb --root DIR --out RUN
"""

import argparse
import contextlib
import datetime
import logging
import platform
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm

from segser_core import __version__
from segser_core.audio import load_audio
from segser_core.errors import AudioError, CorpusError, SegserError
from segser_core.layers import AS_IT_IS, LayerAverage, Statistics, statistics
from segser_core.model import ORIGIN
from segser_core.prediction import Prediction, default_aggregate
from segser_core.predictor import Encoded, Predictor
from segser_core.runs import check_place, metrics_of, write_run
from training.corpora import load_corpus
from training.options import parse_args
from training.protocols import DEFAULTS, clips_of_split

KEPT_COLUMNS = (
    *("utterance_id", "label", "path", "speaker", "session", "gender", "split", "duration_s", "style", "text"),
    *("agreement", "joined", "parts"),
)
log = logging.getLogger(__name__)


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


def evaluate(
    predictor: Predictor, manifest: pd.DataFrame, root: Path, corpus: str, *, seed: int = 0, fold: int = 0
) -> Records:
    """Predict every clip of a manifest, one at a time, with the model's own rule of aggregation.

    A model that normalises by speaker is given the statistics of the speaker's clips of the same split.
    A clip that cannot be read is left out with a warning that names it.

    Raises:
        CorpusError: no clip could be read.
    """
    rows, vectors, encoder = [], [], predictor.model.encoder
    by_speaker = speaker_statistics(encoder, manifest, root) if isinstance(encoder, LayerAverage) else {}
    for clip in tqdm(manifest.to_dict("records"), desc="evaluating", unit="clip", file=sys.stderr):
        if isinstance(encoder, LayerAverage):
            encoder.known = by_speaker.get((clip.get("split"), clip.get("speaker")))
        try:
            encoded = predictor.encode(root / clip["path"])
        except AudioError as error:
            log.warning("%s is left out: %s", clip["path"], error)
            continue
        prediction = predictor.classify(encoded, clip["path"])
        known = {k: clip[k] for k in KEPT_COLUMNS if k in clip}
        rows.append((known | {"corpus": corpus, "seed": seed, "fold": fold}, prediction))
        vectors.append(encoded)
    if not rows:
        raise CorpusError(f"none of the {len(manifest)} clips below {root} could be read")
    return Records(
        pd.DataFrame([utterance_row(known, p) for known, p in rows]),
        pd.DataFrame([row for known, p in rows for row in segment_rows(known, p)]),
        embeddings([known for known, _ in rows], vectors),
    )


def speaker_statistics(encoder: LayerAverage, manifest: pd.DataFrame, root: Path) -> dict[tuple[str, str], Statistics]:
    """Statistics of the activations by split and speaker; none where the model does not normalise by speaker."""
    if not encoder.by_speaker:
        return {}
    encoder.known = AS_IT_IS

    def activations(paths: pd.Series) -> Iterator[Tensor]:
        for path in tqdm(paths, desc="measuring a speaker", unit="clip", file=sys.stderr):
            with contextlib.suppress(AudioError):  # which is told when its turn comes
                yield encoder.features(torch.from_numpy(load_audio(root / path)).to(encoder.mean.device))

    return {key: statistics(activations(clips["path"])) for key, clips in manifest.groupby(["split", "speaker"])}


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


def embeddings(rows: list[dict[str, Any]], vectors: list[Encoded]) -> dict[str, np.ndarray]:
    """The arrays of embeddings.npz: utterances (U, D) and segments (R, D), float16, with their ids."""
    ids = np.array([row["utterance_id"] for row in rows], dtype=str)
    counts = [len(v.segments) for v in vectors]
    return {
        "utterance": torch.stack([v.utterance for v in vectors]).half().cpu().numpy(),
        "utterance_id": ids,
        "utterance_fold": np.array([row["fold"] for row in rows]),
        "segment": torch.cat([v.segments for v in vectors]).half().cpu().numpy(),
        "segment_utterance_id": np.repeat(ids, counts),
        "segment_index": np.concatenate([np.arange(n) for n in counts]),
    }


def describe_run(predictor: Predictor, corpus: str, protocol: str, seeds: list[int], seconds: float) -> dict[str, Any]:
    """The content of run.json that training and evaluation share."""
    config = predictor.model.config
    names = ("torch", "torchaudio", "transformers", "numpy")
    return {
        "system": predictor.system,
        "labels": list(predictor.labels),
        "corpus": corpus,
        "protocol": protocol,
        "seeds": seeds,
        "encoder": {k: config.encoder[k] for k in ORIGIN if k in config.encoder},
        "layer": config.layer,
        "segment_frames": config.segment_frames,
        "stride_frames": config.stride_frames,
        "tail": config.tail,
        "aggregate": default_aggregate(predictor.system),
        "context": "clip",
        "longest_training_clip_s": config.longest_training_clip_s,
        "versions": {"python": platform.python_version(), "segser": __version__, **{n: version(n) for n in names}},
        "date": datetime.date.today().isoformat(),
        "device": str(predictor.device),
        "seconds": round(seconds),
    }


def clips_of(asked: argparse.Namespace, labels: tuple[str, ...]) -> pd.DataFrame:
    """The clips of a split; of a corpus that the model was not trained on, all clips of the labels it knows."""
    corpus = load_corpus(asked.corpus, asked.root, asked.corpus_options)
    if asked.split == "all":
        manifest = corpus.manifest.assign(split="test")
    else:
        manifest = clips_of_split(corpus, asked.split, asked.protocol, partial=asked.partial)
    known = manifest["label"].isin(labels)
    if not known.all():
        log.warning("%d clips have a label that the model does not know; they are left out", (~known).sum())
    return manifest[known].reset_index(drop=True)


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, help="a bundled model's name, or a run or checkpoint folder")
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--root", required=True, type=Path, help="the corpus's folder")
    parser.add_argument("--out", required=True, type=Path, help="the run folder to write")
    parser.add_argument("--protocol", help="the corpus's default where it is not said")
    parser.add_argument("--partial", action="store_true", help="take a corpus that is not complete as it is")
    parser.add_argument("--split", default="test", choices=("train", "dev", "test", "all"))
    parser.add_argument("--device", default="auto")
    asked = parse_args(parser, argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        check_place(asked.out, keeps_checkpoint=False)
        began = time.monotonic()
        predictor = Predictor.from_pretrained(asked.model, asked.device)
        manifest = clips_of(asked, predictor.labels)
        records = evaluate(predictor, manifest, asked.root, asked.corpus)
        protocol = "all clips" if asked.split == "all" else asked.protocol or DEFAULTS.get(asked.corpus, "column:split")
        meta = describe_run(predictor, asked.corpus, protocol, [0], time.monotonic() - began)
        metrics = metrics_of(records.predictions.assign(split="test"), list(predictor.labels))
        write_run(
            asked.out,
            meta=meta,
            config_yaml=f"model: {Path(asked.model).name}\ncorpus: {asked.corpus}\nsplit: {asked.split}\n",
            predictions=records.predictions,
            segments=records.segments,
            embeddings=records.embeddings,
            metrics=metrics,
        )
    except SegserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"UAR {100 * metrics['uar']['pooled']:.1f}, accuracy {100 * metrics['accuracy']['pooled']:.1f} → {asked.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
