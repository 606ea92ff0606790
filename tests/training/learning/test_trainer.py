import json
import shutil
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file

from segser_core.errors import SettingError
from segser_core.inference.predictor import Predictor
from segser_core.network.model import SegmentEmotionModel
from segser_core.systems import SYSTEMS
from tests.support.networks import batch_of, tiny_network
from tests.support.training import CORPUS_LABELS, quick_settings
from training.features.batches import collate
from training.features.store import FeatureStore
from training.learning import trainer
from training.learning.trainer import COMPLETE, last_complete_checkpoint, train_fold
from training.runs import job


@pytest.mark.parametrize(
    ("system", "kind"), [*((s, "whisper") for s in SYSTEMS), ("layer-average", "wav2vec2"), ("p-tapt", "wav2vec2")]
)
def test_a_system_trains_saves_and_predicts_with_equal_logits(system, kind, corpus):
    fold, tmp_path = corpus
    tiny_network(kind).save_pretrained(tmp_path / "encoder")
    model = train_fold(
        fold, FeatureStore(tmp_path), quick_settings(tmp_path, system=system, epochs=1), 0, tmp_path / "steps"
    )
    job.save_checkpoint(model, tmp_path / "checkpoint")
    served = Predictor.from_pretrained(tmp_path / "checkpoint").model
    features, lengths = batch_of(model.float().eval(), (0.8, 0.6))
    with torch.no_grad():
        expected = model(features, lengths)
        for name, got in served(*batch_of(served, (0.8, 0.6))).items():
            torch.testing.assert_close(got, expected[name])
    assert served.config.system == system
    assert served.config.labels == list(CORPUS_LABELS)
    assert {f.name for f in (tmp_path / "checkpoint").iterdir()} == {
        "config.json", "model.safetensors", "preprocessor_config.json"}  # fmt: skip


def test_training_learns_to_tell_a_tone_from_noise(corpus):
    fold, tmp_path = corpus
    train_fold(
        fold, FeatureStore(tmp_path), quick_settings(tmp_path, epochs=4), 0, tmp_path / "steps", tmp_path / "logs"
    )
    logged = json.loads((max(tmp_path.glob("steps/checkpoint-*")) / "trainer_state.json").read_text())["log_history"]
    assert max(entry.get("eval_uar", 0) for entry in logged) == 1.0
    assert list((tmp_path / "logs").glob("events.out.tfevents.*"))
    first = next(entry for entry in logged if "nll" in entry)
    assert {"triplet", "distance_positive", "distance_negative", "triplets_active"} <= set(first)


def weights(model: SegmentEmotionModel):
    return {name: p.clone() for name, p in model.float().state_dict().items()}


class Stopped(Exception):
    pass


@pytest.mark.parametrize("moment", ["between", "while saving"])
def test_a_stopped_training_goes_on_to_the_same_weights(moment, corpus, monkeypatch):
    fold, tmp_path = corpus
    how = quick_settings(tmp_path, epochs=3, consistency=1.0, augmentation={"mask_bands": 0.2, "mask_time": 0.1})
    expected = weights(train_fold(fold, FeatureStore(tmp_path), how, 0, tmp_path / "undisturbed"))

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
        train_fold(fold, FeatureStore(tmp_path), how, 0, folder)
    monkeypatch.setattr(trainer.MarkComplete, "on_save", mark)
    resumed = weights(train_fold(fold, FeatureStore(tmp_path), how, 0, folder))
    assert all(torch.equal(resumed[name], expected[name]) for name in expected)


def test_only_complete_checkpoints_are_resumed(tmp_path):
    assert last_complete_checkpoint(tmp_path) is None
    for step in (5, 10, 15):
        (tmp_path / f"checkpoint-{step}").mkdir()
    for step in (5, 10):
        (tmp_path / f"checkpoint-{step}" / COMPLETE).touch()
    assert last_complete_checkpoint(tmp_path).name == "checkpoint-10"
    assert not (tmp_path / "checkpoint-15").exists()
    shutil.rmtree(tmp_path / "checkpoint-10")
    assert last_complete_checkpoint(tmp_path).name == "checkpoint-5"


def test_the_time_before_a_stop_is_counted(tmp_path):
    assert trainer.training_seconds(tmp_path) == 0
    (tmp_path / "checkpoint-8").mkdir()
    marking = trainer.MarkComplete(earlier_s=100.0)
    marking.on_save(SimpleNamespace(output_dir=tmp_path), SimpleNamespace(global_step=8), None)
    assert 100 <= trainer.training_seconds(tmp_path) < 110


def test_all_layers_are_tuned_and_frozen_ones_are_not(corpus):
    fold, tmp_path = corpus
    start = SegmentEmotionModel.from_encoder(str(tmp_path / "encoder"), labels=list(CORPUS_LABELS)).state_dict()
    for frozen_layers in (None, 2):
        how = quick_settings(tmp_path, epochs=1, frozen_layers=frozen_layers)
        tuned = train_fold(fold, FeatureStore(tmp_path), how, 0, tmp_path / f"steps-{frozen_layers}").state_dict()
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
        train_fold(
            fold, FeatureStore(tmp_path), quick_settings(tmp_path, epochs=1, layer_decay=0.5), 0, tmp_path / "steps"
        )
    assert seen[0] == pytest.approx([1.25e-4, 2.5e-4, 5e-4, 1e-3, 1e-2])  # stem, three layers, head


def test_the_opposite_place_is_half_a_table_away():
    moved = trainer.opposite_offsets(torch.tensor([0, 700, 1400]), torch.tensor([100, 100, 100]), 1500)
    assert moved.tolist() == [700, 1400, 699]  # of 1401 places


