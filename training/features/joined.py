"""Join clips of one speaker on the fly to training items whose emotion changes at known times."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.errors import SettingError
from training.config.settings import Joining

SEVERAL = -1  # the label of an item that has more than one
SLOWEST = 0.75  # playing speed at which an item's clips still fit into the encoder's window
_log = logging.getLogger(__name__)


class JoinedDraw(NamedTuple):
    """Clips of one speaker that make one item.

    Attributes:
        clips: indices, in order.
        pauses_s: silence between neighbours, one fewer.
        seed: of the augmentation.
        position: in the table of positions, 0 to 1.
        augmented: whether the item is augmented at all.
    """

    clips: tuple[int, ...]
    pauses_s: tuple[float, ...]
    seed: int
    position: float
    augmented: bool = True


def join_waveforms(parts: Sequence[np.ndarray], pauses_s: Sequence[float]) -> tuple[Tensor, np.ndarray]:
    """Join recordings with silence between them.

    Args:
        parts: K recordings, (N_k,) at 16 kHz.
        pauses_s: K − 1 pauses, in seconds; half of each belongs to either neighbour.

    Returns:
        (N,) samples, and (K,) the sample at which each part's time ends.

    Example:
        >>> waveform, ends = join_waveforms([np.ones(4), np.ones(6)], [0.0])
        >>> len(waveform), ends.tolist()
        (10, [4.0, 10.0])
    """
    pauses = [*(round(p * SAMPLE_RATE_HZ) for p in pauses_s), 0]
    pieces = [piece for part, n in zip(parts, pauses, strict=True) for piece in (part, np.zeros(n, part.dtype))]
    ends = np.cumsum([len(part) + n for part, n in zip(parts, pauses, strict=True)]) - np.array(pauses) / 2
    return torch.from_numpy(np.concatenate(pieces).astype(np.float32)), ends


@dataclass(frozen=True, eq=False)
class ClipsToJoin:
    """Clips that may be joined.

    Attributes:
        speakers: (U,) of each clip.
        labels: (U,) of each clip.
        durations_s: (U,) of each clip, its silence included.
        longest_s: that an item may last; None where the encoder takes any length.
        speed: the slowest playing speed at which an item is heard, pauses included.
    """

    speakers: np.ndarray
    labels: np.ndarray
    durations_s: np.ndarray
    longest_s: float | None
    speed: float = 1.0

    @property
    def most_speech_s(self) -> float:
        """The most seconds that the clips of an item may last together."""
        return np.inf if self.longest_s is None else self.longest_s * min(SLOWEST, self.speed)

    def by_speaker(self) -> dict[str, dict[int, np.ndarray]]:
        """Group the indices of the clips by speaker and label; speakers of one label alone are left out.

        Raises:
            SettingError: no speaker has two emotions in clips that fit together into the encoder's window.
        """
        if not self._several:
            raise SettingError(
                "no speaker has clips of two emotions that fit together into the encoder's window; joined.share above "
                "0 needs one among the training clips, best_by uar+time one among the development clips"
            )
        return self._several

    @cached_property
    def _several(self) -> dict[str, dict[int, np.ndarray]]:
        most_s = self.most_speech_s / 2
        fits = self.durations_s <= most_s
        if not fits.all():
            _log.warning("%d clips are longer than %.1f s and not joined to others", int((~fits).sum()), most_s)
        grouped = {
            str(speaker): {
                int(label): np.flatnonzero((self.speakers == speaker) & (self.labels == label) & fits)
                for label in np.unique(self.labels[(self.speakers == speaker) & fits])
            }
            for speaker in np.unique(self.speakers[fits])
        }
        return {speaker: labels for speaker, labels in grouped.items() if len(labels) > 1}

    def draw(
        self, how: Joining, speakers: Sequence[str], generator: np.random.Generator, *, augmented: bool = True
    ) -> Iterator[JoinedDraw]:
        """Draw an item of each of these speakers: neighbours differ in emotion, each emotion as likely as the next.

        Pauses that would not fit into the encoder's window are all shortened alike.
        """
        grouped, most_s = self.by_speaker(), self.most_speech_s
        fewest, most = how.clips
        for speaker in speakers:
            clips: list[int] = []
            for _ in range(int(generator.integers(fewest, most + 1))):
                labels = [label for label in grouped[speaker] if not clips or label != self.labels[clips[-1]]]
                clip = int(generator.choice(grouped[speaker][int(generator.choice(labels))]))
                if self.durations_s[[*clips, clip]].sum() > most_s:
                    break
                clips.append(clip)
            pauses = generator.uniform(*how.pause_s, size=len(clips) - 1)
            if self.longest_s is not None:
                room_s = self.longest_s * self.speed - self.durations_s[clips].sum()
                pauses *= min(1.0, room_s / max(pauses.sum(), 1e-9))
            seed, position = int(generator.integers(2**62)), float(generator.random())
            yield JoinedDraw(tuple(clips), tuple(pauses.tolist()), seed, position, augmented)


@dataclass(frozen=True, eq=False)
class JoinedBatches:
    """Batches of joined items, anew in each epoch.

    Attributes:
        clips: of which they are made.
        how: they are made.
        number: of items in an epoch.
        speaker_shares: how likely an item is of each of `clips.by_speaker()`, in order; they sum to 1.
        batch_size: of each batch, at most.
        seed: of the draws.
    """

    clips: ClipsToJoin
    how: Joining
    number: int
    speaker_shares: np.ndarray
    batch_size: int
    seed: int

    def __len__(self) -> int:
        return -(-self.number // self.batch_size)

    def of_epoch(self, epoch: int) -> list[list[JoinedDraw]]:
        """Draw the batches of an epoch, each of items of like duration."""
        generator = np.random.default_rng([self.seed, epoch, 1])
        names = list(self.clips.by_speaker())
        speakers = generator.choice(names, self.number, p=self.speaker_shares).tolist()
        draws = sorted(self.clips.draw(self.how, speakers, generator), key=self.duration_s)
        return [list(part) for part in split_evenly(draws, len(self))]

    def duration_s(self, draw: JoinedDraw) -> float:
        """Sum the durations of an item's clips, in seconds."""
        return float(self.clips.durations_s[list(draw.clips)].sum())


def split_evenly(draws: Sequence[JoinedDraw], parts: int) -> Iterator[Sequence[JoinedDraw]]:
    """Split items into parts whose sizes differ by one at most."""
    for k in range(parts):
        yield draws[len(draws) * k // parts : len(draws) * (k + 1) // parts]
