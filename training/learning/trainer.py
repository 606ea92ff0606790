"""The training loop: `transformers.Trainer` with our batches, our loss and one rule for the best epoch."""

import json
import logging
import shutil
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate.data_loader import prepare_data_loader
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.tensorboard import SummaryWriter
from transformers import EarlyStoppingCallback, Trainer, TrainerCallback, TrainingArguments
from transformers.integrations import TensorBoardCallback
from transformers.trainer_utils import set_seed

from segser_core.files import write_whole
from segser_core.network.encoders import MelEncoder
from segser_core.network.layer_average import LayerAverage
from segser_core.network.losses import soft_targets, without_unknown
from segser_core.network.model import SegmentEmotionModel, SegmentEmotionOutput
from segser_core.network.segments import FRAME_S
from segser_core.prediction.rules import aggregate
from segser_core.systems import SYSTEMS, find_system
from training.config.settings import Settings, require
from training.corpora.fold import Fold
from training.features.augment import mask_log_mel, spec_augment
from training.features.batches import BalancedBatches, ClipDataset, MixedBatches, OrderedBatches, collate
from training.features.datasets import joined_development, make_datasets, training_batches
from training.features.normalise import set_normalisation
from training.features.store import FeatureStore
from training.learning.development import DevelopmentScorer
from training.learning.distributed import BatchShare, gather_output, gather_rows, process_state
from training.learning.history import training_history
from training.learning.objective import (
    DivergedError,
    LossParts,
    Objective,
    balanced_class_weights,
    symmetric_divergence,
)
from training.learning.precision import usable_precision
from training.learning.ptapt import StageFolder, adapt_encoder, stage_seconds
from training.learning.weight_average import WeightAverage

HISTORY = "history.json"
COMPLETE = "complete"  # the file that marks a checkpoint whose saving came to its end
_log = logging.getLogger(__name__)


