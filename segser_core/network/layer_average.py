"""`layer-average` (Pepino et al. 2021): a frozen encoder, a learned mix of all its layers, two dense layers a frame."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any, Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn

from segser_core.errors import SettingError
from segser_core.network.encoders import FrameEncoder

Normalization = Literal["global", "speaker"]
NORMALIZATIONS: tuple[Normalization, ...] = get_args(Normalization)
DENSE_SIZE = 128
DROPOUT = 0.2
SMALLEST_STD = 1e-5  # an activation that never changes stays near zero


class ActivationStatistics(NamedTuple):
    """Mean and standard deviation of each activation, (F,) each."""

    mean: Tensor
    std: Tensor

    def normalise(self, activations: Tensor) -> Tensor:
        """Normalise (…, F) → (…, F), to mean 0 and variance 1 where the statistics are its own."""
        return (activations - self.mean) / self.std


def activation_statistics(parts: Iterable[Tensor]) -> ActivationStatistics:
    """Compute mean and standard deviation over all frames of all parts, (T, F) each, in constant memory.

    Raises:
        SettingError: there is not one frame.
    """
    frames, total, squares = 0, torch.zeros(()), torch.zeros(())
    for part in parts:
        frames += len(part)
        total = total + part.double().sum(dim=0)
        squares = squares + part.double().square().sum(dim=0)
    if frames == 0:
        raise SettingError("activations cannot be normalised by no frame at all: give at least one clip")
    mean = total / frames
    std = (squares / frames - mean.square()).clamp(min=0).sqrt()
    return ActivationStatistics(mean.float(), std.float().clamp(min=SMALLEST_STD))


class LayerAverage(FrameEncoder):
    """Frames from all layers of a frozen encoder, 128 features each.

    The activations are what enters the encoder's first Transformer layer and what each layer puts
    out. Each is normalised: under `global` by statistics that are set once, those of the training
    part, and that travel with the weights; under `speaker` by a speaker's own statistics. Of a
    single recording in use these are not known: those of the audio that the encoder sees at once
    take their place.

    Attributes:
        by_speaker: whether the normalisation is `speaker`.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, inner: FrameEncoder, normalization: str = "global"):
        super().__init__()
        if normalization not in NORMALIZATIONS:
            raise SettingError(f"normalization {normalization!r} is unknown; choose {' or '.join(NORMALIZATIONS)}")
        self.inner, self.by_speaker = inner.requires_grad_(False), normalization == "speaker"
        self.frozen_layers = len(inner.transformer_layers())
        self.max_frames, self.positions_matter = inner.max_frames, inner.positions_matter
        self.normalize, self.overhang_samples = inner.normalize, inner.overhang_samples
        self.hidden_size = DENSE_SIZE
        self.mix = nn.Parameter(torch.ones(self.frozen_layers + 1))
        self.register_buffer("mean", torch.zeros(len(self.mix) * inner.hidden_size))
        self.register_buffer("std", torch.ones(len(self.mix) * inner.hidden_size))
        sizes = (inner.hidden_size, DENSE_SIZE, DENSE_SIZE)
        dense = [(nn.Linear(a, b), nn.ReLU(), nn.Dropout(DROPOUT)) for a, b in pairwise(sizes)]
        self.dense = nn.Sequential(*(part for layer in dense for part in layer))

    @property
    def layer_weights(self) -> Tensor:
        """Weigh each activation in the mix, summing to 1: (L + 1,)."""
        return self.mix / self.mix.sum()

    def set_statistics(self, of: ActivationStatistics) -> None:
        """Set the global statistics, those of the training part."""
        self.mean.copy_(of.mean)
        self.std.copy_(of.std)

    def count_frames(self, n_samples: int) -> int:
        """Count frames as the inner encoder does."""
        return self.inner.count_frames(n_samples)

    def transformer_layers(self) -> list[nn.Module]:
        """Return no layer: none is tuned."""
        return []

    def final_norm(self) -> nn.Module:
        """Return no norm: it is frozen."""
        return nn.Identity()

    def train(self, mode: bool = True) -> "LayerAverage":
        """Switch to training, except for the frozen encoder, which keeps no dropout."""
        super().train(mode)
        self.inner.eval()
        return self

    def features(self, waveform: Tensor, offset: int = 0, speaker: ActivationStatistics | None = None) -> Tensor:
        """Compute the activations, under `speaker` normalised: (N,) → (T, (L + 1) · D).

        Args:
            waveform: one unpadded recording, (N,) at 16 kHz.
            offset: of the first frame in the position table.
            speaker: statistics of the speaker's activations, for the normalisation `speaker`; those of the recording
                itself take their place where they are None.
        """
        activations = self.activations(waveform, offset)
        if not self.by_speaker:
            return activations
        return (speaker or activation_statistics([activations])).normalise(activations)

    @torch.no_grad()
    def activations(self, waveform: Tensor, offset: int = 0) -> Tensor:
        """Stack all activations side by side, from the lowest up, as they are: (N,) → (T, (L + 1) · D)."""
        seen: list[Tensor] = []
        layers = self.inner.transformer_layers()
        hooks = [layers[0].register_forward_pre_hook(lambda _, given: seen.append(given[0]))]
        hooks += [
            layer.register_forward_hook(lambda _, given, out: seen.append(layer_output_frames(out))) for layer in layers
        ]
        try:
            lowest = self.inner.features(waveform)[None]
            length = torch.tensor([lowest.shape[1]], device=lowest.device)
            self.inner(lowest, length, torch.full_like(length, offset))
        finally:
            for hook in hooks:
                hook.remove()
        return torch.cat(seen, dim=-1)[0]

    def forward(self, features: Tensor, lengths: Tensor, offsets: Tensor | None = None) -> Tensor:
        """Pass the mix through the dense layers: (B, T, (L + 1) · D) → (B, T, 128)."""
        layers = ActivationStatistics(self.mean, self.std).normalise(features).unflatten(2, (len(self.mix), -1))
        return self.dense((layers * self.layer_weights[:, None]).sum(dim=2))


def layer_output_frames(output: Any) -> Tensor:
    """Take the frames from a Transformer layer's output, which some networks return in a tuple."""
    return output[0] if isinstance(output, tuple) else output
