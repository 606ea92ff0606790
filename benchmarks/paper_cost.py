"""What segments and triplets cost: `seg+tri-w` against `baseline`, in one run, on the same clips.

    python -m benchmarks.paper_cost --root ../shared/data/ravdess

Inference: the test clips of RAVDESS at batch size 1 (the paper reports a ratio of 41 s / 30 s,
1.37). Training: one optimiser step on the same batches. Both sides take turns, clip by clip and
batch by batch, so that a change in the machine's speed meets both; the ratio of the medians is
printed with the quartiles of the ratios of single turns.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch

from segser_core.audio import load_audio
from segser_core.model import SegmentEmotionModel
from segser_core.predictor import Predictor
from training.batches import BalancedBatches, Clips, collate
from training.corpora import load_corpus
from training.kept import FeatureStore
from training.objective import SYSTEMS, Objective
from training.protocols import folds
from training.settings import Augmentation

NAMES = ("baseline", "seg+tri-w")


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def report(what: str, times: dict[str, list[float]]) -> None:
    """One line: the ratio with its spread, and seconds a turn."""
    single = sorted(b / a for a, b in zip(times["baseline"], times["seg+tri-w"], strict=True))
    medians = {name: statistics.median(t) for name, t in times.items()}
    low, _, high = statistics.quantiles(single, n=4)
    print(
        f"{what}: {sum(times['seg+tri-w']) / sum(times['baseline']):.3f} of the totals, "
        f"{medians['seg+tri-w'] / medians['baseline']:.3f} of the medians "
        f"(single turns {low:.3f} to {high:.3f}, n = {len(single)}; "
        f"baseline {1e3 * medians['baseline']:.1f} ms, seg+tri-w {1e3 * medians['seg+tri-w']:.1f} ms)"
    )


def alternate(turns: list, sides: dict[str, Callable]) -> dict[str, list[float]]:
    """Times of each side on each turn; the side that goes first changes from turn to turn."""
    times: dict[str, list[float]] = {name: [] for name in sides}
    for i, turn in enumerate(turns):
        order = NAMES if i % 2 == 0 else NAMES[::-1]
        for name in order:
            times[name].append(seconds(lambda name=name, turn=turn: sides[name](turn)))
    return times


def training_step(model: SegmentEmotionModel, system: str) -> Callable[[dict], None]:
    """One step of the optimiser on a batch."""
    objective, optimizer = Objective(SYSTEMS[system], alpha=0.2), torch.optim.AdamW(model.parameters(), lr=1e-5)

    def step(batch: dict) -> None:
        output = model(batch["features"], batch["lengths"], batch["offsets"])
        objective(output, batch["labels"], batch["lengths"]).total.backward()
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
    report("inference, batch 1", alternate(recordings, {name: p.predict for name, p in predictors.items()}))

    train = fold.split("train")
    models = {name: p.model.train() for name, p in predictors.items()}
    clips = Clips(train, FeatureStore(asked.root), fold.labels, models["baseline"].encoder, Augmentation(), seed=0)
    batches = BalancedBatches(clips.targets, train["duration_s"].to_numpy(), 12, 1, seed=0)
    made = [collate([clips[d] for d in draws]) for _, draws in zip(range(asked.steps + 2), batches, strict=False)]
    steps = {name: training_step(model, name) for name, model in models.items()}
    alternate(made[:2], steps)
    report("training step, batch 12", alternate(made[2:], steps))


if __name__ == "__main__":
    main()
