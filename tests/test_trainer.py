import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import WhisperFeatureExtractor

from segser_core.model import SegmentEmotionModel
from segser_core.predictor import Predictor
from tests.conftest import tiny_network
from training import batches, train, trainer
from training.objective import SYSTEMS
from training.protocols import Fold
from training.settings import Settings, settings_from
from training.trainer import COMPLETE, last_complete, train_fold

LABELS = ("neutral", "sad")


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    """A made-up corpus of 24 clips: noise for one class, a tone for the other; and a tiny Whisper."""
    tiny_network("whisper").save_pretrained(tmp_path / "encoder")
    WhisperFeatureExtractor().save_pretrained(tmp_path / "encoder")
    g = np.random.default_rng(0)
    rows, sounds = [], {}
    for i in range(24):
        n = int(g.uniform(0.5, 1.2) * 16_000)
        tone = np.sin(np.arange(n) * 0.2) if i % 2 else g.normal(0, 1, n)
        sounds[f"{i}.wav"] = (0.1 * tone).astype(np.float32)
        split = "train" if i < 16 else "dev" if i < 20 else "test"
        rows.append({"utterance_id": str(i), "path": f"{i}.wav", "label": LABELS[i % 2], "speaker": f"{split}{i % 2}",
                     "split": split, "duration_s": n / 16_000})  # fmt: skip
    monkeypatch.setattr(batches, "load_audio", lambda path: sounds[path.name])
    encode = Predictor.encode
    monkeypatch.setattr(Predictor, "encode", lambda self, source, **how: encode(self, sounds[source.name], **how))
    return Fold(0, LABELS, pd.DataFrame(rows)), tmp_path


def settings(tmp_path, **changes) -> Settings:
    return settings_from({
        "encoder": str(tmp_path / "encoder"), "segment_frames": 16, "stride_frames": 8, "epochs": 2, "batch_size": 4,
        "learning_rate": 1e-3, "head_learning_rate": 1e-2, "system": "seg+tri-w", **changes,
    })  # fmt: skip


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_system_trains_saves_and_predicts_with_equal_logits(system, corpus):
    fold, tmp_path = corpus
    model = train_fold(fold, tmp_path, settings(tmp_path, system=system, epochs=1), 0, tmp_path / "steps", resume=False)
    train.save_checkpoint(model, tmp_path / "checkpoint")
    served = Predictor.from_pretrained(tmp_path / "checkpoint").model
    features = torch.randn(2, 40, 160, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = model.float().eval()(features, torch.tensor([40, 30]))
        for name, got in served(features, torch.tensor([40, 30])).items():
            torch.testing.assert_close(got, expected[name])
    assert served.config.system == system and served.config.labels == list(LABELS)
    assert {f.name for f in (tmp_path / "checkpoint").iterdir()} == {
        "config.json", "model.safetensors", "preprocessor_config.json"}  # fmt: skip


def test_training_learns_to_tell_a_tone_from_noise(corpus):
    fold, tmp_path = corpus
    train_fold(fold, tmp_path, settings(tmp_path, epochs=4), 0, tmp_path / "steps", resume=False)
    logged = json.loads((max(tmp_path.glob("steps/checkpoint-*")) / "trainer_state.json").read_text())["log_history"]
    assert max(entry.get("eval_uar", 0) for entry in logged) == 1.0
    first = next(entry for entry in logged if "nll" in entry)
    assert {"triplet", "distance_positive", "distance_negative", "triplets_active"} <= set(first)


def weights(model: SegmentEmotionModel):
    return {name: p.clone() for name, p in model.float().state_dict().items()}


class Stopped(Exception):
    pass


@pytest.mark.parametrize("moment", ["between", "while saving"])
def test_a_stopped_training_goes_on_to_the_same_weights(moment, corpus, monkeypatch):
    fold, tmp_path = corpus
    how = settings(tmp_path, epochs=3)
    expected = weights(train_fold(fold, tmp_path, how, 0, tmp_path / "undisturbed", resume=False))

    folder = tmp_path / "stopped"
    mark = trainer.MarkComplete.on_save

    def stop(self, args, state, control, **kwargs):
        if state.epoch < 2:
            return mark(self, args, state, control, **kwargs)
        if moment == "between":
            mark(self, args, state, control, **kwargs)
        else:  # the newest checkpoint is only half on disk
            (folder / f"checkpoint-{state.global_step}" / "optimizer.pt").write_bytes(b"half")
        raise Stopped

    monkeypatch.setattr(trainer.MarkComplete, "on_save", stop)
    with pytest.raises(Stopped):
        train_fold(fold, tmp_path, how, 0, folder, resume=False)
    monkeypatch.setattr(trainer.MarkComplete, "on_save", mark)
    resumed = weights(train_fold(fold, tmp_path, how, 0, folder, resume=True))
    assert all(torch.equal(resumed[name], expected[name]) for name in expected)


def test_only_complete_checkpoints_are_resumed(tmp_path):
    assert last_complete(tmp_path) is None
    for step in (5, 10, 15):
        (tmp_path / f"checkpoint-{step}").mkdir()
    for step in (5, 10):
        (tmp_path / f"checkpoint-{step}" / COMPLETE).touch()
    assert last_complete(tmp_path).name == "checkpoint-10"
    assert not (tmp_path / "checkpoint-15").exists()
    shutil.rmtree(tmp_path / "checkpoint-10")
    assert last_complete(tmp_path).name == "checkpoint-5"


def test_all_layers_are_tuned_and_frozen_ones_are_not(corpus):
    fold, tmp_path = corpus
    start = SegmentEmotionModel.from_encoder(str(tmp_path / "encoder"), labels=list(LABELS)).state_dict()
    for frozen_layers in (None, 2):
        how = settings(tmp_path, epochs=1, frozen_layers=frozen_layers)
        tuned = train_fold(fold, tmp_path, how, 0, tmp_path / f"steps-{frozen_layers}", resume=False).state_dict()
        moved = {name for name in start if name.startswith("encoder") and not torch.equal(start[name], tuned[name])}
        assert ("encoder.conv1.weight" in moved) == (frozen_layers is None)
        assert ("encoder.layers.0.fc1.weight" in moved) == (frozen_layers is None)
        assert "encoder.layers.2.fc1.weight" in moved


def test_learning_rates_fall_with_depth(corpus):
    fold, tmp_path = corpus
    seen = []
    original = trainer.SegmentTrainer.create_optimizer

    def spy(self, model=None):
        optimizer = original(self, model)
        seen.append([g["lr"] for g in optimizer.param_groups])
        return optimizer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer.SegmentTrainer, "create_optimizer", spy)
        train_fold(fold, tmp_path, settings(tmp_path, epochs=1, layer_decay=0.5), 0, tmp_path / "steps", resume=False)
    assert seen[0] == pytest.approx([1.25e-4, 2.5e-4, 5e-4, 1e-3, 1e-2])  # stem, three layers, head
