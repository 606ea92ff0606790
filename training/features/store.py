"""Keep frozen features once they are made: in memory, or in a folder that later trainings read, too."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from segser_core import __version__
from segser_core.audio.excerpt import ClipLocation, Excerpt
from segser_core.audio.loading import load_audio
from segser_core.files import write_whole
from segser_core.network.encoders import FrameEncoder

WAVEFORM = "waveform"
INT16_MAX = 32767


@dataclass(frozen=True)
class FeatureStore:
    """Recordings of a corpus, with the output of an encoder's frozen part.

    Attributes:
        root: the corpus's folder.
        folder: where features are kept as files, for other folds, systems and settings; memory where it is None.
    """

    root: Path
    folder: Path | None = None
    memory: dict[tuple[str, str], Tensor] = field(default_factory=dict)

    def features(self, clip: ClipLocation, recipe: str, make: Callable[[Path | Excerpt], Tensor]) -> Tensor:
        """Return the features (T, F) of a clip under a recipe: read where they are kept, or made now.

        Args:
            clip: below `root`.
            recipe: everything else that decides the features, as text.
            make: from the clip's file or stretch to its features.
        """
        name = clip.key
        if self.folder is None:
            if (name, recipe) not in self.memory:
                self.memory[name, recipe] = make(clip.source(self.root))
            return self.memory[name, recipe]
        file = self._file(self.folder, clip, recipe)
        if not file.is_file():
            features = make(clip.source(self.root)).numpy()
            # whole or not there, so that two trainings may share a folder
            write_whole(file, lambda stream: np.save(stream, features, allow_pickle=False))
        return torch.from_numpy(np.load(file, allow_pickle=False))

    def waveform(self, clip: ClipLocation) -> np.ndarray:
        """Return the samples (N,) of a clip below `root`, float32 at 16 kHz; they are kept in memory in 16 bits."""
        name = clip.key
        if (name, WAVEFORM) not in self.memory:
            samples = torch.from_numpy(load_audio(clip.source(self.root)))
            self.memory[name, WAVEFORM] = (samples.clamp(-1, 1) * INT16_MAX).round().to(torch.int16)
        return self.memory[name, WAVEFORM].numpy().astype(np.float32) / INT16_MAX

    def _file(self, folder: Path, clip: ClipLocation, recipe: str) -> Path:
        """Locate the file of a recipe and a clip; a changed recording of the same name has another one."""
        stat = (self.root / clip.path).stat()
        recording = digest(f"{clip.key}\n{stat.st_size}\n{stat.st_mtime_ns}".encode())
        return folder / digest(f"{__version__}\n{recipe}".encode()) / f"{recording}.npy"


def digest(data: bytes) -> str:
    """Shorten a SHA-256 to its first 80 bits, as text."""
    return hashlib.sha256(data).hexdigest()[:20]


def encoder_fingerprint(encoder: FrameEncoder) -> str:
    """Identify an encoder's frozen part: its kind, its normalisation, and its frozen weights."""
    found = hashlib.sha256(f"{type(encoder).__name__} {encoder.frozen_layers} {encoder.normalize}".encode())
    for name, weight in encoder.named_parameters():
        if not weight.requires_grad:
            found.update(name.encode() + weight.detach().cpu().numpy().tobytes())
    return found.hexdigest()[:20]
