"""Add babble: several other clips at once, at a signal-to-noise ratio."""

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

import torch
from torch import Generator, Tensor

from segser_core.audio.excerpt import Excerpt
from segser_core.audio.loading import load_audio
from segser_core.errors import CorpusError
from training.features.draws import draw_uniform
from training.features.store import digest

OtherClips = Callable[[Generator], Tensor]  # from a generator to a random clip, (M,) at 16 kHz
FEWEST_VOICES, MOST_VOICES = 3, 6


def add_babble(waveform: Tensor, snr_db: float, others: OtherClips, generator: Generator) -> Tensor:
    """Add 3 to 6 other clips, each as loud as the next, together at a signal-to-noise ratio in dB: (N,) → (N,)."""
    voices = int(torch.randint(FEWEST_VOICES, MOST_VOICES + 1, (), generator=generator))
    babble = torch.zeros_like(waveform)
    for _ in range(voices):
        voice = loop_clip(others(generator), len(waveform), draw_uniform(0, 1, generator))
        babble += voice / root_mean_square(voice)
    gain = root_mean_square(waveform) / root_mean_square(babble) * 10 ** (-snr_db / 20)
    return waveform + gain * babble


class ClipPool:
    """Clips of which babble is made: a sample of a corpus's training clips, each decoded once and kept.

    Args:
        paths: of the training clips.
        size: how many are kept at most; 256 clips of 4 s take 66 MB.
        seed: of the sample, if there are more.

    Raises:
        CorpusError: fewer than two clips.
    """

    def __init__(self, paths: Sequence[Path | Excerpt], size: int = 256, seed: int = 0):
        if len(paths) < 2:
            raise CorpusError(f"babble is made of other training clips, and there are {len(paths)} in all; give two")
        order = torch.randperm(len(paths), generator=Generator().manual_seed(seed)).tolist()
        self.paths = [paths[i] for i in order[: max(2, size)]]
        self._decoded: dict[Path | Excerpt, Tensor] = {}

    @cached_property
    def key(self) -> str:
        """Identify the clips in their order: babble of others is another one, e.g. that of another fold."""
        return digest("\n".join(map(str, self.paths)).encode())

    def __call__(self, generator: Generator) -> Tensor:
        """Draw a clip: (M,) at 16 kHz."""
        return self._load(self.paths[int(torch.randint(len(self.paths), (), generator=generator))])

    def without(self, path: Path | Excerpt) -> OtherClips:
        """Return a function that draws any clip but one, so that a clip is not in its own babble."""
        others = [other for other in self.paths if other != path]
        return lambda generator: self._load(others[int(torch.randint(len(others), (), generator=generator))])

    def _load(self, path: Path | Excerpt) -> Tensor:
        if path not in self._decoded:
            self._decoded[path] = torch.from_numpy(load_audio(path))
        return self._decoded[path]


def loop_clip(clip: Tensor, length: int, begin: float) -> Tensor:
    """Repeat a clip without end, and cut out `length` samples: (M,) → (length,).

    Args:
        clip: M > 0.
        length: of the result.
        begin: where in the clip it begins, as a share of M in [0, 1).
    """
    return clip[(int(begin * len(clip)) + torch.arange(length)) % len(clip)]


def root_mean_square(waveform: Tensor) -> Tensor:
    """Compute the root mean square, (N,) → (), never 0, so that silence can be divided by it."""
    return waveform.square().mean().sqrt().clamp(min=1e-9)
