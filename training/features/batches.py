"""Make batches of clips of like duration and every class; what is frozen is computed once.

All chance lies in the sampler, as a function of seed and epoch: a run that was stopped goes on
with the very batches that it would have had.
"""

import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset, Sampler, get_worker_info

from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.audio.excerpt import Excerpt, clip_locations
from segser_core.audio.loading import load_audio
from segser_core.network.encoders import HOP_SAMPLES, FrameEncoder, MelEncoder
from segser_core.network.layer_average import ActivationStatistics, LayerAverage
from training.config.settings import Augmentation
from training.corpora.combine import Targets
from training.corpora.trimming import trim_silence
from training.features.augment import augment_clip
from training.features.babble import ClipPool
from training.features.draws import draw_chance
from training.features.joined import SEVERAL, JoinedBatches, JoinedDraw, join_waveforms
from training.features.store import FeatureStore, encoder_fingerprint


class ClipDraw(NamedTuple):
    """One clip of one epoch: its index, its variant (None: as it is), and its position in the table, 0 to 1."""

    clip: int
    variant: int | None
    position: float


class TrainingItem(NamedTuple):
    """A clip, or several joined ones, ready for a batch.

    Attributes:
        features: (T, F).
        label: index of the class; `SEVERAL` for a joined item.
        offset: first row in the table of positions.
        clip: index; of a joined item −1.
        targets: (T, C) shares of the classes at each frame; None where targets are the labels alone.
        known: (C,), true where the clip's corpus has the class; None likewise.
    """

    features: Tensor
    label: int
    offset: int
    clip: int
    targets: Tensor | None = None
    known: Tensor | None = None


