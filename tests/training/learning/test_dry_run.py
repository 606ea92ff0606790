"""The dry run: parameters against the paper's and the real models', memory against what a step keeps, no weights."""

import pytest
import torch
from transformers import Wav2Vec2FeatureExtractor

from segser_core.errors import ModelError
from segser_core.network.config import SegmentEmotionConfig
from segser_core.network.model import SegmentEmotionModel
from segser_core.network.pretrained import load_encoder_config
from tests.support.networks import tiny_network
from tests.support.paths import CONFIGS
from tests.support.training import quick_settings
from training.config.settings import Augmentation, read_settings
from training.features.batches import ClipDataset, ClipDraw
from training.features.store import FeatureStore
from training.learning.dry_run import (
    BYTES_A_FEATURE,
    BYTES_A_PAIR,
    describe_plan,
    feature_size,
    outline_model,
    stored_bytes,
)
from training.learning.trainer import build_model

LABELS = ("neutral", "happy", "sad", "angry")


def millions(model: SegmentEmotionModel) -> float:
    """Tuned parameters."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad) / 1e6


def test_the_paper_s_numbers_of_tuned_parameters():
    base = outline_model(read_settings(CONFIGS / "iemocap.yaml"), LABELS)
    assert round(millions(base), 1) == 90.2
    assert next(base.parameters()).is_meta
    whole = outline_model(read_settings(CONFIGS / "fesc.yaml", {"layer": "null"}), LABELS)
    assert round(millions(whole)) == 311
    cut = outline_model(read_settings(CONFIGS / "fesc.yaml"), LABELS)
    assert len(cut.encoder.transformer_layers()) == 23
    assert round(millions(cut), 1) == 298.6


@pytest.mark.parametrize("kind", ["wav2vec2", "wav2vec2-stable", "hubert", "wavlm", "whisper"])
def test_the_outline_has_the_shapes_of_the_model(corpus, kind):
    fold, folder = corpus
    tiny_network(kind).save_pretrained(folder / "encoder")
    asked = quick_settings(folder, layer=2, frozen_layers=1)
    shapes = {name: p.shape for name, p in build_model(asked, fold).named_parameters()}
    assert {name: p.shape for name, p in outline_model(asked, fold.labels).named_parameters()} == shapes


def test_no_weights_are_needed(corpus):
    fold, folder = corpus
    (folder / "encoder" / "model.safetensors").unlink()
    printed = describe_plan([fold], quick_settings(folder), 3)
    assert "   0     16     4     4          8          8  dev0 dev1 | test0 test1" in printed
    assert "3 training(s) of 2 epochs" in printed
    assert "M parameters" in printed
    assert "GB kept features" in printed
    with pytest.raises(ModelError, match="cannot be loaded"):
        describe_plan([fold], quick_settings(folder, encoder=str(folder / "absent")), 1)
    assert load_encoder_config(str(folder / "encoder")).encoder_layerdrop == 0


@pytest.mark.parametrize("frozen", [None, 1])
@pytest.mark.parametrize("kind", ["wav2vec2", "whisper"])
def test_kept_features_are_as_large_as_foretold(corpus, kind, frozen):
    """To within the frames that a recording's end makes or not."""
    fold, folder = corpus
    tiny_network(kind).save_pretrained(folder / "encoder")
    if kind == "wav2vec2":
        Wav2Vec2FeatureExtractor().save_pretrained(folder / "encoder")
    how = Augmentation(variants=2)
    asked = quick_settings(folder, frozen_layers=frozen, augmentation={"variants": 2})
    model, store = build_model(asked, fold), FeatureStore(folder)
    for split, draws in (("train", (0, 1)), ("dev", (None,))):
        clips = ClipDataset(fold.split(split), store, fold.labels, model.encoder, how, seed=0)
        for clip in range(len(clips)):
            for variant in draws:
                clips[ClipDraw(clip, variant, 0.5)]
    got = sum(t.numel() * t.element_size() for t in store.memory.values())
    assert stored_bytes(fold, asked, feature_size(model.encoder)) == pytest.approx(got, rel=0.05)


def test_what_a_step_keeps_for_its_gradients():
    """Counted on a wave encoder that is wide and deep enough for the layers to outweigh the rest."""
    frames, batch, layers, width, heads = 200, 2, 3, 192, 4
    kept: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    network = {"hidden_size": width, "num_hidden_layers": layers, "num_attention_heads": heads}
    encoder = {"model_type": "wav2vec2", "intermediate_size": 4 * width, "num_conv_pos_embedding_groups": 4} | network
    model = SegmentEmotionModel(SegmentEmotionConfig(encoder=encoder, labels=list(LABELS))).train()
    weights = {p.untyped_storage().data_ptr() for p in model.parameters()}
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        out = model.encoder(torch.zeros(batch, frames, 512), torch.full((batch,), frames))
    got = sum(size for pointer, size in kept.items() if pointer not in weights)
    foretold = layers * batch * (BYTES_A_FEATURE * frames * width + BYTES_A_PAIR * heads * frames**2)
    assert out.requires_grad
    assert foretold == pytest.approx(got, rel=0.2)
