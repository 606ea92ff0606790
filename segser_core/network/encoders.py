"""Speech encoders behind one interface: a waveform in, frames of 20 ms out, exact under padding.

An encoder works in two steps. `features` takes one recording, unpadded, through all that is
frozen, so its result can be kept over epochs; `forward` takes a padded batch of these features
through all that is tuned. Between the two nothing mixes a recording with its padding: the
convolutions of wav2vec2-base normalise over time, so even a masked batch would change them.

| encoder                  | features (frozen)                       | forward (tuned)               |
| ------------------------ | --------------------------------------- | ----------------------------- |
| wav2vec2, HuBERT, WavLM  | convolutional feature encoder           | projection, Transformer       |
| Whisper                  | log-mel spectrogram                     | convolutions, Transformer     |
| either, n frozen layers  | all that lies below, and n layers       | the layers above              |

WavLM's layers hand on a position bias, so that none stands alone: however many are frozen, `features` goes through its
convolutions only.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, pad
from transformers import PreTrainedConfig
from transformers.masking_utils import create_bidirectional_mask
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from segser_core.errors import SettingError
from segser_core.network.whisper_input import log_mel_spectrogram, sinusoidal_positions

HOP_SAMPLES = 320  # one frame, 20 ms at 16 kHz


class FrameEncoder(nn.Module):
    """Interface of every encoder: a waveform in, frames of 20 ms out.

    Attributes:
        hidden_size: D, the number of features of a frame.
        max_frames: the most frames that one pass can take, or None.
        positions_matter: whether a clip may lie anywhere in a table of positions, so that training must draw where.
        frozen_layers: how many layers `features` goes through, where it goes through any.
        normalize: whether the waveform is brought to zero mean and unit variance first.
        overhang_samples: how far the last frame reaches beyond its 20 ms.
        rectified: whether `forward` ends with a ReLU.
    """

    hidden_size: int
    max_frames: int | None = None
    positions_matter = False
    frozen_layers: int | None = None
    normalize = False
    overhang_samples = 0
    rectified = False

    def count_frames(self, n_samples: int) -> int:
        """Count the frames T of a recording of N samples at 16 kHz, N >= 400."""
        raise NotImplementedError

    def features(self, waveform: Tensor, offset: int = 0) -> Tensor:
        """Pass one unpadded recording through the frozen part: (N,) at 16 kHz → (T, F), without gradient."""
        raise NotImplementedError

    def forward(self, features: Tensor, lengths: Tensor, offsets: Tensor | None = None) -> Tensor:
        """Pass a padded batch through the tuned part: (B, T, F), (B,) frames each → (B, T, D).

        `offsets` (B,) moves each recording that many frames along the position table, where
        there is one. Frames beyond a recording's length hold nothing of use.
        """
        raise NotImplementedError

    def transformer_layers(self) -> list[nn.Module]:
        """List the layers that are kept, from the lowest up."""
        raise NotImplementedError

    def final_norm(self) -> nn.Module:
        """Return the norm that follows the last layer; one without parameters where there is none."""
        raise NotImplementedError

    def freeze_stem(self) -> None:
        """Freeze what lies below the Transformer: the convolutions, and of wav2vec2 the feature projection."""
        raise NotImplementedError

    def limit_window(self, frames: int) -> None:
        """Limit one pass to so many frames, each pass from the first row of a table of positions.

        Longer recordings pass in windows. Within one, where a clip lies still moves some labels (docs/when.md).

        Raises:
            SettingError: the encoder takes fewer.
        """
        if self.max_frames is not None and frames > self.max_frames:
            raise SettingError(f"a window of {frames} frames: this encoder takes {self.max_frames} at most")
        self.max_frames, self.positions_matter = frames, False


class WaveEncoder(FrameEncoder):
    """wav2vec2, HuBERT or WavLM, cut after `layer` of its Transformer layers.

    The frames are `transformers`' hidden_states[layer]. For the models that normalise before
    each layer ("stable layer norm", the large ones) the final norm follows the last layer
    only, so it is dropped where the model is cut.
    """

    def __init__(self, network: Any, layer: int, frozen_layers: int | None, normalize: bool):
        super().__init__()
        config, stack = network.config, network.encoder
        if layer < config.num_hidden_layers:
            stack.layers = stack.layers[:layer]
            if config.do_stable_layer_norm:
                stack.layer_norm = nn.Identity()
        self.hidden_size, self.normalize = config.hidden_size, normalize
        self.overhang_samples = receptive_field(config) - HOP_SAMPLES
        self.convolutions: Any = network.feature_extractor
        self.projection: Any = network.feature_projection
        self.transformer: Any = stack
        self.convolutions._freeze_parameters()
        force_fp32(stack.pos_conv_embed)
        if frozen_layers is not None:
            self.projection.requires_grad_(False)
            stack.pos_conv_embed.requires_grad_(False)
            stack.layers[:frozen_layers].requires_grad_(False)
            self.frozen_layers = None if config.model_type == "wavlm" else frozen_layers

    def train(self, mode: bool = True) -> "WaveEncoder":
        """Switch to training, except for the frozen layers, which keep no dropout."""
        super().train(mode)
        if self.frozen_layers is not None:
            for frozen in (self.projection, *self.transformer.layers[: self.frozen_layers]):
                frozen.eval()
        return self

    def transformer_layers(self) -> list[nn.Module]:
        """List the layers that are kept, from the lowest up."""
        return list(self.transformer.layers)

    def final_norm(self) -> nn.Module:
        """Return the last norm of a network that normalises before each layer; others have theirs below the layers."""
        return self.transformer.layer_norm if self.transformer.config.do_stable_layer_norm else nn.Identity()

    def freeze_stem(self) -> None:
        """Freeze the feature projection; the convolutions always are."""
        self.projection.requires_grad_(False)

    def count_frames(self, n_samples: int) -> int:
        """Count T = (N − 400) // 320 + 1."""
        return (n_samples - self.overhang_samples) // HOP_SAMPLES

    @torch.no_grad()
    def features(self, waveform: Tensor, offset: int = 0) -> Tensor:
        """Compute the convolutions' output (T, 512), or the frozen layers' (T, D); T = (N − 400) // 320 + 1."""
        if self.normalize:
            waveform = (waveform - waveform.mean()) / (waveform.var(correction=0) + 1e-7).sqrt()
        found = self.convolutions(waveform[None])[0].T
        if self.frozen_layers is None:
            return found
        stack, hidden = self.transformer, self._projected(found[None])
        hidden = hidden + stack.pos_conv_embed(hidden)
        hidden = hidden if stack.config.do_stable_layer_norm else stack.layer_norm(hidden)
        length = torch.tensor([len(found)], device=hidden.device)
        return apply_layers(stack.layers[: self.frozen_layers], stack.config, hidden, length)[0]

    def forward(self, features: Tensor, lengths: Tensor, offsets: Tensor | None = None) -> Tensor:
        """Apply the layers above `features`, under the mask of the frames: (B, T, F) → (B, T, D)."""
        stack = self.transformer
        if self.frozen_layers is None:
            mask = length_mask(lengths, features.shape[1])
            frames = stack(self._projected(features), attention_mask=mask).last_hidden_state
        else:
            frames = apply_layers(stack.layers[self.frozen_layers :], stack.config, features, lengths)
            frames = stack.layer_norm(frames) if stack.config.do_stable_layer_norm else frames
        return frames.relu() if self.rectified else frames

    def _projected(self, features: Tensor) -> Tensor:
        projected = self.projection(features)
        return projected[0] if isinstance(projected, tuple) else projected  # HuBERT returns no tuple


