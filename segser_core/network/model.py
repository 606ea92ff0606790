"""The paper's network: encoder → segments → mean → linear, one head for segments and utterance.

A `transformers` model like any other: `save_pretrained` writes what `from_pretrained` reads,
safetensors only, and the configuration holds everything that a prediction needs.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel
from transformers.utils import ModelOutput

from segser_core.errors import ModelError, SegserError
from segser_core.network.checkpoint_check import check_checkpoint
from segser_core.network.config import ORIGIN, SegmentEmotionConfig
from segser_core.network.encoders import FrameEncoder
from segser_core.network.layer_average import LayerAverage
from segser_core.network.pretrained import (
    NETWORKS,
    disable_layerdrop,
    load_encoder_network,
    without_loading_bar,
    wrap_encoder,
)
from segser_core.network.segments import mean_over_time, segment_means
from segser_core.systems import find_system


def encoder_origin(name: str, revision: str | None) -> dict[str, str]:
    """Identify an encoder's weights: a hub name with its revision, or a folder with the file's SHA-256.

    Example:
        >>> encoder_origin("openai/whisper-base", None)
        {'name': 'openai/whisper-base', 'revision': 'main'}
    """
    file = Path(name) / "model.safetensors"
    if not file.is_file():
        return {"name": name, "revision": revision or "main"}
    return {"name": file.resolve().parent.name, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}


@dataclass
class SegmentEmotionOutput(ModelOutput):
    """Output for a batch of B recordings, at most S segments each, C classes, D features."""

    utterance_logits: Tensor = None  # type: ignore[assignment]  # (B, C); ModelOutput asks for defaults
    segment_logits: Tensor = None  # type: ignore[assignment]  # (B, S, C)
    segment_mask: Tensor = None  # type: ignore[assignment]  # (B, S), true where there is a segment
    cut: Tensor = None  # type: ignore[assignment]  # (B,), true where a recording is longer than a segment
    utterance_vectors: Tensor = None  # type: ignore[assignment]  # (B, D), the mean of all frames
    segment_vectors: Tensor = None  # type: ignore[assignment]  # (B, S, D), the means of the segments' frames


def network_config(config: SegmentEmotionConfig) -> PreTrainedConfig:
    """Build the configuration of a model's encoder network."""
    settings = {k: v for k, v in config.encoder.items() if k not in ORIGIN}
    if settings.get("model_type") not in NETWORKS:
        raise ModelError(f"an encoder of type {settings.get('model_type')!r}: expected one of {', '.join(NETWORKS)}")
    return disable_layerdrop(AutoConfig.for_model(**settings))


def build_encoder(network: PreTrainedModel, config: SegmentEmotionConfig) -> FrameEncoder:
    """Build the encoder of a model's system around a network of `transformers`."""
    frames = find_system(config.system).frames
    frozen = None if frames == "layer-mix" else config.frozen_layers
    encoder = wrap_encoder(network, config.layer, frozen, config.normalize)
    if config.window_frames is not None:
        encoder.limit_window(config.window_frames)
    if frames == "layer-mix":
        return LayerAverage(encoder, config.normalization)
    if frames == "rectified":
        encoder.freeze_stem()
        encoder.rectified = True
    return encoder


class SegmentEmotionModel(PreTrainedModel):
    """Encoder, segments and one linear head (section 3.1 of the paper)."""

    config_class = SegmentEmotionConfig
    base_model_prefix = "segser"
    main_input_name = "features"
    config: SegmentEmotionConfig
    encoder: FrameEncoder
    head: nn.Linear
    _supports_sdpa = True

    def __init__(self, config: SegmentEmotionConfig):
        super().__init__(config)
        network = NETWORKS[config.encoder["model_type"]](network_config(config))
        self.encoder = build_encoder(network, config)
        self.head = nn.Linear(self.encoder.hidden_size, len(config.labels))
        self.post_init()

    def forward(self, features: Tensor, lengths: Tensor, offsets: Tensor | None = None) -> SegmentEmotionOutput:
        """Classify each recording and each of its segments.

        Args:
            features: (B, T, F), what `encoder.features` gives for each recording, padded.
            lengths: (B,) frames of each recording.
            offsets: (B,) first rows in the encoder's table of positions, 0 where it is None.
        """
        frames = self.encoder(features, lengths, offsets)
        crop = self.config.crop_frames
        utterance = mean_over_time(frames, lengths if crop is None else lengths.clamp(max=crop))
        segments, mask = segment_means(frames, lengths, self.config.windows)
        cut = lengths > self.config.segment_frames
        return SegmentEmotionOutput(self.head(utterance), self.head(segments), mask, cut, utterance, segments)

    @classmethod
    def from_encoder(cls, name: str, revision: str | None = None, **settings: Any) -> "SegmentEmotionModel":
        """Build a model to be trained: a pretrained encoder (folder or hub name) under a fresh head."""
        network, normalize = load_encoder_network(name, revision)
        encoder = {**network.config.to_diff_dict(), "model_type": network.config.model_type} | encoder_origin(
            name, revision
        )
        config = SegmentEmotionConfig(encoder=encoder, normalize=normalize, **settings)
        model = cls(config)
        model.encoder = build_encoder(network, config)
        return model

    @classmethod
    def from_folder(cls, folder: Path) -> "SegmentEmotionModel":
        """Load a trained model from a checkpoint folder, in float32 and ready to predict.

        Raises:
            ModelError: no safetensors, a foreign configuration, a weight that is missing, of
                another shape or not finite; see also `check_checkpoint`.
        """
        check_checkpoint(folder)
        try:
            exact: dict[str, Any] = {"dtype": torch.float32, "use_safetensors": True, "local_files_only": True}
            with without_loading_bar():
                loaded: Any = cls.from_pretrained(folder, output_loading_info=True, **exact)
            model, info = loaded
            model.config.windows  # noqa: B018  made when it is asked for, and checked then
        except SegserError as error:
            raise ModelError(f"the model in {folder} cannot be used: {error}") from error
        except Exception as error:  # transformers and torch raise many kinds for what does not fit
            raise ModelError(f"the model in {folder} cannot be loaded: {str(error).partition(chr(10))[0]}") from error
        wrong = (
            sorted(info["missing_keys"]) or sorted(map(str, info["mismatched_keys"])) or sorted(info["unexpected_keys"])
        )
        if wrong:
            raise ModelError(
                f"the model in {folder} does not fit its config.json: {wrong[0]} is missing or of another shape"
            )
        if not all(weight.isfinite().all() for weight in model.state_dict().values()):
            raise ModelError(f"the model in {folder} has weights that are not finite; it cannot have been trained so")
        return model.eval()

    def layer_groups(self) -> list[list[nn.Parameter]]:
        """Group the tuned parameters from the input up to the head, for learning rates that differ by depth.

        The norm that follows the last layer goes with that layer.
        """
        layers = [list(layer.parameters()) for layer in self.encoder.transformer_layers()]
        if layers:
            layers[-1] += self.encoder.final_norm().parameters()
        grouped = [*layers, list(self.head.parameters())]
        known = {id(p) for group in grouped for p in group}
        stem = [p for p in self.parameters() if id(p) not in known]
        return [[p for p in group if p.requires_grad] for group in [stem, *grouped]]


AutoModel.register(SegmentEmotionConfig, SegmentEmotionModel, exist_ok=True)
