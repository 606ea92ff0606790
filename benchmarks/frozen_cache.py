"""What keeping the frozen part's features is worth: training steps of RAVDESS with them at hand, and made anew.

    python -m benchmarks.frozen_cache --root RAVDESS --frozen-layers 10

Around wav2vec2-base's configuration with weights at random, batches of 12 as in an epoch, `seg+tri-w`. A turn
is a batch: with the cache its features lie in memory, as from the second epoch on; without it the clips are decoded,
augmented and taken through the convolutions again. An epoch is 170 such batches.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.paper_cost import loss_of, training_step
from benchmarks.peers import random_wav2vec2
from benchmarks.turns import alternate, publish, ratio
from training.config.settings import Augmentation
from training.corpora import load_corpus
from training.corpora.protocols import folds
from training.features.batches import BalancedBatches, ClipDataset, ClipDraw, collate
from training.features.store import FeatureStore

BATCH = 12


def main() -> None:
    """One comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True, help="the folder of RAVDESS")
    parser.add_argument("--batches", type=int, default=12)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32", help="of the tuned part")
    parser.add_argument(
        "--frozen-layers", type=int, help="of the twelve; without it the convolutions alone, as the paper"
    )
    asked = parser.parse_args()
    fold = folds(load_corpus("ravdess", asked.root))[0]
    train, model = fold.split("train"), random_wav2vec2(asked.frozen_layers).train()
    clips = ClipDataset(train, FeatureStore(asked.root), fold.labels, model.encoder, Augmentation(), seed=0)
    epoch = BalancedBatches(clips.targets, train["duration_s"].to_numpy(), BATCH, 1, seed=0)
    batches = [draws for _, draws in zip(range(asked.batches + 1), epoch, strict=False)]
    kept = {draw: clips[draw] for draws in batches for draw in draws}
    loss = torch.autocast("cpu", torch.bfloat16, enabled=asked.precision == "bf16")(loss_of("seg+tri-w"))
    step = training_step(model, loss)

    def made_anew(draws: list[ClipDraw]) -> None:
        clips.store.memory.clear()
        step(collate([clips[d] for d in draws]))

    sides: dict[str, Callable] = {"kept": lambda draws: step(collate([kept[d] for d in draws])), "anew": made_anew}
    alternate(batches[:1], sides)
    times = alternate(batches[1:], sides)
    frozen = "convolutions" if asked.frozen_layers is None else f"{asked.frozen_layers} of 12 layers"
    what = f"training on RAVDESS, wav2vec2, {asked.precision}, frozen {frozen} kept"
    remark = f"{asked.batches} of an epoch's {len(epoch)} batches"
    figure = ratio(what, "the same made anew", times["anew"], times["kept"], "≥ 1.3 ×", remark)
    publish(f"frozen-cache-{asked.precision}-{asked.frozen_layers or 'convolutions'}", [figure])


if __name__ == "__main__":
    main()
