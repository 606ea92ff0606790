"""Adapt an encoder by pseudo-labels before fine-tuning: the stages of `p-tapt` (Chen and Rudnicky 2023).

1. A network is tuned on the labels, of utterances and of all their frames. The authors take wav2vec (v1); here
   a copy of the encoder stands for it, and the run's record says so.
2. k-means over its frames: each frame's cluster is its pseudo-label, once for each number of clusters.
3. The encoder, as it came, goes on with pretraining: it predicts the clusters of hidden frames.

Stage 4 is the fine-tuning of `training.learning.trainer`, as of any system. All stages see the training part of a fold
alone. Each is kept as one file once it is done, so that a stopped training goes on behind it.
"""

import copy
import itertools
import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm
from transformers import get_scheduler
from transformers.trainer_utils import set_seed

from segser_core.errors import SettingError
from segser_core.files import write_whole
from segser_core.network.encoders import FrameEncoder, MelEncoder
from segser_core.network.segments import FRAME_S
from training.config.settings import Settings
from training.features.augment import draw_mask_spans, spec_augment
from training.features.batches import BalancedBatches, ClipDataset, ClipDraw, collate
from training.learning.objective import DivergedError, balanced_class_weights
from training.learning.ptapt_heads import ClusterHeads, LabelHeads

TUNED, CLUSTERS, ADAPTED = NAMES = ("tuned", "clusters", "adapted")
FRAMES_A_CLUSTER = 100  # that k-means is fitted on, at most
SMALLEST_VARIANCE = 1e-12  # of frames that are all alike
TENTH = 10  # a stage's record holds the mean loss of its first and of its last tenth


class StageFolder(NamedTuple):
    """Folder of the stages, the seed that makes them, and the folder of their TensorBoard log, if any."""

    seed: int
    steps: Path
    logs: Path | None


@dataclass(frozen=True)
class StageTask:
    """Training part and settings that the stages learn from."""

    clips: ClipDataset
    durations_s: np.ndarray
    settings: Settings
    place: StageFolder

    def batches(self, variants: int) -> Iterator[tuple[dict[str, Tensor], list[int], torch.Generator]]:
        """Yield batches without end, each clip once an epoch: the batch, its clips, and a random generator."""
        size, seed = self.settings.batch_size, self.place.seed
        sampler = BalancedBatches([0] * len(self.clips), self.durations_s, size, variants, seed)
        generator = torch.Generator().manual_seed(seed)
        for epoch in itertools.count():
            sampler.set_epoch(epoch)
            for draws in sampler:
                yield self.batch(draws), [draw.clip for draw in draws], generator

    def batch(self, draws: list[ClipDraw]) -> dict[str, Tensor]:
        """Collate clips as they are drawn, on the encoder's device."""
        device = next(self.clips.encoder.parameters()).device
        made = collate([self.clips[d] for d in draws])
        return {name: made[name].to(device) for name in ("features", "lengths", "offsets", "labels")}


def adapt_encoder(
    encoder: FrameEncoder, clips: ClipDataset, durations_s: np.ndarray, settings: Settings, place: StageFolder
) -> dict[str, Any]:
    """Run stages 1 to 3, and adapt the encoder's tuned part in place.

    Args:
        encoder: pretrained, its stem frozen.
        clips: the training part.
        durations_s: of each clip.
        settings: `tapt` for these stages, `spec_augment` for stage 1 as for the fine-tuning.
        place: where each stage is kept.

    Returns:
        The record of the stages for run.json: what stood for stage 1, what was frozen, steps, losses and seconds.

    Raises:
        SettingError: more clusters than frames.
        DivergedError: a loss that is not finite.
    """
    check_clusters(settings.tapt.clusters, int(np.minimum(durations_s, settings.cut_s or np.inf).sum() / FRAME_S))
    task = StageTask(clips, durations_s, settings, place)
    if torch.cuda.is_available():
        encoder.cuda()
    tuned = make_once(place, TUNED, lambda: tune_on_labels(copy.deepcopy(encoder), task))
    clusters = make_once(
        place, CLUSTERS, lambda: cluster_frames(load_stage_weights(copy.deepcopy(encoder), tuned), task)
    )
    encoder = load_stage_weights(
        encoder, make_once(place, ADAPTED, lambda: pretrain_on_clusters(encoder, clusters, task))
    )
    return {"stage_1": "the encoder itself, in place of wav2vec v1", "frozen": describe_frozen_part(encoder)} | {
        name: stage_record(place.steps, name) for name in NAMES
    }


