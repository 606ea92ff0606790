import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from segser_core.errors import ModelError
from segser_core.network.model import SegmentEmotionModel
from segser_core.network.pretrained import wrap_encoder
from tests.support.networks import MODEL_LABELS, batch_of, tiny_model, tiny_network


@pytest.mark.parametrize("kind", ["whisper", "wav2vec2", "wavlm-stable"])
def test_a_saved_model_gives_equal_logits(kind, tmp_path):
    model = tiny_model(kind, layer=2, frozen_layers=1, normalize=True, tail="drop", longest_training_clip_s=4.5)
    model.save_pretrained(tmp_path)
    loaded = SegmentEmotionModel.from_folder(tmp_path)
    features, lengths = batch_of(model)
    with torch.no_grad():
        for name, expected in model(features, lengths).items():
            torch.testing.assert_close(loaded(features, lengths)[name], expected, rtol=0, atol=1e-6)
    assert loaded.config.labels == MODEL_LABELS
    assert loaded.config.windows.tail == "drop"
    assert loaded.config.longest_training_clip_s == 4.5
    assert loaded.config.frozen_layers == 1


def test_half_precision_weights_are_loaded_as_float32(tmp_path):
    tiny_model().half().save_pretrained(tmp_path)
    assert {p.dtype for p in SegmentEmotionModel.from_folder(tmp_path).parameters()} == {torch.float32}


def test_segments_and_utterance_share_one_head():
    model = tiny_model()
    features, lengths = batch_of(model)
    with torch.no_grad():
        out = model(features, lengths)
        torch.testing.assert_close(out.segment_logits, model.head(out.segment_vectors))
        torch.testing.assert_close(out.utterance_logits, model.head(out.utterance_vectors))
    torch.testing.assert_close(out.segment_logits[1, 0], out.utterance_logits[1])  # 10 frames: one segment, the whole


def test_company_in_a_batch_changes_nothing():
    model = tiny_model("wav2vec2")
    features, lengths = batch_of(model)
    with torch.no_grad():
        together = model(features, lengths).utterance_logits.softmax(-1)
        for i, n in enumerate(lengths):
            alone = model(features[i : i + 1, :n], n[None]).utterance_logits.softmax(-1)
            assert (together[i] - alone[0]).abs().max() < 1e-5


def test_a_missing_head_is_an_error_and_never_a_random_head(tmp_path):
    tiny_model().save_pretrained(tmp_path)
    weights = {k: v for k, v in load_file(tmp_path / "model.safetensors").items() if not k.startswith("head")}
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"head\.\w+ is missing"):
        SegmentEmotionModel.from_folder(tmp_path)


def test_weights_of_another_shape_are_refused(tmp_path):
    tiny_model().save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config["id2label"]["3"] = "angry"
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError):
        SegmentEmotionModel.from_folder(tmp_path)


def test_weights_that_are_not_finite_are_refused(tmp_path):
    model = tiny_model()
    with torch.no_grad():
        model.head.weight[0, 0] = torch.nan
    model.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="not finite"):
        SegmentEmotionModel.from_folder(tmp_path)


def test_a_pickled_checkpoint_is_never_opened(tmp_path):
    model = tiny_model()
    model.config.save_pretrained(tmp_path)
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelError, match="cannot be loaded"):
        SegmentEmotionModel.from_folder(tmp_path)


@pytest.mark.parametrize(
    "damage", ["", "{", '{"model_type": "bert"}', '{"model_type": "segser", "encoder": {"model_type": "gpt2"}}']
)
def test_a_foreign_config_is_refused(damage, tmp_path):
    tiny_model().save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text(damage)
    with pytest.raises(ModelError):
        SegmentEmotionModel.from_folder(tmp_path)


def test_a_model_is_made_around_a_pretrained_encoder(tmp_path):
    from transformers import WhisperFeatureExtractor

    tiny_network("whisper").save_pretrained(tmp_path / "tiny")
    WhisperFeatureExtractor().save_pretrained(tmp_path / "tiny")
    model = SegmentEmotionModel.from_encoder(str(tmp_path / "tiny"), labels=MODEL_LABELS, layer=2).eval()
    assert model.config.encoder["name"] == "tiny"
    assert len(model.config.encoder["sha256"]) == 64
    assert len(model.encoder.layers) == 2
    waveform = torch.randn(8000, generator=torch.Generator().manual_seed(0))
    features = wrap_encoder(tiny_network("whisper"), 2).features(waveform)[None]
    lengths = torch.tensor([25])
    with torch.no_grad():
        expected = wrap_encoder(tiny_network("whisper"), 2)(features, lengths)
        torch.testing.assert_close(model.encoder(features, lengths), expected)


@pytest.mark.parametrize("kind", ["whisper", "wav2vec2"])
def test_layer_groups_hold_each_tuned_parameter_once(kind):
    model = tiny_model(kind)
    grouped = [id(p) for group in model.layer_groups() for p in group]
    assert sorted(grouped) == sorted(id(p) for p in model.parameters() if p.requires_grad)
    assert len(model.layer_groups()) == 1 + 3 + 1


@pytest.mark.parametrize("kind", ["whisper", "wav2vec2-stable"])
def test_the_norm_above_all_layers_learns_as_the_top_layer_does(kind):
    model = tiny_model(kind)
    norm = model.encoder.norm if kind == "whisper" else model.encoder.transformer.layer_norm
    top = {id(p) for p in model.layer_groups()[-2]}
    assert {id(p) for p in norm.parameters()} <= top


def test_the_norm_below_all_layers_belongs_to_the_stem():
    model = tiny_model("wav2vec2")
    assert id(model.encoder.transformer.layer_norm.weight) in {id(p) for p in model.layer_groups()[0]}
