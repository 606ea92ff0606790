import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from segser_core.errors import SettingError
from segser_core.network.encoders import FrameEncoder, length_mask
from segser_core.network.model import SegmentEmotionModel
from tests.support.networks import tiny_network
from tests.support.training import quick_settings
from training.config.settings import SpecAugment
from training.features.batches import ClipDataset, TrainingItem
from training.features.store import FeatureStore
from training.learning import ptapt, ptapt_heads
from training.learning.objective import DivergedError
from training.learning.ptapt import StageFolder, StageTask, adapt_encoder
from training.learning.ptapt_heads import ClusterHeads, cluster_loss, label_loss, reverse_time
from training.learning.trainer import build_model, train_fold, training_seconds


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_tutors_loss_by_hand():
    """Even logits: ln 2 for utterances, whatever their weights, and ln 2 for frames, padding left out."""
    frames = torch.zeros(2, 3, 2)
    frames[1, 1:] = torch.tensor([0.0, 50.0])  # beyond a recording of one frame
    loss = label_loss(torch.zeros(2, 2), frames, torch.tensor([0, 0]), torch.tensor([3, 1]), torch.tensor([3.0, 1.0]))
    assert loss == pytest.approx(2 * math.log(2))


def test_the_tutors_loss_is_what_a_loop_adds_up():
    utterance, frames, labels, lengths = draw(3, 2), draw(3, 4, 2), torch.tensor([0, 1, 0]), torch.tensor([4, 2, 1])
    weights = torch.tensor([0.75, 1.5])
    of_clips = sum(weights[c] * cross_entropy(u, c) for u, c in zip(utterance, labels, strict=True))
    of_frames = [cross_entropy(f, c) for clip, c, n in zip(frames, labels, lengths, strict=True) for f in clip[:n]]
    expected = of_clips / weights[labels].sum() + sum(of_frames) / 7
    torch.testing.assert_close(label_loss(utterance, frames, labels, lengths, weights), expected)


def test_the_loss_of_clusters_by_hand_and_by_a_loop():
    even = [torch.zeros(5, 2), torch.zeros(5, 8)]
    assert cluster_loss(even, torch.zeros(5, 2, dtype=torch.long)) == pytest.approx(math.log(2) + math.log(8))
    logits, ids = [draw(6, 3), draw(6, 5, seed=1)], torch.tensor([[0, 4], [1, 3], [2, 2], [0, 1], [1, 0], [2, 4]])
    each = [cross_entropy(of[i], ids[i, head]) for head, of in enumerate(logits) for i in range(6)]
    torch.testing.assert_close(cluster_loss(logits, ids), sum(each) / 6)


def test_no_hidden_frame_costs_nothing_and_has_a_finite_gradient():
    model = ClusterHeads(Echo(), [2, 3])
    ids, hidden = torch.zeros(2, 4, 2, dtype=torch.long), torch.zeros(2, 4, dtype=torch.bool)
    loss = model(draw(2, 4, 3), torch.tensor([4, 2]), torch.zeros(2), ids, hidden)
    loss.backward()
    assert loss == 0
    assert all(p.grad.isfinite().all() for p in model.parameters())


class Echo(FrameEncoder):
    """An encoder that gives its features back, times one number."""

    def __init__(self, size=3):
        super().__init__()
        self.hidden_size, self.scale = size, torch.nn.Parameter(torch.ones(()))

    def forward(self, features, lengths, offsets=None):
        return features * self.scale


def test_hidden_frames_are_the_ones_that_are_predicted():
    """The encoder sees means in their place, and the loss is of them alone."""
    model = ClusterHeads(Echo(1), [2])
    seen = []
    model.heads[0].register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    hidden = torch.tensor([[False, True, False, False]])
    model(torch.tensor([[[1.0], [5.0], [3.0], [99.0]]]), torch.tensor([3]), None, torch.zeros(1, 4, 1).long(), hidden)
    assert seen[0].tolist() == [[3.0]]


def test_recordings_backwards():
    frames = torch.tensor([[1, 2, 3], [4, 5, 0]])[..., None]
    assert reverse_time(frames, torch.tensor([3, 2]))[..., 0].tolist() == [[3, 2, 1], [5, 4, 4]]