def test_consistency_brings_two_places_together(corpus):
    """The divergence between two places of the table falls, and less is left of it than without."""
    fold, folder = corpus
    left = {}
    for weight in (1e-9, 5.0):
        how = quick_settings(folder, epochs=4, consistency=weight, system="baseline")
        train_fold(fold, FeatureStore(folder), how, 0, folder / f"steps-{weight}")
        newest = max((folder / f"steps-{weight}").glob("checkpoint-*"), key=lambda p: int(p.name.rpartition("-")[2]))
        history = json.loads((newest / "trainer_state.json").read_text())["log_history"]
        left[weight] = [entry["divergence"] for entry in history if "divergence" in entry]
    assert left[5.0][-1] < left[1e-9][-1]


def test_masks_need_an_encoder_that_takes_the_log_mel(corpus):
    fold, folder = corpus
    how = quick_settings(folder, frozen_layers=1, augmentation={"mask_time": 0.1})
    with pytest.raises(SettingError, match=r"mask_time.*frozen"):
        trainer.build_model(how, fold)


def epochs_of(steps) -> float:
    newest = max(steps.glob("checkpoint-*"), key=lambda p: int(p.name.rpartition("-")[2]))
    return json.loads((newest / "trainer_state.json").read_text())["epoch"]


def test_training_ends_once_epochs_are_no_better_and_after_a_stop_too(corpus, monkeypatch):
    """At a learning rate of nothing the first epoch stays the best, so patience ends the third."""
    fold, folder = corpus
    how = quick_settings(folder, epochs=6, patience=2, learning_rate=1e-30, head_learning_rate=1e-30, system="baseline")
    train_fold(fold, FeatureStore(folder), how, 0, folder / "undisturbed")
    assert epochs_of(folder / "undisturbed") == 3
    mark = trainer.MarkComplete.on_save

    def stop(self, args, state, control, **kwargs):
        mark(self, args, state, control, **kwargs)
        if state.epoch == 2:
            raise Stopped

    monkeypatch.setattr(trainer.MarkComplete, "on_save", stop)
    with pytest.raises(Stopped):
        train_fold(fold, FeatureStore(folder), how, 0, folder / "stopped")
    monkeypatch.setattr(trainer.MarkComplete, "on_save", mark)
    train_fold(fold, FeatureStore(folder), how, 0, folder / "stopped")
    assert epochs_of(folder / "stopped") == 3


def test_the_epoch_of_the_lowest_loss_is_kept(corpus):
    fold, folder = corpus
    how = quick_settings(
        folder, epochs=4, best_by="loss", system="baseline", head_learning_rate=1.0, schedule="constant"
    )
    kept = weights(train_fold(fold, FeatureStore(folder), how, 0, folder / "steps"))
    newest = max((folder / "steps").glob("checkpoint-*"), key=lambda p: int(p.name.rpartition("-")[2]))
    history = json.loads((newest / "trainer_state.json").read_text())
    losses = {entry["step"]: entry["eval_loss"] for entry in history["log_history"] if "eval_loss" in entry}
    best = min(losses, key=losses.__getitem__)
    there = load_file(folder / "steps" / f"checkpoint-{best}" / "model.safetensors")
    assert len(losses) == 4
    assert all(torch.equal(kept[name], there[name]) for name in kept)


def test_components_of_the_gradient_are_bounded(corpus, monkeypatch):
    fold, folder = corpus
    seen = []
    clip = trainer.ClipGradientValues.on_pre_optimizer_step

    def spy(self, *args, model=None, **kwargs):
        before = max(p.grad.abs().max().item() for p in model.parameters() if p.grad is not None)
        clip(self, *args, model=model, **kwargs)
        after = max(p.grad.abs().max().item() for p in model.parameters() if p.grad is not None)
        seen.append((before, after))

    monkeypatch.setattr(trainer.ClipGradientValues, "on_pre_optimizer_step", spy)
    how = quick_settings(folder, epochs=1, gradient_value_clip=1e-3)
    train_fold(fold, FeatureStore(folder), how, 0, folder / "steps")
    assert len(seen) == 4
    assert all(before > 1e-3 and after == pytest.approx(1e-3) for before, after in seen)


def test_every_clip_is_drawn_once_an_epoch_where_classes_are_not_balanced(corpus, monkeypatch):
    fold, folder = corpus
    drawn = []
    monkeypatch.setattr(trainer, "collate", lambda items: collate([drawn.append(item.label) or item for item in items]))
    uneven = fold.manifest.assign(
        label=lambda m: m["label"].where((m.index % 8 != 1) | (m["split"] != "train"), "neutral")
    )
    how = quick_settings(folder, epochs=1, balanced=False, system="baseline")
    train_fold(type(fold)(0, fold.labels, uneven), FeatureStore(folder), how, 0, folder / "steps")
    counts = uneven[uneven["split"] == "train"]["label"].value_counts()
    assert [drawn[:16].count(c) for c in (0, 1)] == [counts["neutral"], counts["sad"]]


def test_workers_that_prepare_batches_change_nothing(corpus):
    """`layer-average` drops activations at random in each step."""
    fold, folder = corpus
    shown = []
    for workers in (0, 1):
        settings = quick_settings(folder, system="layer-average", epochs=3, data_workers=workers)
        train_fold(fold, FeatureStore(folder), settings, 0, folder / f"steps-{workers}")
        history = json.loads((folder / f"steps-{workers}" / trainer.HISTORY).read_text())
        shown.append([(row["loss"], row["development_loss"]) for row in history["epochs"]])
    assert shown[0] == shown[1]
    assert len(shown[0]) == 3
