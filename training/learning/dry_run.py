"""Describe a training and its needs without the encoder's weights."""

from collections.abc import Sequence
from typing import Any

import torch
from transformers import PreTrainedConfig, Wav2Vec2Config

from segser_core.network.config import SegmentEmotionConfig
from segser_core.network.encoders import FrameEncoder, MelEncoder
from segser_core.network.layer_average import LayerAverage
from segser_core.network.model import SegmentEmotionModel, network_config
from segser_core.network.pretrained import count_layers, load_encoder_config
from segser_core.network.segments import FRAME_S
from training.config.settings import Settings, to_yaml
from training.corpora.fold import SPLITS, Fold

XLSR_53 = Wav2Vec2Config(
    hidden_size=1024,
    num_hidden_layers=24,
    num_attention_heads=16,
    intermediate_size=4096,
    feat_extract_norm="layer",
    conv_bias=True,
    do_stable_layer_norm=True,
)
PAPER_ENCODERS = {  # known here, so that a dry run needs no network
    "facebook/wav2vec2-base": Wav2Vec2Config(),
    "jonatasgrosman/wav2vec2-large-xlsr-53-finnish": XLSR_53,
}
GB = 1e9
# What a Transformer layer in float32 keeps for its gradients, counted on wav2vec2 with dropout: bytes for each frame
# and feature, and for each head and pair of frames where attention keeps its table (on a CPU; no fused kernel does).
BYTES_A_FEATURE, BYTES_A_PAIR = 92, 12


def describe_plan(divided: Sequence[Fold], settings: Settings, trainings: int) -> str:
    """Describe for `--dry-run`: settings, folds with their counts, parameters and memory.

    Raises:
        ModelError: the encoder's configuration is not to be had.
        SettingError: a layer that it does not have.
    """
    model = outline_model(settings, divided[0].labels)
    total = sum(p.numel() for p in model.parameters())
    tuned = sum(p.numel() for p in model.parameters() if p.requires_grad)
    lines = [to_yaml(settings), *fold_table(divided), "", f"{trainings} training(s) of {settings.epochs} epochs"]
    lines += [f"{total / 1e6:.1f} M parameters, {tuned / 1e6:.1f} M of them tuned"]
    if settings.layer and settings.layer < count_layers(network_config(model.config)):
        lines[-1] += f"; the layers above {settings.layer}, which nothing would reach, are not there"
    return "\n".join([*lines, *memory_lines(model, divided, settings, total, tuned)])


def outline_model(settings: Settings, labels: Sequence[str]) -> SegmentEmotionModel:
    """Build the model to be trained, with the shapes of its weights and nothing in them."""
    config = PAPER_ENCODERS.get(settings.encoder) or load_encoder_config(settings.encoder, settings.revision)
    names = ("system", "layer", "frozen_layers", "segment_frames", "stride_frames", "tail", "normalization")
    told = {name: getattr(settings, name) for name in names}
    with torch.device("meta"):
        return SegmentEmotionModel(SegmentEmotionConfig(encoder=config_to_dict(config), labels=list(labels), **told))


def config_to_dict(config: PreTrainedConfig) -> dict:
    """Convert a network's configuration to the form that `SegmentEmotionConfig` holds."""
    return {**config.to_diff_dict(), "model_type": config.model_type}


def fold_table(divided: Sequence[Fold]) -> list[str]:
    """List a line a fold: utterances of each split, training utterances of each class, speakers of dev and test."""
    labels = divided[0].labels
    lines = [f"fold  train   dev  test  {'  '.join(f'{label:>9}' for label in labels)}  dev speakers | test speakers"]
    for fold in divided:
        sizes, classes = (fold.manifest["split"].value_counts(), fold.split("train")["label"].value_counts())
        numbers = " ".join(f"{sizes[split]:5d}" for split in SPLITS)
        speakers = (" ".join(sorted(fold.split(split)["speaker"].unique())) for split in SPLITS[1:])
        by_class = "  ".join(f"{classes[label]:9d}" for label in labels)
        lines.append(f"{fold.index:4d}  {numbers}  {by_class}  {' | '.join(speakers)}")
    return lines


def memory_lines(
    model: SegmentEmotionModel, divided: Sequence[Fold], settings: Settings, total: int, tuned: int
) -> list[str]:
    """Estimate memory: on the device, beside it, and on the disk while training goes on."""
    longest_s = max(float(fold.split("train")["duration_s"].clip(upper=settings.cut_s).max()) for fold in divided)
    frames = longest_s / FRAME_S
    layers = [part for part in model.encoder.transformer_layers() if any(p.requires_grad for p in part.parameters())]
    network = network_config(model.config)
    heads = network.encoder_attention_heads if network.model_type == "whisper" else network.num_attention_heads
    features = BYTES_A_FEATURE * settings.batch_size * frames * model.encoder.hidden_size * len(layers)
    pairs = BYTES_A_PAIR * settings.batch_size * heads * frames**2 * len(layers)
    kept = max(stored_bytes(fold, settings, feature_size(model.encoder)) for fold in divided)
    return [
        f"memory where it is computed: {(4 * total + 12 * tuned) / GB:.2f} GB weights, gradients and Adam; about "
        f"{features / GB:.1f} GB for the longest batch ({settings.batch_size} × {longest_s:.1f} s, fp32), "
        f"{(features + pairs) / GB:.1f} GB where attention is not fused (a CPU)",
        f"memory beside it: {kept / GB:.2f} GB kept features",
        f"disk: {3 * (4 * total + 8 * tuned) / GB:.1f} GB while it trains, {2 * total / GB:.2f} GB each model kept",
    ]


def stored_bytes(fold: Fold, settings: Settings, size: int) -> float:
    """Estimate what `FeatureStore` holds of a fold: training variants in 16 bits, development clips in 32."""
    frames = {split: fold.split(split)["duration_s"].sum() / FRAME_S for split in ("train", "dev")}
    return size * (2 * settings.augmentation.variants * frames["train"] + 4 * frames["dev"])


def feature_size(encoder: FrameEncoder) -> int:
    """Count F, the numbers that an encoder's `features` hold for a frame."""
    if isinstance(encoder, LayerAverage):
        return len(encoder.mean)
    if encoder.frozen_layers is not None:
        return encoder.hidden_size
    if isinstance(encoder, MelEncoder):
        return 2 * encoder.config.num_mel_bins
    projection: Any = encoder.projection
    return projection.projection.in_features