def test_the_tutor_hears_no_padding():
    torch.manual_seed(0)
    tutor = ptapt_heads.LabelHeads(Echo(), torch.ones(2))
    features, labels = draw(1, 5, 3), torch.tensor([1])
    alone = tutor(features, torch.tensor([5]), None, labels)
    padded = torch.nn.functional.pad(features, (0, 0, 0, 4), value=7.0)
    torch.testing.assert_close(tutor(padded, torch.tensor([5]), None, labels), alone)


class Blobs:
    """Clips whose frames lie around three places, which of them by the frame's number."""

    def __init__(self, encoder, lengths):
        g = np.random.default_rng(0)
        self.encoder, self.where = encoder, [g.integers(0, 3, n) for n in lengths]
        places = np.array([[0, 0, 9], [0, 9, 0], [9, 0, 0]])
        self.features = [torch.from_numpy(places[w] + g.normal(0, 0.1, (len(w), 3))).float() for w in self.where]

    def __len__(self):
        return len(self.where)

    def __getitem__(self, draw):
        assert draw.variant == 0, "of the variant that stage 3 learns from"
        return TrainingItem(self.features[draw.clip], 0, 0, draw.clip)


def task_of(tmp_path, lengths=(40, 7, 23, 31, 12), **tapt):
    clips = Blobs(Echo(), lengths)
    how = quick_settings(tmp_path, system="p-tapt", batch_size=2, tapt=tapt)
    return StageTask(clips, np.array(lengths) * 0.02, how, StageFolder(0, tmp_path, None))


def test_clusters_are_those_of_the_frames_in_the_order_of_the_clips(tmp_path):
    task = task_of(tmp_path, clusters=[3, 6])
    made, about = ptapt.cluster_frames(task.clips.encoder, task)
    assert made["lengths"].tolist() == [40, 7, 23, 31, 12]
    assert made["ids"].shape == (113, 2)
    where = np.concatenate(task.clips.where)
    pairs = set(zip(where.tolist(), made["ids"][:, 0].tolist(), strict=True))
    assert len(pairs) == 3
    assert len({cluster for _, cluster in pairs}) == 3
    assert made["ids"][:, 1].max() <= 5
    assert about["clusters"] == [3, 6]
    assert about["frames"] == 113
    assert about["distance"][0] < 0.01


def test_more_clusters_than_frames_are_refused(tmp_path):
    task = task_of(tmp_path, lengths=(3, 4), clusters=[2, 8])
    with pytest.raises(SettingError, match="8 clusters of 7 frames"):
        ptapt.cluster_frames(task.clips.encoder, task)


def test_frames_are_those_of_each_clip_alone(tmp_path):
    task = task_of(tmp_path)
    for got, expected in zip(ptapt.encode_frames(task.clips.encoder, task), task.clips.features, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-3)


def test_frames_that_are_all_alike_have_clusters_and_no_distance(tmp_path):
    task = task_of(tmp_path, clusters=[2])
    task.clips.features = [torch.ones_like(features) for features in task.clips.features]
    assert ptapt.cluster_frames(task.clips.encoder, task)[1]["distance"] == [0.0]


@pytest.fixture(params=["whisper", "wav2vec2"])
def start(request, corpus):
    """What `adapt_encoder` takes of a made-up corpus, under a tiny encoder of either kind."""
    fold, folder = corpus
    tiny_network(request.param).save_pretrained(folder / "encoder")
    how = quick_settings(folder, system="p-tapt", spec_augment={})

    def fresh():
        torch.manual_seed(0)
        encoder = build_model(how, fold).encoder
        train = fold.split("train")
        return encoder, ClipDataset(train, FeatureStore(folder), fold.labels, encoder, how.augmentation, 0), train

    def adapted(steps):
        encoder, clips, train = fresh()
        told = adapt_encoder(
            encoder, clips, train["duration_s"].to_numpy(), how, StageFolder(0, steps, folder / "logs")
        )
        return encoder.state_dict(), told

    return fresh, adapted, folder


def test_stages_tune_the_transformer_and_no_stem(start):
    fresh, adapted, folder = start
    before, (after, told) = fresh()[0].state_dict(), adapted(folder / "steps")
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved
    assert not any(name.startswith(("conv", "projection")) for name in moved)
    assert any("layers.0." in name for name in moved)
    assert any("layers.2." in name for name in moved)
    assert "in place of wav2vec v1" in told["stage_1"]
    assert "convolutions" in told["frozen"]
    assert told["tuned"]["steps"] == told["adapted"]["steps"] == 3
    assert told["clusters"]["clusters"] == [2, 5]
    assert all(math.isfinite(loss) for stage in ("tuned", "adapted") for loss in told[stage]["loss"])
    assert list((folder / "logs").glob("events.out.tfevents.*"))