class SegmentTrainer(Trainer):
    """Trainer with balanced batches, a system's objective, and the system's rule of aggregation."""

    model: SegmentEmotionModel
    train_dataset: ClipDataset
    eval_dataset: ClipDataset

    def __init__(
        self,
        settings: Settings,
        train_batches: BalancedBatches | MixedBatches,
        dev_batches: OrderedBatches,
        average: WeightAverage | None = None,
        **kwargs: Any,
    ):
        super().__init__(data_collator=collate, **kwargs)
        self.average = average
        self.model_accepts_loss_kwargs = False  # else a **kwargs forward would make it rescale the loss
        self.settings, self.train_batches, self.dev_batches = settings, train_batches, dev_batches
        self.objective: Objective = Objective(
            SYSTEMS[settings.system],
            alpha=settings.alpha.get(settings.system),
            margin=settings.margin,
            over_segments=settings.over_segments,
            smoothing=settings.label_smoothing,
            weights=balanced_class_weights(self.train_dataset.targets) if settings.class_weights else None,
            within=settings.joined.triplet_weight,
        )
        self.parts: list[dict[str, Tensor]] = []

    def get_train_dataloader(self) -> DataLoader:
        """Load batches of like duration, classes balanced."""
        share = BatchShare(self.train_batches, self.args.process_index, self.args.world_size)
        workers = self.train_dataset.usable_workers(self.settings.data_workers)
        loader = DataLoader(
            self.train_dataset,
            batch_sampler=share,
            collate_fn=collate,
            num_workers=workers,
            persistent_workers=workers > 0,
            prefetch_factor=4 if workers else None,
            generator=torch.Generator(),  # else it draws from dropout's, once with workers and each epoch without
        )
        alone: dict[str, int] = {"num_processes": 1, "process_index": 0}  # else it would be shared out once more
        return prepare_data_loader(loader, self.accelerator.device, **alone, put_on_device=True)

    def get_eval_dataloader(self, eval_dataset: Any = None) -> DataLoader:
        """Load every development clip once."""
        return self.accelerator.prepare(
            DataLoader(self.eval_dataset, batch_sampler=self.dev_batches, collate_fn=collate)
        )

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """Create Adam, its learning rate falling by `layer_decay` from each layer to the one below."""
        if self.optimizer is None:
            *stem_and_layers, head = self.model.layer_groups()
            depth = len(stem_and_layers)
            rates = [self.settings.learning_rate * self.settings.layer_decay ** (depth - 1 - i) for i in range(depth)]
            groups = [{"params": p, "lr": lr} for p, lr in zip(stem_and_layers, rates, strict=True) if p]
            groups.append({"params": head, "lr": self.settings.head_learning_rate})
            self.optimizer = torch.optim.AdamW(groups, weight_decay=self.settings.weight_decay)
        return self.optimizer

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        """Compute the system's objective on a batch."""
        features, lengths, offsets, labels = (inputs[k] for k in ("features", "lengths", "offsets", "labels"))
        output = model(self._masked(features, lengths, 0), lengths, offsets)
        if not self.model.training:
            total = self._loss(output, labels, lengths, None, inputs).total
        else:
            output = gather_output(output)
            of_all = (gather_rows(labels), gather_rows(lengths), gather_rows(inputs["clips"]))
            soft = {name: gather_rows(inputs[name]) for name in ("targets", "known") if name in inputs}
            loss = self._loss(output, *of_all, soft)
            total = loss.total
            self.parts.append(loss.parts())
            most = self.model.encoder.max_frames if self.model.encoder.positions_matter else None
            if self.settings.consistency and most:
                places = opposite_offsets(offsets, lengths, most)
                moved = gather_output(model(self._masked(features, lengths, 1), lengths, places))
                apart = symmetric_divergence(output.utterance_logits, moved.utterance_logits)
                self.parts[-1]["divergence"] = apart.detach()
                other = self._loss(moved, *of_all, soft).total
                total = (total + other) / 2 + self.settings.consistency * apart
            if not total.isfinite():
                step, rate = self.state.global_step, self.settings.learning_rate
                raise DivergedError(
                    f"the loss is no number any more at step {step}; choose a learning_rate below {rate:g}"
                )
        return (total, output) if return_outputs else total

    def _loss(
        self,
        output: SegmentEmotionOutput,
        labels: Tensor,
        lengths: Tensor,
        clips: Tensor | None,
        inputs: Mapping[str, Tensor],
    ) -> LossParts:
        """Compute the objective, with soft targets where the batch has `targets` (B, T, C) and `known` (B, C)."""
        if "targets" not in inputs:
            return self.objective(output, labels, lengths, clips)
        known, single = inputs["known"], labels >= 0
        restricted = replace(
            output,
            utterance_logits=without_unknown(output.utterance_logits, known),
            segment_logits=without_unknown(output.segment_logits, known),
        )
        windows, smoothing = self.model.config.windows, self.settings.label_smoothing
        soft = soft_targets(inputs["targets"], lengths, known, single, windows, smoothing)
        return self.objective(restricted, labels, lengths, clips, soft)

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Evaluate on development clips, under the averaged weights where there are any."""
        with self.average.applied_to(self.model) if self.average else nullcontext():
            return super().evaluate(*args, **kwargs)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Save as the Trainer does; torch's error on a full disk is raised as the OSError that it is."""
        try:
            super()._save_checkpoint(model, trial)
            if self.average and self.args.should_save:
                self.average.save(Path(str(self.args.output_dir)) / f"checkpoint-{self.state.global_step}")
        except RuntimeError as error:
            raise OSError(f"the state of the training could not be saved: {error}") from error

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        """Load as the Trainer does, and the averaged weights."""
        super()._load_from_checkpoint(resume_from_checkpoint, model)
        if self.average:
            self.average.load(Path(resume_from_checkpoint))

    def _load_best_model(self) -> None:
        """Load the best epoch's weights, averaged where that epoch was scored so."""
        super()._load_best_model()
        if self.average and self.state.best_model_checkpoint:
            self.average.load(Path(self.state.best_model_checkpoint))
            self.average.copy_to(self.model)

    def _masked(self, features: Tensor, lengths: Tensor, view: int) -> Tensor:
        """Mask a training batch for this step and view; leave any other batch as it is."""
        how, hidden = self.settings.augmentation, self.settings.spec_augment
        if not self.model.training or not (how.masks or hidden):
            return features
        drawn = [self.args.seed, self.state.global_step, view, *([rank] if (rank := self.args.process_index) else [])]
        seed = np.random.SeedSequence(drawn).generate_state(1).item()
        generator = torch.Generator().manual_seed(seed)
        if how.masks:
            features = mask_log_mel(features, lengths, how, generator)
        return spec_augment(features, lengths, hidden, generator) if hidden else features

    def prediction_step(
        self, model: Any, inputs: dict[str, Tensor], *_: Any, **__: Any
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Predict loss, label (B,) under the system's own rule, and clip (B,)."""
        inputs = self._prepare_inputs(inputs)
        with torch.no_grad():
            loss, output = self.compute_loss(model, inputs, return_outputs=True)
        utterances = output.utterance_logits.double().softmax(-1).cpu().numpy()
        segments = output.segment_logits.double().softmax(-1).cpu().numpy()
        rule, mask = find_system(self.settings.system).rule, output.segment_mask.cpu().numpy()
        found = [aggregate(u, s[m], rule)[0] for u, s, m in zip(utterances, segments, mask, strict=True)]
        return loss.detach(), torch.tensor(found, device=loss.device), inputs["clips"]

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        """Add the parts of the loss, averaged since the last line; warn of a collapse of the triplets."""
        if self.parts and "loss" in logs:
            names = self.parts[0]
            logs |= {name: torch.stack([p[name].float() for p in self.parts]).mean().item() for name in names}
            self.parts.clear()
            if logs.get("triplet", 0) > 0.95 * self.settings.margin and logs["distance_negative"] < 0.1:
                _log.warning(
                    "the triplet loss rests at its margin while the distances vanish (%.3f to the negatives): "
                    "the vectors collapse; a lower alpha or learning rate helps",
                    logs["distance_negative"],
                )
        super().log(logs, *args, **kwargs)


def opposite_offsets(offsets: Tensor, lengths: Tensor, max_frames: int) -> Tensor:
    """Find the rows farthest from `offsets` in a table of `max_frames` rows, taken as a ring: (B,), (B,) → (B,)."""
    places = max_frames - lengths + 1
    return (offsets + places // 2) % places


class MarkComplete(TrainerCallback):
    """Callback that marks each checkpoint once all of it is on disk, so that no half-written one is resumed.

    The marker holds the seconds that training took up to there, those before a stop included.
    """

    def __init__(self, earlier_s: float):
        self.began = time.monotonic() - earlier_s

    def on_save(self, args: TrainingArguments, state: Any, control: Any, **_: Any) -> None:
        """Mark the checkpoint, after its last file that this process writes."""
        us, marker = process_state(), Path(str(args.output_dir)) / f"checkpoint-{state.global_step}" / COMPLETE
        us.wait_for_everyone()
        if us.is_main_process:
            marker.write_text(f"{time.monotonic() - self.began:.0f}")


class ClipGradientValues(TrainerCallback):
    """Callback that holds every component of the gradient between −`largest` and `largest`."""

    def __init__(self, largest: float):
        self.largest = largest

    def on_pre_optimizer_step(self, args: TrainingArguments, state: Any, control: Any, model: Any = None, **_: Any):
        """Clip the gradient before each step."""
        torch.nn.utils.clip_grad_value_(model.parameters(), self.largest)


def training_seconds(steps: Path) -> float:
    """Sum the seconds up to the newest complete checkpoint or stage in a folder; 0 where there is none."""
    newest = last_complete_checkpoint(steps)
    return float((newest / COMPLETE).read_text() or 0) if newest else stage_seconds(steps)


def last_complete_checkpoint(folder: Path) -> Path | None:
    """Find the newest checkpoint whose saving came to its end, and remove half-written ones."""
    found = sorted(folder.glob("checkpoint-*"), key=lambda p: int(p.name.rpartition("-")[2]))
    whole = [p for p in found if (p / COMPLETE).exists()]
    for half in set(found) - set(whole):
        shutil.rmtree(half, ignore_errors=True)  # another process of this training may be at it, too
    return whole[-1] if whole else None


def training_arguments(settings: Settings, seed: int, folder: Path) -> TrainingArguments:
    """Set the Trainer's arguments: save and evaluate each epoch, keep the best on development clips."""
    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.batch_size,
        lr_scheduler_type=settings.schedule,
        warmup_steps=settings.warmup,
        max_grad_norm=0.0 if settings.gradient_value_clip else settings.gradient_clip,
        bf16=usable_precision(settings.precision) == "bf16",
        use_cpu=not torch.cuda.is_available(),
        eval_strategy="epoch",
        save_strategy="epoch",
        logging_strategy="epoch",
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model=settings.best_by,
        greater_is_better=settings.best_by != "loss",
        restore_callback_states_from_checkpoint=settings.patience is not None,
        label_names=["labels"],
        remove_unused_columns=False,
        report_to="none",
        seed=seed,
        data_seed=seed,
    )


def build_model(settings: Settings, fold: Fold) -> SegmentEmotionModel:
    """Build the pretrained encoder under a fresh head, by the settings.

    Raises:
        SettingError: masks of the log-mel for an encoder that is not given it anew in each step.
    """
    model = SegmentEmotionModel.from_encoder(
        settings.encoder,
        settings.revision,
        labels=list(fold.labels),
        system=settings.system,
        layer=settings.layer,
        frozen_layers=settings.frozen_layers,
        window_frames=settings.window_s and round(settings.window_s / FRAME_S),
        segment_frames=settings.segment_frames,
        stride_frames=settings.stride_frames,
        tail=settings.tail,
        longest_training_clip_s=float(fold.split("train")["duration_s"].clip(upper=settings.cut_s).max()),
        normalization=settings.normalization,
        crop_frames=settings.crop_frames,
    )
    takes_log_mel = isinstance(model.encoder, MelEncoder) and model.encoder.frozen_layers is None
    require(
        takes_log_mel or not settings.augmentation.masks,
        "augmentation.mask_bands or mask_time",
        "above 0",
        "0, but for Whisper's encoder with no layer frozen",
    )
    return model


def check_processes(settings: Settings, n: int) -> None:
    """Check that so many processes can share a training; a SettingError otherwise."""
    least = 2 * n if n > 1 else 1
    require(settings.batch_size >= least, "batch_size", settings.batch_size, f"{least} or more for {n} processes")
    require(
        n == 1 or not SYSTEMS[settings.system].pretrained_in_stages,
        "system",
        settings.system,
        "another one for several processes",
    )


def train_fold(
    fold: Fold, store: FeatureStore, settings: Settings, seed: int, steps: Path, logs: Path | None = None
) -> SegmentEmotionModel:
    """Train one system on one fold with one seed; returns the model of the epoch that is best on development clips.

    Args:
        fold: clips, splits and labels.
        store: where the corpus lies, and where its features are kept.
        settings: what to train, and how.
        seed: of the head's weights, the batches and the augmentation.
        steps: holds what is needed to go on after a stop; where it does, training goes on.
        logs: where TensorBoard finds its log; none is written where it is None.
    """
    us = process_state()
    check_processes(settings, us.num_processes)
    set_seed(seed)
    marking = MarkComplete(training_seconds(steps))
    model, train, dev = build_model(settings, fold), fold.split("train"), fold.split("dev")
    clips, dev_clips = make_datasets(settings, fold, store, model, seed)
    if isinstance(model.encoder, LayerAverage):
        set_normalisation(model.encoder, (clips, train["speaker"], 0), (dev_clips, dev["speaker"], None))
    durations_s, size = train["duration_s"].to_numpy(), settings.batch_size
    if SYSTEMS[settings.system].pretrained_in_stages:
        model.config.stages = adapt_encoder(model.encoder, clips, durations_s, settings, StageFolder(seed, steps, logs))
    batches = training_batches(settings, train, clips, seed)
    if isinstance(batches, MixedBatches):
        model.config.longest_training_clip_s = batches.longest_s
    average = WeightAverage(model, settings.average_decay) if settings.average_decay else None
    development = DevelopmentScorer(model, dev_clips, dev, fold.labels, joined_development(settings, dev, dev_clips))
    trainer = SegmentTrainer(
        settings,
        batches,
        OrderedBatches(dev["duration_s"].to_numpy(), size),
        average,
        model=model,
        args=training_arguments(settings, seed, steps),
        train_dataset=clips,
        eval_dataset=dev_clips,
        compute_metrics=development,
        callbacks=[
            *([average] if average else []),  # before the checkpoint is marked as complete
            marking,
            *([ClipGradientValues(settings.gradient_value_clip)] if settings.gradient_value_clip else []),
            *([EarlyStoppingCallback(settings.patience)] if settings.patience else []),
            *([TensorBoardCallback(SummaryWriter(str(logs)))] if logs and us.is_main_process else []),
        ],
    )
    newest = last_complete_checkpoint(steps)
    trainer.train(resume_from_checkpoint=str(newest) if newest else None)
    if us.is_main_process:
        write_whole(steps / HISTORY, json.dumps(training_history(trainer.state, settings.best_by)))
    return model
