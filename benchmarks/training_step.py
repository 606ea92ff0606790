"""What a step of training the bundled models costs: in fp32 and in bf16, and what making its batch costs.

    python -m benchmarks.training_step --root DIR --encoder WHISPER_BASE

DIR holds RAVDESS as `ravdess`. Batches are those of `training/configs/bundled.yaml`, single clips and joined ones as
they come, on that corpus alone. A turn is a batch: both sides take a step on it.
"""

import argparse
from pathlib import Path
from tempfile import mkdtemp

import torch

from benchmarks.turns import alternate, publish, ratio, seconds, spread
from training.config.settings import find_config, read_settings, replace_settings
from training.corpora.combine import load_combined_fold
from training.features.batches import collate
from training.features.datasets import make_datasets, training_batches
from training.features.store import FeatureStore
from training.learning.trainer import SegmentTrainer, build_model, training_arguments


def main() -> None:
    """One comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True, help="the folder that holds RAVDESS as ravdess")
    parser.add_argument("--encoder", required=True, help="Whisper-base's encoder")
    parser.add_argument("--batches", type=int, default=24)
    asked = parser.parse_args()
    settings = read_settings(find_config(Path("bundled")), {"encoder": asked.encoder, "system": "seg+tri-w"})
    settings = replace_settings(settings, corpora=settings.corpora[:1], precision="fp32")
    fold = load_combined_fold(settings, asked.root)
    model = build_model(settings, fold).train()
    clips, _ = make_datasets(settings, fold, FeatureStore(asked.root), model, 0)
    batches = training_batches(settings, fold.split("train"), clips, 0)
    draws = [each for _, each in zip(range(asked.batches + 2), batches, strict=False)]
    made: list[dict[str, torch.Tensor]] = []
    took = [seconds(lambda each=each: made.append(collate([clips[draw] for draw in each]))) for each in draws]
    arguments = training_arguments(settings, 0, Path(mkdtemp()))
    sets = {"train_dataset": clips, "eval_dataset": clips}  # of which neither is run through
    trainer = SegmentTrainer(settings, batches, None, model=model, args=arguments, **sets)
    optimizer = trainer.create_optimizer()

    def step(batch: dict[str, torch.Tensor], *, bf16: bool) -> None:
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = trainer.compute_loss(model, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), settings.gradient_clip)
        optimizer.step()

    sides = {"fp32": lambda batch: step(batch, bf16=False), "bf16": lambda batch: step(batch, bf16=True)}
    alternate(made[:2], sides)
    times = alternate(made[2:], sides)
    mean_s = 0.02 * sum(float(batch["lengths"].float().mean()) for batch in made[2:]) / asked.batches
    size = f"batch {settings.batch_size}, {mean_s:.1f} s each, {settings.layer} layers"
    what = f"a step of training seg+tri-w on single and joined clips, {size}"
    publish(
        "training-step",
        [
            ratio(f"{what}, bf16", "fp32", times["fp32"], times["bf16"], "–"),
            spread("making its batch, augmented", "–", took[2:], "s", "–", "in a process of its own it costs no time"),
        ],
    )


if __name__ == "__main__":
    main()
