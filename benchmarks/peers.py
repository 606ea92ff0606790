"""What a user would pick instead, with the weights of one of our models: transformers' pipeline, and audonnx.

The extra `bench` installs what is needed. Both take the windows cut out, one by one or in batches.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from transformers import (
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2ForSequenceClassification,
    WhisperFeatureExtractor,
    WhisperForAudioClassification,
    pipeline,
)
from transformers.modeling_outputs import SequenceClassifierOutput

from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.network.config import SegmentEmotionConfig
from segser_core.network.encoders import HOP_SAMPLES
from segser_core.network.model import SegmentEmotionModel, network_config

LABELS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")
Classifier = Callable[[list[np.ndarray]], np.ndarray]  # windows (N,) each → their probabilities (S, C)


class MaskedWhisper(WhisperForAudioClassification):
    """transformers' classifier, but the mean is over the window's own frames, not over the 30 s it was padded to.

    The frames themselves are transformers' own, in which the silence is heard: unpadded it cannot run.
    """

    def forward(self, input_features: Tensor, attention_mask: Tensor) -> SequenceClassifierOutput:  # type: ignore[override]
        """(B, 80, 3000) log-mels and the mask (B, 480000) of their samples → logits."""
        frames = self.projector(self.encoder(input_features).last_hidden_state)  # (B, 1500, D)
        own = attention_mask[:, ::HOP_SAMPLES, None]
        return SequenceClassifierOutput(logits=self.classifier((frames * own).sum(1) / own.sum(1)))


def random_wav2vec2(frozen_layers: int | None = None) -> SegmentEmotionModel:
    """A model around wav2vec2-base's configuration, its weights at random; see `encoder_around` of what is frozen."""
    torch.manual_seed(0)
    encoder = {**Wav2Vec2Config().to_diff_dict(), "model_type": "wav2vec2"}
    how = SegmentEmotionConfig(encoder=encoder, labels=list(LABELS), frozen_layers=frozen_layers, normalize=True)
    return SegmentEmotionModel(how).eval()


def classifier_of(model: SegmentEmotionModel) -> nn.Module:
    """transformers' audio classifier with a model's weights: its projector is the identity, its classifier our head."""
    config = network_config(model.config)
    config.classifier_proj_size, config.num_labels = model.encoder.hidden_size, len(model.config.labels)
    config.id2label = dict(enumerate(model.config.labels))
    if config.model_type == "whisper":
        config.encoder_layers = config.num_hidden_layers = len(model.encoder.transformer_layers())
        whole = MaskedWhisper(config)
        load(whole.encoder, model.encoder.state_dict(), {"norm": "layer_norm"})
    else:
        whole = Wav2Vec2ForSequenceClassification(config)
        names = {"convolutions": "feature_extractor", "projection": "feature_projection", "transformer": "encoder"}
        load(whole.wav2vec2, model.encoder.state_dict(), names)
    size = model.encoder.hidden_size
    whole.projector.load_state_dict({"weight": torch.eye(size), "bias": torch.zeros(size)})
    whole.classifier.load_state_dict(model.head.state_dict())
    return whole.eval()


def load(network: nn.Module, weights: dict[str, Tensor], names: dict[str, str]) -> None:
    """Our weights into transformers' network, under its names; only what no window uses may be missing."""
    for ours, theirs in names.items():
        weights = {theirs + k.removeprefix(ours) if k.startswith(f"{ours}.") else k: w for k, w in weights.items()}
    missing, strange = network.load_state_dict(weights, strict=False)
    assert not strange and set(missing) <= {"embed_positions.weight", "masked_spec_embed"}, (missing, strange)


def by_pipeline(model: SegmentEmotionModel, batch_size: int) -> Classifier:
    """transformers' audio-classification pipeline."""
    if model.config.encoder["model_type"] == "whisper":
        extractor = WhisperFeatureExtractor(return_attention_mask=True)
    else:
        extractor = Wav2Vec2FeatureExtractor(do_normalize=model.config.normalize, return_attention_mask=False)
    classify = pipeline(
        "audio-classification", classifier_of(model), feature_extractor=extractor, device="cpu", batch_size=batch_size
    )

    def run(windows: list[np.ndarray]) -> np.ndarray:
        found = [{a["label"]: a["score"] for a in answer} for answer in classify(windows, top_k=None)]
        return np.array([[answer[c] for c in model.config.labels] for answer in found])

    return run


class OneWindow(nn.Module):
    """A window's features, or for wav2vec2 its samples, to logits: what is exported."""

    def __init__(self, model: SegmentEmotionModel):
        super().__init__()
        self.model, self.waves = model, model.config.encoder["model_type"] != "whisper"

    def forward(self, given: Tensor) -> Tensor:
        """(1, N) samples or (1, T, 160) log-mel pairs → (1, C)."""
        encoder = self.model.encoder
        features = encoder.features(given[0])[None] if self.waves else given
        length = torch.full((1,), features.shape[1])
        return self.model.head(encoder(features, length).mean(dim=1))


def by_audonnx(model: SegmentEmotionModel, folder: Path) -> Classifier:
    """audonnx on the exported model, fed by audinterface with the windows of a recording, two threads.

    For Whisper the log-mel is our own function, as audonnx's `transform`.
    """
    import audinterface
    import audonnx

    one, path = OneWindow(model).eval(), folder / "model.onnx"
    example = torch.zeros(1, 2 * SAMPLE_RATE_HZ) if one.waves else model.encoder.features(torch.zeros(32_000))[None]
    torch.onnx.export(
        one, (example,), path, input_names=["x"], output_names=["y"], dynamic_axes={"x": {1: "n"}}, dynamo=False
    )

    def mel(signal: np.ndarray, _: int) -> np.ndarray:
        return model.encoder.features(torch.from_numpy(signal[0])).numpy()[None]

    transform = None if one.waves else mel
    onnx = audonnx.Model(str(path), labels=list(model.config.labels), transform=transform, num_workers=2)
    interface = audinterface.Process(process_func=lambda signal, rate: onnx(signal, rate))

    def run(windows: list[np.ndarray]) -> np.ndarray:
        logits = np.stack([interface.process_signal(w, SAMPLE_RATE_HZ).iloc[0][0] for w in windows])
        return torch.from_numpy(logits).double().softmax(-1).numpy()

    return run


def padded_frames_differ(model: SegmentEmotionModel, window: np.ndarray) -> float:
    """Whisper: the largest difference of frames between our encoder and transformers', both padded to 30 s."""
    extracted = WhisperFeatureExtractor()(window, sampling_rate=SAMPLE_RATE_HZ, return_tensors="pt")
    whole = torch.zeros(1500 * HOP_SAMPLES)
    whole[: len(window)] = torch.from_numpy(window)
    with torch.inference_mode():
        theirs = classifier_of(model).encoder(extracted.input_features).last_hidden_state
        ours = model.encoder(model.encoder.features(whole)[None], torch.tensor([1500]))
    return float((ours - theirs).abs().max())