class ClipDataset(Dataset):
    """The clips of one split, as the encoder's frozen part leaves them, each variant kept once made.

    Args:
        manifest: rows with `path` (relative to the corpus's folder), the stretch where it is one, and `label`.
        store: where the corpus lies, and where features are kept.
        labels: the classes, in the model's order.
        encoder: whose `features` are taken; where its frozen part holds the position table,
            the offset is fixed with the variant, else it is drawn anew each time.
        how: the augmentation.
        seed: with a clip's name fixes its variants, so they are the same in every fold.
        cut_s: variants are made of so much of a clip, from its start; of all where it is None. Whisper is given
            30 s of a clip at most, of development clips, too.

    Attributes:
        statistics: of each clip, what its features are normalised by; empty leaves features as they are.
        soft: targets of the clips as shares of the classes, where they are more than labels.
        labelled: targets that the labels alone give.
        others: clips of which babble is made.
    """

    def __init__(
        self,
        manifest: pd.DataFrame,
        store: FeatureStore,
        labels: tuple[str, ...],
        encoder: FrameEncoder,
        how: Augmentation,
        seed: int,
        cut_s: float | None = None,
    ):
        self.clips = clip_locations(manifest)
        self.targets = [labels.index(label) for label in manifest["label"]]
        self.store, self.encoder, self.how, self.seed = store, encoder, how, seed
        self.cut = None if cut_s is None else round(cut_s * SAMPLE_RATE_HZ)
        self.longest = encoder.max_frames and encoder.max_frames * HOP_SAMPLES  # that one pass can take
        self.frozen_part = encoder_fingerprint(encoder)
        self.statistics: list[ActivationStatistics] = []
        self.soft: Targets | None = None
        of_classes = np.eye(len(labels), dtype=np.float32)[self.targets]
        self.labelled = Targets(of_classes, np.ones_like(of_classes, dtype=bool))
        self.others: ClipPool | None = None

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, draw: ClipDraw | JoinedDraw) -> TrainingItem:
        if isinstance(draw, JoinedDraw):
            return self._joined(draw)
        item = self._as_drawn(draw)
        if self.statistics:
            item = item._replace(features=self.statistics[draw.clip].normalise(item.features))
        if self.soft is None:
            return item
        shares, known = (torch.from_numpy(part[draw.clip]) for part in (self.soft.shares, self.soft.known))
        return item._replace(targets=shares.expand(len(item.features), -1), known=known)

    def _joined(self, draw: JoinedDraw) -> TrainingItem:
        """Join the clips of a draw, augmented together, as one voice in one room; a frame's target is its clip's."""
        of, generator = self.soft or self.labelled, torch.Generator().manual_seed(draw.seed)
        parts = [trim_silence(self.store.waveform(self.clips[clip])) for clip in draw.clips]
        waveform, ends = join_waveforms(parts, draw.pauses_s)
        if draw.augmented:
            joined, before = augment_clip(waveform, self.how, generator, self.others), len(waveform)
            waveform, ends = joined[: self.longest], ends * len(joined) / before
        offset = self._offset(self.encoder.count_frames(len(waveform)), draw.position)
        features = self._features(waveform, offset if self._position_is_frozen else 0)
        if self.statistics:
            features = self.statistics[draw.clips[0]].normalise(features)  # of the one speaker
        middles = (np.arange(len(features)) + 0.5) * HOP_SAMPLES
        clips = np.array(draw.clips)[np.searchsorted(ends[:-1], middles)]
        return TrainingItem(
            features,
            SEVERAL,
            offset,
            -1,
            torch.from_numpy(of.shares[clips]),
            torch.from_numpy(of.known[clips[0]]),
        )

    def _as_drawn(self, draw: ClipDraw) -> TrainingItem:
        location, target = self.clips[draw.clip], self.targets[draw.clip]
        if draw.variant is None:
            return TrainingItem(self.store.features(location, self.frozen_part, self._as_it_is), target, 0, draw.clip)
        generator = torch.Generator().manual_seed(self._variant_seed(location.key, draw.variant))
        position = torch.rand((), generator=generator).item()

        def make(path: Path | Excerpt) -> Tensor:
            clip = load_audio(path)[: self.cut]
            if self.how.trim and draw_chance(self.how.trim, generator):
                clip = trim_silence(clip)
            others = self.others.without(path) if self.others else None
            waveform = augment_clip(torch.from_numpy(clip), self.how, generator, others)[: self.longest]
            frames = -(-len(waveform) // HOP_SAMPLES)
            return self._features(waveform, self._offset(frames, position) if self._position_is_frozen else 0).half()

        features = self.store.features(
            location, f"{self.frozen_part} {self._variation} {self.seed} {draw.variant}", make
        )
        share = position if self._position_is_frozen else draw.position
        return TrainingItem(features.float(), target, self._offset(len(features), share), draw.clip)

    @property
    def _variation(self) -> tuple[Any, ...]:
        """What decides how a variant sounds, under which its features are kept."""
        first = ("speed", "noise_db", "gain_db")  # under which features were kept when there were no others
        further = [item for item in self.how.waveform_settings.items() if item[0] not in first]
        babble = [self.others.key] if self.others else []
        return (*(getattr(self.how, name) for name in first), *([self.cut] if self.cut else []), *further, *babble)

    @property
    def _position_is_frozen(self) -> bool:
        return self.encoder.positions_matter and self.encoder.frozen_layers is not None

    def _variant_seed(self, name: str, variant: int) -> int:
        return np.random.SeedSequence([self.seed, zlib.crc32(name.encode()), variant]).generate_state(1).item()

    def _offset(self, frames: int, position: float) -> int:
        """Draw uniformly from 0 … max_frames − T, so that training meets every part of the position table."""
        if not self.encoder.positions_matter or self.encoder.max_frames is None:
            return 0
        return int(position * (self.encoder.max_frames - frames + 1))

    @property
    def _device(self) -> torch.device:
        return next(self.encoder.parameters()).device

    def usable_workers(self, asked: int) -> int:
        """Return how many processes can prepare items beside the training: none where that takes weights on a GPU."""
        needs_weights = not isinstance(self.encoder, MelEncoder) or self.encoder.frozen_layers is not None
        return 0 if needs_weights and self._device.type != "cpu" else asked

    def _as_it_is(self, path: Path | Excerpt) -> Tensor:
        return self._features(torch.from_numpy(load_audio(path))[: self.longest])

    def _features(self, waveform: Tensor, offset: int = 0) -> Tensor:
        # a worker cannot use the GPU of the process that it was forked from
        on_device = waveform if get_worker_info() else waveform.to(self._device)
        if isinstance(self.encoder, LayerAverage):
            return self.encoder.activations(on_device, offset).cpu()  # what is kept is normalised when it is used
        return self.encoder.features(on_device, offset).cpu()


def collate(items: list[TrainingItem]) -> dict[str, Tensor]:
    """Pad clips to one batch: features (B, T, F), lengths (B,), offsets (B,), labels (B,), clips (B,).

    Where the items have targets, also targets (B, T, C) and known (B, C).
    """
    soft = {}
    if targets := [item.targets for item in items if item.targets is not None]:
        known = torch.stack([item.known for item in items if item.known is not None])
        soft = {"targets": pad_sequence(targets, batch_first=True), "known": known}
    return soft | {
        "features": pad_sequence([item.features for item in items], batch_first=True),
        "lengths": torch.tensor([len(item.features) for item in items]),
        "offsets": torch.tensor([item.offset for item in items]),
        "labels": torch.tensor([item.label for item in items]),
        "clips": torch.tensor([item.clip for item in items]),
    }


class BalancedBatches(Sampler[list[ClipDraw]]):
    """Batches of like duration in which each class is drawn equally often, so that triplets exist.

    An epoch draws as many clips as the corpus has, an equal number of each class: a class with
    more goes round over the epochs without repeating, one with fewer repeats. The same for all
    systems, since balancing alone raises UAR.

    Args:
        targets: of each clip, its class, or its corpus and class as one number.
        durations_s: of each clip.
        batch_size, variants, seed: of the training.
        per_epoch: how many clips an epoch draws by target; an equal number of each, as many as there are, if None.
    """

    def __init__(
        self,
        targets: list[int],
        durations_s: np.ndarray,
        batch_size: int,
        variants: int,
        seed: int,
        per_epoch: Mapping[int, int] | None = None,
    ):
        self.targets, self.durations_s = np.asarray(targets), np.asarray(durations_s)
        self.batch_size, self.variants, self.seed, self.epoch = batch_size, variants, seed, 0
        classes = np.unique(self.targets).tolist()
        self.per_epoch = per_epoch or dict.fromkeys(classes, max(1, round(len(self.targets) / len(classes))))

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch of the next iteration; the training loop calls it."""
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-sum(self.per_epoch.values()) // self.batch_size)

    def __iter__(self) -> Iterator[list[ClipDraw]]:
        generator = np.random.default_rng([self.seed, self.epoch])
        clips = np.concatenate([self._turn(c) for c in np.unique(self.targets)])
        jitter = generator.uniform(0.9, 1.1, len(clips))  # so that batches differ from epoch to epoch
        clips = clips[np.argsort(self.durations_s[clips] * jitter, kind="stable")]
        batches = np.array_split(clips, len(self))
        for i in generator.permutation(len(batches)):
            yield [ClipDraw(int(c), self.epoch % self.variants, generator.random()) for c in batches[i]]

    def _turn(self, target: int) -> np.ndarray:
        """List this epoch's clips of a class: the next ones of an endless sequence of its permutations."""
        members, number = np.flatnonzero(self.targets == target), self.per_epoch[int(target)]
        first, last = self.epoch * number, (self.epoch + 1) * number
        rounds = range(first // len(members), -(-last // len(members)))
        sequence = np.concatenate([np.random.default_rng([self.seed, target, r]).permutation(members) for r in rounds])
        return sequence[first - rounds[0] * len(members) :][:number]


class MixedBatches(Sampler[list[ClipDraw] | list[JoinedDraw]]):
    """Batches of single clips and batches of joined ones, in one random order an epoch."""

    def __init__(self, single: BalancedBatches, joined: JoinedBatches):
        self.single, self.joined = single, joined

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch of the next iteration; the training loop calls it."""
        self.single.set_epoch(epoch)

    def __len__(self) -> int:
        return len(self.single) + len(self.joined)

    @property
    def longest_s(self) -> float:
        """The duration of the longest item of the first epoch, in seconds, at the speed at which it was spoken."""
        joined = [self.joined.duration_s(draw) for batch in self.joined.of_epoch(0) for draw in batch]
        return max([*joined, float(self.single.durations_s.max())])

    def __iter__(self) -> Iterator[list[ClipDraw] | list[JoinedDraw]]:
        batches = [*self.single, *self.joined.of_epoch(self.single.epoch)]
        for i in np.random.default_rng([self.single.seed, self.single.epoch, 2]).permutation(len(batches)):
            yield batches[i]


class OrderedBatches(Sampler[list[ClipDraw]]):
    """Every clip once, as it is, in batches of like duration: for evaluation."""

    def __init__(self, durations_s: np.ndarray, batch_size: int):
        self.order, self.batch_size = np.argsort(durations_s, kind="stable"), batch_size

    def __len__(self) -> int:
        return -(-len(self.order) // self.batch_size)

    def __iter__(self) -> Iterator[list[ClipDraw]]:
        for i in range(0, len(self.order), self.batch_size):
            yield [ClipDraw(int(c), None, 0.0) for c in self.order[i : i + self.batch_size]]
