"""Encoders and models of three layers with random weights, of every kind."""

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

from segser_core.inference.predictor import Predictor
from segser_core.network.config import SegmentEmotionConfig
from segser_core.network.model import SegmentEmotionModel
from segser_core.network.whisper_input import log_mel_spectrogram

WAVEFORM_SECONDS = (0.5, 1.31, 0.9, 2.0)


def random_waveforms(seed=0):
    """Draw four waveforms of noise, at 16 kHz."""
    g = torch.Generator().manual_seed(seed)
    return [torch.randn(int(s * 16_000), generator=g) * 0.1 for s in WAVEFORM_SECONDS]


def whisper_by_clip(waveform, layers=3):
    """Encode one clip by Whisper's own forward; the table of positions is cut to the clip's frames."""
    waveform = torch.nn.functional.pad(waveform, (0, -len(waveform) % 320))
    config = tiny_whisper_config(len(waveform) // 320)
    torch.manual_seed(0)
    network = WhisperEncoder(config).eval()
    weights = {k: v for k, v in tiny_network("whisper").state_dict().items() if "positions" not in k}
    network.load_state_dict(weights, strict=False)
    network.layers = network.layers[:layers]
    with torch.no_grad():
        return network(log_mel_spectrogram(waveform)[None]).last_hidden_state[0]


MODEL_LABELS = ["neutral", "happy", "sad"]


def tiny_model(kind="whisper", **settings):
    """Build a model with random weights, ready to predict."""
    network = tiny_network(kind)
    encoder = {**network.config.to_dict(), "name": "tiny"}
    config = SegmentEmotionConfig(encoder=encoder, labels=MODEL_LABELS, segment_frames=16, stride_frames=8, **settings)
    torch.manual_seed(1)
    return SegmentEmotionModel(config).eval()


def batch_of(model, seconds=(1.0, 0.2, 1.7)):
    """Encode noise of these lengths as a padded batch: features and lengths."""
    g = torch.Generator().manual_seed(0)
    features = [model.encoder.features(torch.randn(int(s * 16_000), generator=g) * 0.1) for s in seconds]
    return torch.nn.utils.rnn.pad_sequence(features, batch_first=True), torch.tensor([len(f) for f in features])


WAVEFORM_ENCODER = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "conv_dim": (16,) * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
}
STABLE_NORM = {"do_stable_layer_norm": True, "feat_extract_norm": "layer"}
KINDS = {
    "wav2vec2": (Wav2Vec2Model, Wav2Vec2Config, {}),
    "wav2vec2-stable": (Wav2Vec2Model, Wav2Vec2Config, STABLE_NORM),
    "hubert": (HubertModel, HubertConfig, {}),
    "hubert-stable": (HubertModel, HubertConfig, STABLE_NORM),
    "wavlm": (WavLMModel, WavLMConfig, {}),
    "wavlm-stable": (WavLMModel, WavLMConfig, STABLE_NORM),
}


def tiny_network(kind: str, seed: int = 0) -> torch.nn.Module:
    """Build a randomly initialised network, 3 layers deep and 32 wide, in evaluation mode."""
    torch.manual_seed(seed)
    if kind == "whisper":
        return WhisperEncoder(tiny_whisper_config()).eval()
    network, config, extra = KINDS[kind]
    return network(config(**WAVEFORM_ENCODER, **extra)).eval()


def tiny_whisper_config(max_source_positions: int = 1500, decoder: bool = False) -> WhisperConfig:
    """Configure a Whisper 3 layers deep and 32 wide; with a decoder as small, where it is asked for."""
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


class NoisePredictor(Predictor):
    """A predictor that takes noise for speech, for tests whose recordings are noise."""

    def predict(self, source, **options):
        return super().predict(source, **{"min_speech": 0, **options})
