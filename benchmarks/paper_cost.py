"""What segments and triplets cost: `seg+tri-w` against `baseline`, in one run, on the same clips.

    python -m benchmarks.paper_cost --root ../shared/data/ravdess

Inference: the test clips of RAVDESS at batch size 1 (the paper reports a ratio of 41 s / 30 s,
1.37). Training: one optimiser step on the same batches, also by an implementation that encodes
anchors, positives and negatives apart, three batches of a step in place of one, to the same loss.
All sides take turns, clip by clip and batch by batch, so that a change in the machine's speed
meets all of them.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.turns import alternate, publish, ratio
from segser_core.audio.loading import load_audio
from segser_core.inference.predictor import Predictor
from segser_core.network.losses import Triplets, choose_triplets, combined_loss, triplet_loss
from segser_core.network.model import SegmentEmotionModel
from segser_core.systems import SYSTEMS
from training.config.settings import Augmentation
from training.corpora import load_corpus
from training.corpora.protocols import folds
from training.features.batches import BalancedBatches, ClipDataset, collate
from training.features.store import FeatureStore
from training.learning.objective import Objective

NAMES = ("baseline", "seg+tri-w")
ALPHA = 0.2
Loss = Callable[[SegmentEmotionModel, dict], torch.Tensor]


def loss_of(system: str) -> Loss:
    """A system's loss, from one pass over a batch."""
    objective = Objective(SYSTEMS[system], alpha=ALPHA)

    def loss(model: SegmentEmotionModel, batch: dict) -> torch.Tensor:
        output = model(batch["features"], batch["lengths"], batch["offsets"])
        return objective(output, batch["labels"], batch["lengths"]).total

    return loss


def loss_apart(model: SegmentEmotionModel, batch: dict) -> torch.Tensor:
    """The loss of `seg+tri-w`, from three passes: over all recordings as anchors, their positives, their negatives."""
    labels, lengths = batch["labels"], batch["lengths"]
    chosen = choose_triplets(labels, lengths)

    def encode(rows: torch.Tensor):
        return model(batch["features"][rows], lengths[rows], batch["offsets"][rows])

    rows, k = len(labels), len(chosen.anchors)
    anchors, positives, negatives = (encode(r) for r in (torch.arange(rows), chosen.positives, chosen.negatives))
    vectors = torch.cat([anchors.utterance_vectors, positives.utterance_vectors, negatives.utterance_vectors])
    triplets = Triplets(chosen.anchors, rows + torch.arange(k), rows + k + torch.arange(k))
    nll = Objective(SYSTEMS["seg"])(anchors, labels, lengths).total
    return combined_loss(nll, triplet_loss(vectors, triplets).loss, ALPHA)


def training_step(model: SegmentEmotionModel, loss: Loss, fused: bool = False) -> Callable[[dict], None]:
    """One step of the optimiser on a batch."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=fused)

    def step(batch: dict) -> None:
        loss(model, batch).backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def main() -> None:
    """Both measurements."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, required=True, help="the folder of RAVDESS")
    parser.add_argument("--steps", type=int, default=40, help="training steps to time")
    asked = parser.parse_args()
    fold = folds(load_corpus("ravdess", asked.root))[0]
    recordings = [load_audio(asked.root / p) for p in fold.split("test")["path"]]
    predictors = {name: Predictor.from_pretrained(name) for name in NAMES}
    for p in predictors.values():
        p.predict(recordings[0])
    times = alternate(recordings, {name: p.predict for name, p in predictors.items()})
    heard = f"{len(recordings)} test clips, batch 1, seg+tri-w"
    figures = [ratio(heard, "baseline", times["seg+tri-w"], times["baseline"], "≤ 1.03 × (the paper's 1.37)")]

    train = fold.split("train")
    models = {name: p.model.train() for name, p in predictors.items()}
    clips = ClipDataset(
        train, FeatureStore(asked.root), fold.labels, models["baseline"].encoder, Augmentation(), seed=0
    )
    batches = BalancedBatches(clips.targets, train["duration_s"].to_numpy(), 12, 1, seed=0)
    made = [collate([clips[d] for d in draws]) for _, draws in zip(range(asked.steps + 2), batches, strict=False)]
    torch.testing.assert_close(*(loss(models["seg+tri-w"], made[0]) for loss in (loss_of("seg+tri-w"), loss_apart)))
    steps = {name: training_step(model, loss_of(name)) for name, model in models.items()}
    steps["apart"] = training_step(models["seg+tri-w"], loss_apart)
    alternate(made[:2], steps)
    times = alternate(made[2:], steps)
    trained = "a training step, batch 12, seg+tri-w"
    figures += [
        ratio(trained, "baseline", times["seg+tri-w"], times["baseline"], "≤ 1.10 ×"),
        ratio(trained, "anchor, positive and negative apart", times["apart"], times["seg+tri-w"], "≥ 2.5 ×"),
    ]
    publish("paper-cost", figures)


if __name__ == "__main__":
    main()
