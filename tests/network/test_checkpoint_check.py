"""Checkpoints and encoders that are not to be trusted: each is refused by name, and nothing of them runs."""

import json
import struct
from pathlib import Path

import pytest
from transformers import WhisperFeatureExtractor

from segser_core.errors import ModelError
from segser_core.network.model import SegmentEmotionModel
from segser_core.network.pretrained import load_encoder_network
from tests.support.networks import MODEL_LABELS, tiny_model, tiny_network


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model") / "checkpoint"
    tiny_model().save_pretrained(folder)
    return folder


def changed(model, tmp_path, **changes):
    """A copy of the model whose config.json says something else; `encoder_X` changes X of the encoder."""
    config = json.loads((model / "config.json").read_text())
    for name, value in changes.items():
        inner = name.removeprefix("encoder_")
        (config if inner == name else config["encoder"])[inner] = value
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.safetensors").write_bytes((model / "model.safetensors").read_bytes())
    return tmp_path


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"auto_map": {"AutoModel": "evil.py--Model"}}, r"code of its own \(auto_map\)"),
        ({"trust_remote_code": True}, "trust_remote_code"),
        ({"quantization_config": {"quant_method": "evil"}}, "quantization_config"),
        ({"encoder_auto_map": {"AutoModel": "evil.py--Model"}}, "auto_map"),
        ({"id2label": {"0": "happy", "1": "neutral", "2": "sad"}}, "not the same"),
        ({"id2label": {"0": "neutral", "1": "happy", "3": "sad"}}, "not the same"),
        ({"id2label": {"0": "<b>", "1": "happy", "2": "sad"}}, "without markup"),
        ({"id2label": "neutral"}, "expected names by number"),
        ({"label2id": None}, "not the same"),
        ({"system": "<script>"}, "the system"),
        ({"stride_frames": 0}, "stride"),
        ({"segment_frames": "many"}, "segment_frames 'many'; expected a whole number"),
        ({"segment_frames": 80.5}, "segment_frames 80.5"),
        ({"stride_frames": None}, "stride_frames None"),
        ({"crop_frames": -5}, "crop_frames -5"),
        ({"window_frames": 0}, "window_frames 0; expected a whole number above 0"),
        ({"window_frames": 20.5}, "window_frames 20.5"),
        ({"calibration_temperature": 0}, "calibration_temperature 0; expected a number from 0.01 to 100"),
        ({"calibration_temperature": -1.0}, "calibration_temperature -1.0"),
        ({"calibration_temperature": float("nan")}, "calibration_temperature nan"),
        ({"calibration_temperature": "warm"}, "calibration_temperature 'warm'"),
        ({"calibration_temperature": None}, "calibration_temperature None"),
        ({"tail": "cut"}, "tail policy 'cut'"),
        ({"longest_training_clip_s": "long"}, "longest_training_clip_s"),
        ({"encoder_encoder_layers": 10**6}, "encoder_layers 1000000; expected 1 to 100"),
        ({"encoder_d_model": 10**9}, "cannot be loaded"),
        ({"encoder_d_model": "wide"}, "cannot be loaded"),
        ({"dtype": "nonesuch"}, "cannot be loaded"),
    ],
    ids=str,
)
def test_a_config_that_asks_for_what_must_not_be(changes, why, model, tmp_path):
    with pytest.raises(ModelError, match=why):
        SegmentEmotionModel.from_folder(changed(model, tmp_path, **changes))


@pytest.mark.parametrize("deep", [".", "seed-0/fold-1"])
def test_labels_in_another_order_than_the_run_says(deep, model, tmp_path, monkeypatch):
    folder = tmp_path / "run" / "checkpoint" / deep
    folder.mkdir(parents=True)
    changed(model, folder)
    run = {"format": 1, "system": "seg", "labels": MODEL_LABELS}
    (tmp_path / "run" / "run.json").write_text(json.dumps(run))
    assert SegmentEmotionModel.from_folder(folder).config.labels == MODEL_LABELS
    (tmp_path / "run" / "run.json").write_text(json.dumps(run | {"labels": MODEL_LABELS[::-1]}))
    monkeypatch.chdir(folder)
    for name in (folder, Path()):
        with pytest.raises(ModelError, match="which is right is unknown"):
            SegmentEmotionModel.from_folder(name)


@pytest.mark.parametrize("content", [b"", b"\x80\x04N.", b"\xff" * 8 + b"{}", struct.pack("<Q", 2) + b"[]"])
def test_weights_that_are_no_safetensors(content, model, tmp_path):
    (changed(model, tmp_path) / "model.safetensors").write_bytes(content)
    with pytest.raises(ModelError, match="cannot be loaded"):
        SegmentEmotionModel.from_folder(tmp_path)


def test_an_index_does_not_lead_out_of_the_folder(model, tmp_path):
    (changed(model, tmp_path) / "model.safetensors").unlink()
    index = {"weight_map": {"head.weight": "../../../etc/passwd"}, "metadata": {}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelError, match="cannot be loaded"):
        SegmentEmotionModel.from_folder(tmp_path)


@pytest.mark.parametrize("kind", ["whisper", "evil"])
def test_an_encoder_that_brings_its_own_code(kind, tmp_path, monkeypatch):
    """It is neither run nor asked about."""
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("a question was asked"))
    tiny_network("whisper").save_pretrained(tmp_path)
    WhisperFeatureExtractor().save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config |= {"model_type": kind, "auto_map": {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(ModelError, match=r"custom code|code of its own"):
        load_encoder_network(str(tmp_path))
    assert not (tmp_path / "ran").exists()
