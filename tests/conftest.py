"""What tests share: a tiny random encoder of each kind, a made-up corpus, and where the real recordings are."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
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
    WhisperFeatureExtractor,
)
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from segser_core.audio.waveform import cut_wav
from training.config.settings import Settings, settings_from
from training.corpora.fold import Fold

torch.set_num_threads(1)  # the networks here are too small to be shared out
ROOT = Path(__file__).resolve().parent.parent
LABELS = ("neutral", "sad")
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


def tiny_whisper_config(max_source_positions: int = 1500, decoder: bool = False) -> WhisperConfig:
    """Whisper's configuration, 3 layers deep and 32 wide; with a decoder as small, where it is asked for."""
    ids = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1}
    small = {"decoder_layers": 1, "decoder_attention_heads": 4, "decoder_ffn_dim": 48, "vocab_size": 50} | ids
    return WhisperConfig(
        d_model=32,
        encoder_layers=3,
        encoder_attention_heads=4,
        encoder_ffn_dim=48,
        max_source_positions=max_source_positions,
        num_mel_bins=80,
        **(small if decoder else {}),
    )


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real recordings and pretrained weights; tests that need it are skipped without it."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"no recordings at {SHARED}; name their folder in SEGSER_SHARED")
    return SHARED


@pytest.fixture
def corpus(tmp_path) -> tuple[Fold, Path]:
    """A made-up corpus of 24 clips, noise for one class and a tone for the other, and a tiny Whisper in `encoder`."""
    tiny_network("whisper").save_pretrained(tmp_path / "encoder")
    WhisperFeatureExtractor().save_pretrained(tmp_path / "encoder")
    g = np.random.default_rng(0)
    rows = []
    for i in range(24):
        samples = int(g.uniform(0.5, 1.2) * 16_000)
        sound = 0.1 * np.sin(np.arange(samples) * 0.2) if i % 2 else g.normal(0, 0.1, samples)
        (tmp_path / f"{i}.wav").write_bytes(cut_wav(sound, 0, 2))
        split = "train" if i < 16 else "dev" if i < 20 else "test"
        rows.append(
            {
                "utterance_id": str(i),
                "path": f"{i}.wav",
                "label": LABELS[i % 2],
                "speaker": f"{split}{i % 2}",
                "split": split,
                "duration_s": samples / 16_000,
            }
        )
    return Fold(0, LABELS, pd.DataFrame(rows)), tmp_path


def settings(folder: Path, **changes) -> Settings:
    """Settings that train on the made-up corpus in a second or two."""
    values = {
        "encoder": str(folder / "encoder"),
        "segment_frames": 16,
        "stride_frames": 8,
        "epochs": 2,
        "batch_size": 4,
        "learning_rate": 1e-3,
        "head_learning_rate": 1e-2,
        "system": "seg+tri-w",
        "tapt": {"clusters": [2, 5], "tuning_steps": 3, "pretraining_steps": 3},
    }
    return settings_from(values | changes)