def load_stage_weights(encoder: FrameEncoder, weights: dict[str, Tensor]) -> FrameEncoder:
    """Load the weights of a stage into the encoder."""
    encoder.load_state_dict(weights)
    return encoder


def describe_frozen_part(encoder: FrameEncoder) -> str:
    """Describe the part of an encoder that no stage tunes."""
    stem = "both convolutions" if isinstance(encoder, MelEncoder) else "convolutions and feature projection"
    layers = sum(not any(p.requires_grad for p in layer.parameters()) for layer in encoder.transformer_layers())
    return f"{stem}, the lowest {layers} layers" if layers else stem


Made = tuple[dict[str, Tensor], dict[str, Any]]


def make_once(place: StageFolder, name: str, make: Callable[[], Made]) -> dict[str, Tensor]:
    """Make a stage's result, or read the result of an earlier call that was stopped later."""
    file = stage_file(place.steps, name)
    if not file.is_file():
        set_seed(place.seed)
        began = time.monotonic()
        made, about = make()
        about |= {"seconds": round(time.monotonic() - began)}
        tensors = {k: v.contiguous().cpu() for k, v in made.items()}
        write_whole(file, save(tensors, metadata={"record": json.dumps(about)}))
    return load_file(file)


def stage_file(steps: Path, name: str) -> Path:
    """Locate the file of a stage."""
    return steps / "stages" / f"{name}.safetensors"


def stage_record(steps: Path, name: str) -> dict[str, Any]:
    """Describe a stage that is done, for run.json."""
    with safe_open(stage_file(steps, name), "pt") as file:
        return json.loads(file.metadata()["record"])


def stage_seconds(steps: Path) -> float:
    """Sum the seconds of the stages that are done."""
    return sum(stage_record(steps, name)["seconds"] for name in NAMES if stage_file(steps, name).is_file())


def tune_on_labels(encoder: FrameEncoder, task: StageTask) -> Made:
    """Run stage 1: tune an encoder on the labels of utterances and frames."""
    how, hidden = task.settings.tapt, task.settings.spec_augment
    tutor = LabelHeads(encoder, balanced_class_weights(task.clips.targets))

    def batches() -> Iterator[dict[str, Tensor]]:
        for batch, _, generator in task.batches(task.settings.augmentation.variants):
            if hidden:
                batch["features"] = spec_augment(batch["features"], batch["lengths"], hidden, generator)
            yield batch

    warmup = round(how.tuning_warmup * how.tuning_steps)
    told = optimise_stage(tutor, batches(), Schedule("stage 1, labels", how.tuning_steps, "linear", warmup), task)
    return encoder.state_dict(), told


def cluster_frames(encoder: FrameEncoder, task: StageTask) -> Made:
    """Run stage 2: cluster the tuned encoder's frames, once for each number of clusters.

    Returns:
        `ids` (all frames of all clips in order, K's) and `lengths` of the clips; how many frames, and how far
        the frames lie from the centres, as the mean squared distance over the variance.
    """
    from sklearn.cluster import MiniBatchKMeans

    frames = encode_frames(encoder, task)
    lengths, together = torch.tensor([len(f) for f in frames]), np.concatenate(frames)
    wanted = task.settings.tapt.clusters
    check_clusters(wanted, len(together))
    order = np.random.default_rng(task.place.seed).permutation(len(together))
    ids, left = [], []
    for k in tqdm(wanted, desc="stage 2, clusters", file=sys.stderr):
        sample = together[np.sort(order[: k * FRAMES_A_CLUSTER])].astype(np.float32)
        fitted = MiniBatchKMeans(k, max_iter=20, batch_size=max(1024, k), n_init=1, random_state=task.place.seed)
        fitted.fit(sample)
        left.append(float(fitted.inertia_ / len(sample) / max(sample.var(axis=0).sum(), SMALLEST_VARIANCE)))
        ids.append(np.concatenate([fitted.predict(f.astype(np.float32)) for f in frames]))
    about = {"clusters": wanted, "frames": len(together), "distance": [round(d, 3) for d in left]}
    return {"ids": torch.from_numpy(np.stack(ids, axis=1)).int(), "lengths": lengths}, about


