"""How often a clip was its own positive, before `choose_triplets` was told which clip each row is of.

    python -m benchmarks.own_positives --config ravdess-tiny --root RAVDESS --seed 0 1 2
    python -m benchmarks.own_positives --config emodb-base --root EMODB

Batches are drawn as in training, in all epochs of all folds. A class with fewer clips than its turn repeats some, and a
batch may hold one twice. What is counted is fixed by the corpus, the batch size and the seed: no model is trained.
"""

import argparse
from pathlib import Path

import torch

from segser_core.network.losses import choose_triplets
from training.config.settings import Settings, read_settings
from training.corpora import load_corpus
from training.corpora.fold import Fold
from training.corpora.protocols import folds
from training.features.batches import BalancedBatches


def count_own_positives(fold: Fold, settings: Settings, seed: int) -> tuple[int, int]:
    """Count the anchors whose positive is the same clip, and all anchors, over the epochs of a fold."""
    clips = fold.split("train")
    labels = torch.tensor([fold.labels.index(label) for label in clips["label"]])
    durations = torch.tensor(clips["duration_s"].tolist())
    batches = BalancedBatches(labels.tolist(), clips["duration_s"].to_numpy(), settings.batch_size, 1, seed)
    own, anchors = 0, 0
    for epoch in range(settings.epochs):
        batches.set_epoch(epoch)
        for batch in batches:
            drawn = torch.tensor([draw.clip for draw in batch])
            chosen = choose_triplets(labels[drawn], durations[drawn])
            own += int((drawn[chosen.anchors] == drawn[chosen.positives]).sum())
            anchors += len(chosen.anchors)
    return own, anchors


def main() -> None:
    """Print the share of anchors, in percent."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, required=True, help="the settings of the training, or their bare name")
    parser.add_argument("--root", type=Path, required=True, help="the folder of the corpus")
    parser.add_argument("--seed", type=int, nargs="+", default=[0])
    asked = parser.parse_args()
    settings = read_settings(asked.config)
    divided = folds(load_corpus(settings.corpus, asked.root), settings.protocol)
    counts = [count_own_positives(fold, settings, seed) for fold in divided for seed in asked.seed]
    own, anchors = map(sum, zip(*counts, strict=True))
    print(f"{own} of {anchors} anchors: {100 * own / anchors:.2f} %")


if __name__ == "__main__":
    main()
