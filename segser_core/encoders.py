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

import math
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, pad
from torchaudio.functional import melscale_fbanks
from transformers import HubertModel, PreTrainedConfig, PreTrainedModel, Wav2Vec2Model, WavLMModel
from transformers.masking_utils import create_bidirectional_mask
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from segser_core.errors import ModelError, SettingError

HOP_SAMPLES = 320  # one frame, 20 ms at 16 kHz
MEL_FFT_SAMPLES = 400
MEL_HOP_SAMPLES = 160
MEL_DECADES = 8.0


class FrameEncoder(nn.Module):
    """What every encoder offers.

    Attributes:
        hidden_size: D, the number of features of a frame.
        max_frames: the most frames that one pass can take, or None.
        positions_matter: whether training must draw where in its position table a clip lies.
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
        """T of a recording of N samples at 16 kHz, N >= 400."""
        raise NotImplementedError

    def features(self, waveform: Tensor, offset: int = 0) -> Tensor:
        """One unpadded recording through the frozen part: (N,) at 16 kHz → (T, F), without gradient."""
        raise NotImplementedError

    def forward(self, features: Tensor, lengths: Tensor, offsets: Tensor | None = None) -> Tensor:
        """A padded batch through the tuned part: (B, T, F), (B,) frames each → (B, T, D).

        `offsets` (B,) moves each recording that many frames along the position table, where
        there is one. Frames beyond a recording's length hold nothing of use.
        """
        raise NotImplementedError

    def transformer_layers(self) -> list[nn.Module]:
        """The layers that are kept, from the lowest up."""
        raise NotImplementedError

    def final_norm(self) -> nn.Module:
        """The norm that follows the last layer, without parameters where there is none."""
        raise NotImplementedError

    def freeze_stem(self) -> None:
        """Freeze what lies below the Transformer: the convolutions, and of wav2vec2 the feature projection."""
        raise NotImplementedError


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
        in_fp32(stack.pos_conv_embed)
        if frozen_layers is not None:
            self.projection.requires_grad_(False)
            stack.pos_conv_embed.requires_grad_(False)
            stack.layers[:frozen_layers].requires_grad_(False)
            self.frozen_layers = None if config.model_type == "wavlm" else frozen_layers

    def train(self, mode: bool = True) -> "WaveEncoder":
        """What `features` goes through stays as it is in use, without dropout."""
        super().train(mode)
        if self.frozen_layers is not None:
            for frozen in (self.projection, *self.transformer.layers[: self.frozen_layers]):
                frozen.eval()
        return self

    def transformer_layers(self) -> list[nn.Module]:
        """The layers that are kept, from the lowest up."""
        return list(self.transformer.layers)

    def final_norm(self) -> nn.Module:
        """The last norm of a network that normalises before each layer; the others have theirs below the layers."""
        return self.transformer.layer_norm if self.transformer.config.do_stable_layer_norm else nn.Identity()

    def freeze_stem(self) -> None:
        """Freeze the feature projection; the convolutions always are."""
        self.projection.requires_grad_(False)

    def count_frames(self, n_samples: int) -> int:
        """T = (N − 400) // 320 + 1."""
        return (n_samples - self.overhang_samples) // HOP_SAMPLES

    @torch.no_grad()
    def features(self, waveform: Tensor, offset: int = 0) -> Tensor:
        """Of the convolutions (T, 512), or of the frozen layers (T, D); T = (N − 400) // 320 + 1."""
        if self.normalize:
            waveform = (waveform - waveform.mean()) / (waveform.var(correction=0) + 1e-7).sqrt()
        found = self.convolutions(waveform[None])[0].T
        if self.frozen_layers is None:
            return found
        stack, hidden = self.transformer, self._projected(found[None])
        hidden = hidden + stack.pos_conv_embed(hidden)
        hidden = hidden if stack.config.do_stable_layer_norm else stack.layer_norm(hidden)
        length = torch.tensor([len(found)], device=hidden.device)
        return through(stack.layers[: self.frozen_layers], stack.config, hidden, length)[0]

    def forward(self, features: Tensor, lengths: Tensor, offsets: Tensor | None = None) -> Tensor:
        """What `features` left undone, with the mask of the frames: (B, T, F) → (B, T, D)."""
        stack = self.transformer
        if self.frozen_layers is None:
            mask = inside(lengths, features.shape[1])
            frames = stack(self._projected(features), attention_mask=mask).last_hidden_state
        else:
            frames = through(stack.layers[self.frozen_layers :], stack.config, features, lengths)
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
        """The layers that are kept, from the lowest up."""
        return list(self.layers)

    def final_norm(self) -> nn.Module:
        """The norm that follows the last layer kept."""
        return self.norm

    def freeze_stem(self) -> None:
        """Freeze both convolutions."""
        self.conv1.requires_grad_(False)
        self.conv2.requires_grad_(False)

    def count_frames(self, n_samples: int) -> int:
        """T = ⌈N / 320⌉."""
        return -(-n_samples // HOP_SAMPLES)

    @torch.no_grad()
    def features(self, waveform: Tensor, offset: int = 0) -> Tensor:
        """Log-mel pairs (T, 160), or the frozen layers' output (T, D); T = ⌈N / 320⌉."""
        mel = log_mel(pad(waveform, (0, -len(waveform) % HOP_SAMPLES)), self.config.num_mel_bins)
        pairs = mel.T.reshape(-1, 2 * self.config.num_mel_bins)  # (T, 160): two mel frames make one frame
        if self.frozen_layers is None:
            return pairs
        length = torch.tensor([len(pairs)], device=pairs.device)
        hidden = self._stem(pairs[None], length, torch.full_like(length, offset))
        return through(self.layers[: self.frozen_layers], self.config, hidden, length)[0]

    def forward(self, features: Tensor, lengths: Tensor, offsets: Tensor | None = None) -> Tensor:
        """What `features` left undone: (B, T, F) → (B, T, D)."""
        offsets = torch.zeros_like(lengths) if offsets is None else offsets
        if self.frozen_layers is None:
            features = self._stem(features, lengths, offsets)
        frames = self.norm(through(self.layers[self.frozen_layers or 0 :], self.config, features, lengths))
        return frames.relu() if self.rectified else frames

    def _stem(self, pairs: Tensor, lengths: Tensor, offsets: Tensor) -> Tensor:
        """Both convolutions and the positions: (B, T, 160) → (B, T, D); beyond a recording all is zero."""
        frames = pairs.shape[1]
        mask = inside(lengths, frames)[:, None, :]  # (B, 1, T)
        mel = pairs.unflatten(2, (2, -1)).flatten(1, 2).transpose(1, 2)  # (B, 80, 2 T)
        fine = mask.repeat_interleave(2, dim=2)
        hidden = gelu(self.conv1(mel * fine)) * fine
        hidden = gelu(self.conv2(hidden)).transpose(1, 2)  # (B, T, D)
        at = offsets[:, None] + torch.arange(frames, device=offsets.device)
        return hidden + sinusoids(at, self.hidden_size).to(hidden.dtype)


def through(layers: nn.ModuleList, config: PreTrainedConfig, hidden: Tensor, lengths: Tensor) -> Tensor:
    """Layers of a Transformer one after another, each recording seeing itself alone: (B, T, D), (B,) → (B, T, D)."""
    inner = inside(lengths, hidden.shape[1])
    mask = create_bidirectional_mask(config=config, inputs_embeds=hidden, attention_mask=inner)
    for layer in layers:
        hidden = layer(hidden, mask)
    return hidden


def in_fp32(module: nn.Module) -> None:
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
    """Samples that one frame of the convolutions sees: 400 for wav2vec2's own kernels and strides."""
    field, stride = 1, 1
    for kernel, step in zip(config.conv_kernel, config.conv_stride, strict=True):
        field, stride = field + (kernel - 1) * stride, stride * step
    return field


def inside(lengths: Tensor, frames: int) -> Tensor:
    """(B,) lengths → (B, T) mask, true within each recording."""
    return torch.arange(frames, device=lengths.device) < lengths[:, None]


def sinusoids(positions: Tensor, size: int) -> Tensor:
    """Whisper's position vectors at any positions: (B, T) → (B, T, size)."""
    scales = torch.exp(-math.log(10_000) / (size // 2 - 1) * torch.arange(size // 2, device=positions.device))
    angles = positions[..., None] * scales
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


@lru_cache(maxsize=4)
def mel_filters(n_mels: int) -> Tensor:
    """Slaney's mel filters over the FFT's bins, 0 to 8 kHz: (201, n_mels)."""
    return melscale_fbanks(MEL_FFT_SAMPLES // 2 + 1, 0.0, 8000.0, n_mels, 16_000, norm="slaney", mel_scale="slaney")


def log_mel(waveform: Tensor, n_mels: int = 80) -> Tensor:
    """Whisper's input: (N,) at 16 kHz → (n_mels, N // 160), about −1 to 1.

    Clamped 8 decades below the maximum of this very audio, so what else it holds matters: the
    rule everywhere here is that the maximum is of the audio that the encoder sees at once.
    """
    window = torch.hann_window(MEL_FFT_SAMPLES, device=waveform.device)
    spectrum = torch.stft(waveform, MEL_FFT_SAMPLES, MEL_HOP_SAMPLES, window=window, return_complex=True)
    power = mel_filters(n_mels).to(waveform.device).T @ spectrum[:, :-1].abs().square()
    decades = power.clamp(min=1e-10).log10()
    return (decades.clamp(min=decades.max() - MEL_DECADES) + 4.0) / 4.0


NETWORKS: dict[str, type[PreTrainedModel]] = {
    "wav2vec2": Wav2Vec2Model,
    "hubert": HubertModel,
    "wavlm": WavLMModel,
    "whisper": WhisperEncoder,
}
WITHIN_WHISPER = {r"^(model\.)?encoder\.": ""}  # where its encoder's weights lie in a whole Whisper or a classifier


def encoder_around(
    network: PreTrainedModel, layer: int | None = None, frozen_layers: int | None = None, normalize: bool = False
) -> FrameEncoder:
    """The interface around a network of `transformers`.

    Args:
        network: one of `NETWORKS`, with weights.
        layer: how many Transformer layers to keep, all where it is None.
        frozen_layers: how many of these stay as they are, and with them all below; None freezes
            only what the paper freezes, the convolutions of wav2vec2 (nothing of Whisper).
        normalize: whether the waveform is brought to zero mean and unit variance first.

    Raises:
        SettingError: a layer that the network does not have.
    """
    depth = depth_of(network.config)
    layer = depth if layer is None else layer
    if not 1 <= layer <= depth:
        raise SettingError(f"layer {layer} is outside this encoder: it has the layers 1 to {depth}")
    if frozen_layers is not None and not 0 <= frozen_layers <= layer:
        raise SettingError(f"{frozen_layers} frozen layers of {layer}: choose 0 to {layer}, or none to tune all")
    if isinstance(network, WhisperEncoder):
        return MelEncoder(network, layer, frozen_layers)
    return WaveEncoder(network, layer, frozen_layers, normalize)


def depth_of(config: PreTrainedConfig) -> int:
    """The number of Transformer layers that a configuration asks for."""
    return config.encoder_layers if config.model_type == "whisper" else config.num_hidden_layers


def quiet_config(config: PreTrainedConfig) -> PreTrainedConfig:
    """The same configuration without layerdrop, which makes layers vanish, and without default masking.

    Raises:
        ModelError: an architecture that is not one of ours.
    """
    if config.model_type not in NETWORKS:
        raise ModelError(f"an encoder of type {config.model_type!r}: expected one of {', '.join(NETWORKS)}")
    if config.model_type == "whisper":
        config.encoder_layerdrop = 0.0
    else:
        config.layerdrop, config.apply_spec_augment = 0.0, False
        config.mask_time_prob = config.mask_feature_prob = 0.0
    return config


def load_config(name: str, revision: str | None = None) -> PreTrainedConfig:
    """The configuration of a pretrained network, from a local folder or a hub name, without its weights.

    Raises:
        ModelError: not to be had.
    """
    from transformers import AutoConfig

    try:
        how = {"revision": revision} if revision else {}
        config = AutoConfig.from_pretrained(name, trust_remote_code=False, **how)
    except Exception as error:  # transformers raises many kinds for what does not fit
        raise ModelError(f"the encoder {name!r} cannot be loaded: {str(error).partition(chr(10))[0]}") from error
    if getattr(config, "auto_map", None):
        raise ModelError(f"the encoder {name!r} asks for code of its own (auto_map), which is never run")
    return quiet_config(config)


def load_network(name: str, revision: str | None = None) -> tuple[PreTrainedModel, bool]:
    """A pretrained network from a local folder or a hub name, in float32, from safetensors only.

    A folder of a whole Whisper, or of a classifier, holds more than the encoder; the rest is left alone.

    Returns:
        The network, and whether its waveforms are normalised (`do_normalize` of its feature extractor).

    Raises:
        ModelError: not to be had, or weights that leave a part of the network at random.
    """
    from transformers import AutoFeatureExtractor

    how: dict[str, Any] = {"revision": revision} if revision else {}
    config = load_config(name, revision)
    try:
        kind = NETWORKS[config.model_type]
        within: dict[str, Any] = {"key_mapping": WITHIN_WHISPER} if kind is WhisperEncoder else {}
        loaded: Any = kind.from_pretrained(
            name, config=config, dtype=torch.float32, use_safetensors=True, output_loading_info=True, **within, **how
        )
        extractor = AutoFeatureExtractor.from_pretrained(name, trust_remote_code=False, **how)
    except Exception as error:
        raise ModelError(f"the encoder {name!r} cannot be loaded: {str(error).partition(chr(10))[0]}") from error
    network, info = loaded
    absent = sorted(k for k in info["missing_keys"] if "masked_spec_embed" not in k)
    if absent or info["mismatched_keys"]:
        raise ModelError(f"the encoder {name!r} lacks weights, {(absent or info['mismatched_keys'])[0]} among them")
    return network, bool(getattr(extractor, "do_normalize", False))