@pytest.mark.parametrize("stage", ptapt.NAMES)
def test_a_stopped_stage_is_made_anew_and_those_before_it_are_not(stage, start, monkeypatch):
    _, adapted, folder = start
    expected, _ = adapted(folder / "undisturbed")
    made, write = [], ptapt.write_whole

    def stop(file, content):
        made.append(file.stem)
        if file.stem == stage:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.with_name(".new-0").write_bytes(content[:9])
            raise KeyboardInterrupt
        write(file, content)

    monkeypatch.setattr(ptapt, "write_whole", stop)
    with pytest.raises(KeyboardInterrupt):
        adapted(folder / "stopped")
    before = list(made)
    monkeypatch.setattr(ptapt, "write_whole", lambda file, content: (made.append(file.stem), write(file, content)))
    resumed, _ = adapted(folder / "stopped")
    assert made == [*before, *ptapt.NAMES[ptapt.NAMES.index(stage) :]]
    assert all(torch.equal(resumed[name], expected[name]) for name in expected)


@pytest.mark.parametrize(
    ("tapt", "error", "message"),
    [
        ({"clusters": [9999]}, SettingError, "9999 clusters of 6.. frames"),
        ({"learning_rate": 1e30}, DivergedError, "finite loss"),
    ],
)
def test_what_cannot_be_is_refused(tapt, error, message, start):
    fresh, _, folder = start
    encoder, clips, train = fresh()
    how = quick_settings(
        folder, system="p-tapt", tapt={"clusters": [2], "tuning_steps": 3, "pretraining_steps": 3} | tapt
    )
    with pytest.raises(error, match=message):
        adapt_encoder(encoder, clips, train["duration_s"].to_numpy(), how, StageFolder(0, folder / "steps", None))


def test_the_time_of_stages_is_counted_until_there_is_a_checkpoint(start, monkeypatch):
    _, adapted, folder = start
    monkeypatch.setattr(ptapt, "time", SimpleNamespace(monotonic=iter(range(0, 1000, 10)).__next__))
    adapted(folder / "steps")
    assert training_seconds(folder / "steps") == 30


def test_nothing_but_the_training_part_matters_before_the_epoch_is_chosen(corpus):
    """Other development and test clips leave the stages and the steps of fine-tuning as they are."""
    fold, folder = corpus
    how = quick_settings(folder, system="p-tapt", epochs=1, class_weights=True, spec_augment={})
    model = train_fold(fold, FeatureStore(folder), how, 0, folder / "steps")
    one_path = fold.manifest.groupby("split")["path"].transform("first")
    moved = fold.manifest.assign(path=lambda m: m["path"].where(m["split"] == "train", one_path))
    other = train_fold(type(fold)(0, fold.labels, moved), FeatureStore(folder), how, 0, folder / "other")
    assert all(torch.equal(p, other.state_dict()[name]) for name, p in model.state_dict().items())
    assert model.config.stages["adapted"]["loss"] == other.config.stages["adapted"]["loss"]


def test_frames_are_rectified_and_the_record_travels_with_the_weights(corpus, tmp_path):
    fold, folder = corpus
    model = train_fold(
        fold, FeatureStore(folder), quick_settings(folder, system="p-tapt", epochs=1), 0, folder / "steps"
    )
    model.save_pretrained(tmp_path / "saved")
    served = SegmentEmotionModel.from_folder(tmp_path / "saved")
    with torch.no_grad():
        found = served(draw(2, 30, 160), torch.tensor([30, 20]))
    assert found.utterance_vectors.min() >= 0
    assert found.segment_vectors.min() >= 0
    assert served.config.stages == model.config.stages


def test_masks_of_fine_tuning_leave_evaluation_alone(corpus):
    fold, folder = corpus
    how = quick_settings(folder, system="p-tapt", epochs=1, frozen_layers=1, spec_augment={})
    assert how.spec_augment == SpecAugment()
    model = train_fold(fold, FeatureStore(folder), how, 0, folder / "steps").eval()
    assert model.config.stages["frozen"] == "both convolutions, the lowest 1 layers"
    features, lengths = draw(2, 30, 32), torch.tensor([30, 20])
    assert length_mask(lengths, 30).sum() == 50
    assert torch.equal(model(features, lengths).utterance_logits, model(features, lengths).utterance_logits)
