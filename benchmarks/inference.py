"""Segment probabilities of RAVDESS's test clips, ours and by what a user would pick instead, with the same weights.

    pip install -e ".[bench]"
    python -m benchmarks.inference --root RAVDESS --encoder whisper --peer pipeline --batch 1
    python -m benchmarks.inference --root RAVDESS --encoder wav2vec2 --peer audonnx

A turn is one clip, or as many clips as the batch; all sides take turns on it. We take one clip after the
other whatever the batch is; in isolation all segments of a clip go at once. The peers get the windows cut
out, `--batch` of them at once. `--every 2` takes each second clip.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from transformers.utils import logging

from benchmarks import peers
from benchmarks.turns import alternate, publish, ratio
from segser_core.audio.loading import load_audio
from segser_core.inference.predictor import Predictor
from segser_core.network.encoders import HOP_SAMPLES
from segser_core.network.model import SegmentEmotionModel
from segser_core.prediction.prediction import Context
from training.corpora import load_corpus
from training.corpora.protocols import folds

Turn = list[np.ndarray]
WARM_UP = 2  # turns before the measurement
TARGETS = {
    ("whisper", "pipeline", "clip"): "≥ 5 ×",
    ("whisper", "pipeline", "segment"): "≥ 3 ×",
    ("wav2vec2", "pipeline", "clip"): "≥ 1.7 × at batch 1, ≥ 1 × at batch 8",
    ("wav2vec2", "pipeline", "segment"): "≥ 1 ×",
}
CONTEXTS: dict[Context, str] = {"clip": "in context", "segment": "in isolation"}


def clips_of_ravdess(root: Path, every: int = 1) -> list[np.ndarray]:
    """The test clips of RAVDESS, or each so-manieth of them."""
    return [load_audio(root / path) for path in folds(load_corpus("ravdess", root))[0].split("test")["path"][::every]]


def cut(model: SegmentEmotionModel, waveform: np.ndarray) -> list[np.ndarray]:
    """The segments' audio, the same that we take in isolation."""
    bounds = model.config.windows.bounds(model.encoder.count_frames(len(waveform)))
    return [waveform[a * HOP_SAMPLES : b * HOP_SAMPLES + model.encoder.overhang_samples] for a, b in bounds]


def ours(predictor: Predictor, context: Context) -> Callable[[Turn], np.ndarray]:
    """Clips → the probabilities of all their segments (S, C)."""

    def run(turn: Turn) -> np.ndarray:
        heard = [predictor.predict(clip, context=context, aggregate="max") for clip in turn]
        return np.array([list(s.probabilities.values()) for p in heard for s in p.segments])

    return run


def peer(model: SegmentEmotionModel, name: str, batch: int, folder: Path) -> Callable[[Turn], np.ndarray]:
    """The same by a peer."""
    classify = peers.by_pipeline(model, batch) if name == "pipeline" else peers.by_audonnx(model, folder)
    return lambda turn: classify([window for clip in turn for window in cut(model, clip)])


def alike(a: np.ndarray, b: np.ndarray) -> str:
    """How far two sides' probabilities (S, C) agree."""
    same = 100 * (a.argmax(1) == b.argmax(1)).mean()
    return f"{same:.1f} % of {len(a)} segments alike, largest difference of a probability {np.abs(a - b).max():.2g}"


def keeping(side: Callable[[Turn], np.ndarray], kept: list[np.ndarray]) -> Callable[[Turn], None]:
    """The same, its answers kept to be compared."""
    return lambda turn: kept.append(side(turn))


def main() -> None:
    """One encoder against one peer, in both contexts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True, help="the folder of RAVDESS")
    parser.add_argument("--encoder", choices=("whisper", "wav2vec2"), required=True)
    parser.add_argument("--peer", choices=("pipeline", "audonnx"), required=True)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--every", type=int, default=1)
    asked = parser.parse_args()
    logging.set_verbosity_error()
    bundled = asked.encoder == "whisper"
    predictor = Predictor.from_pretrained("seg+tri-w") if bundled else Predictor(peers.random_wav2vec2(), "random")
    clips = clips_of_ravdess(asked.root, asked.every)
    turns = [clips[i : i + asked.batch] for i in range(0, len(clips), asked.batch)]
    if bundled and asked.peer == "pipeline":
        difference = peers.padded_frames_differ(predictor.model, cut(predictor.model, clips[0])[0])
        assert difference < 1e-3, f"frames differ by {difference}: these are not the same weights"
    with tempfile.TemporaryDirectory() as folder:
        sides: dict[str, Any] = {context: ours(predictor, context) for context in CONTEXTS}
        sides["peer"] = peer(predictor.model, asked.peer, asked.batch, Path(folder))
        alternate(turns[:WARM_UP], sides)
        kept: dict[str, list[np.ndarray]] = {name: [] for name in sides}
        times = alternate(turns, {name: keeping(side, kept[name]) for name, side in sides.items()})
    found = {name: np.concatenate(parts) for name, parts in kept.items()}
    what, against = f"{len(clips)} test clips, {asked.encoder}", f"{asked.peer}, batch {asked.batch}"
    publish(
        f"inference-{asked.encoder}-{asked.peer}-{asked.batch}",
        [
            ratio(
                f"{what}, {words}",
                against,
                times["peer"],
                times[context],
                TARGETS.get((asked.encoder, asked.peer, context), "> 1 ×"),
                alike(found[context], found["peer"]),
            )
            for context, words in CONTEXTS.items()
        ],
    )


if __name__ == "__main__":
    main()