class MelEncoder(FrameEncoder):
    """Whisper's encoder, cut after `layer` of its layers; its final norm follows the last one kept.

    Unlike `transformers`' own forward it takes recordings of any length up to 30 s, without
    padding them to it, and starts anywhere in the table of positions, which is computed.
    """

    positions_matter = True

    def __init__(self, network: WhisperEncoder, layer: int, frozen_layers: int | None):
        super().__init__()
        self.config = network.config
        self.hidden_size, self.max_frames = network.config.d_model, network.config.max_source_positions
        self.frozen_layers = frozen_layers
        self.conv1, self.conv2 = network.conv1, network.conv2
        self.layers, self.norm = network.layers[:layer], network.layer_norm
        if frozen_layers is not None:
            for frozen in (self.conv1, self.conv2, self.layers[:frozen_layers]):
                frozen.requires_grad_(False)

    def transformer_layers(self) -> list[nn.Module]:
        """List the layers that are kept, from the lowest up."""
        return list(self.layers)

    def final_norm(self) -> nn.Module:
        """Return the norm that follows the last layer kept."""
        return self.norm

    def freeze_stem(self) -> None:
        """Freeze both convolutions."""
        self.conv1.requires_grad_(False)
        self.conv2.requires_grad_(False)

    def count_frames(self, n_samples: int) -> int:
        """Count T = ⌈N / 320⌉."""
        return -(-n_samples // HOP_SAMPLES)

    @torch.no_grad()
    def features(self, waveform: Tensor, offset: int = 0) -> Tensor:
        """Compute log-mel pairs (T, 160), or the frozen layers' output (T, D); T = ⌈N / 320⌉."""
        mel = log_mel_spectrogram(pad(waveform, (0, -len(waveform) % HOP_SAMPLES)), self.config.num_mel_bins)
        pairs = mel.T.reshape(-1, 2 * self.config.num_mel_bins)  # (T, 160): two mel frames make one frame
        if self.frozen_layers is None:
            return pairs
        length = torch.tensor([len(pairs)], device=pairs.device)
        hidden = self._stem(pairs[None], length, torch.full_like(length, offset))
        return apply_layers(self.layers[: self.frozen_layers], self.config, hidden, length)[0]

    def forward(self, features: Tensor, lengths: Tensor, offsets: Tensor | None = None) -> Tensor:
        """Apply the layers above `features`: (B, T, F) → (B, T, D)."""
        offsets = torch.zeros_like(lengths) if offsets is None or not self.positions_matter else offsets
        if self.frozen_layers is None:
            features = self._stem(features, lengths, offsets)
        frames = self.norm(apply_layers(self.layers[self.frozen_layers or 0 :], self.config, features, lengths))
        return frames.relu() if self.rectified else frames

    def _stem(self, pairs: Tensor, lengths: Tensor, offsets: Tensor) -> Tensor:
        """Apply both convolutions and add the positions: (B, T, 160) → (B, T, D); zero beyond a recording."""
        frames = pairs.shape[1]
        mask = length_mask(lengths, frames)[:, None, :]  # (B, 1, T)
        mel = pairs.unflatten(2, (2, -1)).flatten(1, 2).transpose(1, 2)  # (B, 80, 2 T)
        fine = mask.repeat_interleave(2, dim=2)
        hidden = gelu(self.conv1(mel * fine)) * fine
        hidden = gelu(self.conv2(hidden)).transpose(1, 2)  # (B, T, D)
        at = offsets[:, None] + torch.arange(frames, device=offsets.device)
        return hidden + sinusoidal_positions(at, self.hidden_size).to(hidden.dtype)


def apply_layers(layers: nn.ModuleList, config: PreTrainedConfig, hidden: Tensor, lengths: Tensor) -> Tensor:
    """Apply Transformer layers under a padding mask: (B, T, D), (B,) → (B, T, D)."""
    inner = length_mask(lengths, hidden.shape[1])
    mask = create_bidirectional_mask(config=config, inputs_embeds=hidden, attention_mask=inner)
    for layer in layers:
        hidden = layer(hidden, mask)
    return hidden


def force_fp32(module: nn.Module) -> None:
    """Have a module computed in fp32 on a CPU, also under autocast.

    In bf16 the grouped convolution of wav2vec2's positions is wrong, by more than its own size, on Intel's processors
    that have matrix units (torch 2.11).
    """
    kind: Any = type(module)

    class InFp32(kind):
        def forward(self, hidden: Tensor) -> Tensor:
            with torch.autocast("cpu", enabled=False):
                return super().forward(hidden.float())

    module.__class__ = InFp32


def receptive_field(config: PreTrainedConfig) -> int:
    """Count the samples that one frame of the convolutions sees: 400 for wav2vec2's own kernels and strides."""
    field, stride = 1, 1
    for kernel, step in zip(config.conv_kernel, config.conv_stride, strict=True):
        field, stride = field + (kernel - 1) * stride, stride * step
    return field


def length_mask(lengths: Tensor, frames: int) -> Tensor:
    """Mask the frames within each recording: (B,) lengths → (B, T) bool.

    Example:
        >>> length_mask(torch.tensor([1, 3]), 3).int().tolist()
        [[1, 0, 0], [1, 1, 1]]
    """
    return torch.arange(frames, device=lengths.device) < lengths[:, None]