def check_clusters(wanted: list[int], frames: int) -> None:
    """Raise a SettingError where there are not as many frames as clusters."""
    if max(wanted) > frames:
        raise SettingError(f"tapt.clusters asks for {max(wanted)} clusters of {frames} frames; ask for fewer")


@torch.no_grad()
def encode_frames(encoder: FrameEncoder, task: StageTask) -> list[np.ndarray]:
    """Encode every clip's first variant to frames (T, D), in half precision."""
    encoder.eval()
    found: dict[int, np.ndarray] = {}
    order, size = np.argsort(task.durations_s, kind="stable"), task.settings.batch_size
    for first in tqdm(range(0, len(order), size), desc="stage 2, frames", unit="batch", file=sys.stderr):
        draws = [ClipDraw(int(clip), 0, 0.0) for clip in order[first : first + size]]
        batch = task.batch(draws)
        frames = encoder(batch["features"], batch["lengths"], batch["offsets"]).half().cpu().numpy()
        found |= {d.clip: f[:n] for d, f, n in zip(draws, frames, batch["lengths"].tolist(), strict=True)}
    return [found[clip] for clip in range(len(order))]


def pretrain_on_clusters(encoder: FrameEncoder, clusters: dict[str, Tensor], task: StageTask) -> Made:
    """Run stage 3: train the encoder to tell the clusters of masked frames."""
    how, of_clip = task.settings.tapt, clusters["ids"].long().split(clusters["lengths"].tolist())

    def batches() -> Iterator[dict[str, Tensor]]:
        for batch, clips, generator in task.batches(variants=1):  # the variant whose clusters are known
            lengths, device = batch["lengths"], batch["lengths"].device
            hidden = draw_mask_spans(lengths.cpu(), how.mask_frames, how.mask_p, how.mask_least, generator)
            ids = pad_sequence([of_clip[clip] for clip in clips], batch_first=True)
            known = {name: batch[name] for name in ("features", "lengths", "offsets")}
            yield known | {"ids": ids.to(device), "hidden": hidden.to(device)}

    learner = ClusterHeads(encoder, how.clusters)
    course = Schedule(
        "stage 3, pretraining", how.pretraining_steps, "constant_with_warmup", how.pretraining_warmup_steps
    )
    told = optimise_stage(learner, batches(), course, task)
    return encoder.state_dict(), told


class Schedule(NamedTuple):
    """Number of steps of a stage, and its schedule of the learning rate."""

    title: str
    steps: int
    schedule: str
    warmup: int


def optimise_stage(
    learner: LabelHeads | ClusterHeads, batches: Iterator[dict[str, Tensor]], course: Schedule, task: StageTask
) -> dict[str, Any]:
    """Minimise a module's loss by Adam; returns the steps and the mean loss of the first and last tenth."""
    device = next(learner.encoder.parameters()).device
    learner.to(device).train()
    tuned = [p for p in learner.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(tuned, lr=task.settings.tapt.learning_rate)
    rates = get_scheduler(course.schedule, optimizer, course.warmup, course.steps)
    writer = SummaryWriter(str(task.place.logs)) if task.place.logs else None
    losses: list[float] = []
    progress = tqdm(itertools.islice(batches, course.steps), course.title, course.steps, file=sys.stderr)
    for batch in progress:
        with torch.autocast(device.type, torch.bfloat16, enabled=task.settings.precision == "bf16"):
            loss = learner(**batch)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(tuned, task.settings.gradient_clip)
        optimizer.step()
        rates.step()
        losses.append(loss.item())
        if not math.isfinite(losses[-1]):
            raise DivergedError(f"{course.title}: no finite loss at step {len(losses)}; lower tapt.learning_rate")
        progress.set_postfix(loss=f"{losses[-1]:.2f}", refresh=False)
        if writer:
            writer.add_scalar(course.title.replace(", ", "/"), losses[-1], len(losses))
    if writer:
        writer.close()
    tenth = -(-course.steps // TENTH)
    first, last = (round(float(np.mean(part)), 3) for part in (losses[:tenth], losses[-tenth:]))
    tqdm.write(f"{course.title}: loss {first} → {last}", file=sys.stderr)
    return {"steps": course.steps, "loss": [first, last]}
