"""What tests share: a tiny random encoder of each kind, and where the real recordings are."""

import os
from pathlib import Path

import pytest
import torch
from transformers import (
    HubertConfig,
    HubertModel,
    Wav2Vec2Config,
    Wav2Vec2Model,
    WavLMConfig,
    WavLMModel,
    WhisperConfig,
)
from transformers.models.whisper.modeling_whisper import WhisperEncoder

torch.set_num_threads(2)
ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("SEGSER_SHARED", ROOT.parent / "shared"))

WAVE = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "conv_dim": (16,) * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
}
STABLE = {"do_stable_layer_norm": True, "feat_extract_norm": "layer"}
KINDS = {
    "wav2vec2": (Wav2Vec2Model, Wav2Vec2Config, {}),
    "wav2vec2-stable": (Wav2Vec2Model, Wav2Vec2Config, STABLE),
    "hubert": (HubertModel, HubertConfig, {}),
    "hubert-stable": (HubertModel, HubertConfig, STABLE),
    "wavlm": (WavLMModel, WavLMConfig, {}),
    "wavlm-stable": (WavLMModel, WavLMConfig, STABLE),
}


def tiny_network(kind: str, seed: int = 0) -> torch.nn.Module:
    """A randomly initialised network, 3 layers deep and 32 wide, in evaluation mode."""
    torch.manual_seed(seed)
    if kind == "whisper":
        return WhisperEncoder(tiny_whisper_config()).eval()
    network, config, extra = KINDS[kind]
    return network(config(**WAVE, **extra)).eval()


def tiny_whisper_config(max_source_positions: int = 1500) -> WhisperConfig:
    """Whisper's configuration, 3 layers deep and 32 wide."""
    return WhisperConfig(
        d_model=32,
        encoder_layers=3,
        encoder_attention_heads=4,
        encoder_ffn_dim=48,
        max_source_positions=max_source_positions,
        num_mel_bins=80,
    )


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real recordings and pretrained weights; tests that need it are skipped without it."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"no recordings at {SHARED}; name their folder in SEGSER_SHARED")
    return SHARED
