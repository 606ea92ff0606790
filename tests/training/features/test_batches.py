import numpy as np
import pandas as pd
import pytest
import torch

from segser_core.network.pretrained import wrap_encoder
from tests.support.networks import tiny_network
from training.config.settings import Augmentation
from training.features import batches
from training.features.batches import BalancedBatches, ClipDataset, ClipDraw, OrderedBatches, collate
from training.features.store import FeatureStore

TARGETS = [0] * 60 + [1] * 30 + [2] * 10
DURATIONS = np.random.default_rng(0).uniform(1, 6, 100)


def drawn(epochs, seed=0, batch_size=8):
    sampler = BalancedBatches(TARGETS, DURATIONS, batch_size, variants=3, seed=seed)
    for epoch in epochs:
        sampler.set_epoch(epoch)
        yield list(sampler)


def test_each_class_is_drawn_equally_often():
    for epoch in drawn(range(3)):
        counts = np.bincount([TARGETS[d.clip] for batch in epoch for d in batch])
        assert counts.tolist() == [33, 33, 33]


def test_a_large_class_goes_round_without_repeating():
    clips = [d.clip for epoch in drawn(range(2)) for batch in epoch for d in batch if TARGETS[d.clip] == 0]
    assert len(set(clips)) == 60
    assert len(clips) == 66


def test_a_batch_holds_clips_of_like_duration():
    spread = [np.ptp(DURATIONS[[d.clip for d in batch]]) for epoch in drawn([0]) for batch in epoch]
    assert np.median(spread) < 1.5 < np.ptp(DURATIONS)


def test_batches_hold_triplets():
    for epoch in drawn(range(5), batch_size=12):
        for batch in epoch:
            counts = np.bincount([TARGETS[d.clip] for d in batch])
            assert (counts > 0).sum() >= 2
            assert counts.max() >= 2


def test_seed_and_epoch_fix_everything():
    (once,), (again,), (later,), (other,) = drawn([4]), drawn([4]), drawn([5]), drawn([4], seed=1)
    assert once == again != other
    assert later != once
    assert {d.variant for batch in once for d in batch} == {4 % 3}


def test_the_length_is_the_number_of_batches():
    sampler = BalancedBatches(TARGETS, DURATIONS, 8, 1, 0)
    assert len(sampler) == len(list(sampler)) == 13
    assert len(OrderedBatches(DURATIONS, 8)) == len(list(OrderedBatches(DURATIONS, 8))) == 13


def test_evaluation_takes_every_clip_once_as_it_is():
    seen = [d for batch in OrderedBatches(DURATIONS, 8) for d in batch]
    assert sorted(d.clip for d in seen) == list(range(100))
    assert {d.variant for d in seen} == {None}


@pytest.fixture
def clips(monkeypatch):
    """A maker of `ClipDataset` over noise of 1, 2, 3 and 34 seconds, and the list of what was decoded."""
    loads = []

    def load(path):
        loads.append(path.name)
        return np.random.default_rng(len(path.name)).normal(0, 0.1, 16_000 * int(path.name)).astype(np.float32)

    monkeypatch.setattr(batches, "load_audio", load)
    manifest = pd.DataFrame({"path": ["1", "2", "3", "34"], "label": ["a", "b", "a", "b"]})

    def make(tmp_path, frozen_layers=None, kind="whisper", folder=None, **how):
        encoder = wrap_encoder(tiny_network(kind), frozen_layers=frozen_layers)
        return ClipDataset(
            manifest, FeatureStore(tmp_path, folder), ("a", "b"), encoder, Augmentation(**how), seed=0
        ), loads

    return make


def test_what_is_frozen_is_computed_once(clips, tmp_path):
    made, loads = clips(tmp_path, variants=2)
    for variant in (0, 1, 0, 1, 0, None, None):
        made[ClipDraw(1, variant, 0.0)]
    assert len(loads) == 3


def test_kept_features_of_published_recipes_are_found_and_others_kept_apart(clips, tmp_path):
    made, _ = clips(tmp_path, speed=(0.9, 1.1), noise_db=(5, 30))
    assert made._variation == ((0.9, 1.1), (5, 30), 20.0)
    made.cut = 16_000
    assert made._variation == ((0.9, 1.1), (5, 30), 20.0, 16_000)
    variants = [{}, {"telephone": 0.5}, {"reverberation_s": (0.2, 0.3)}, {"noise_share": 0.1}, {"gain_db": 3}]
    assert len({clips(tmp_path, **how)[0]._variation for how in variants}) == 5


def test_positions_are_drawn_over_the_whole_table(clips, tmp_path):
    made, _ = clips(tmp_path)
    offsets = [made[ClipDraw(0, 0, position)].offset for position in (0.0, 0.5, 0.999999)]
    assert offsets == [0, 725, 1450]  # a clip of 50 frames in a table of 1500
    assert made[ClipDraw(0, None, 0.9)].offset == 0


def test_a_frozen_position_is_drawn_with_the_variant(clips, tmp_path):
    made, _ = clips(tmp_path, frozen_layers=1, variants=9)
    offsets = [made[ClipDraw(0, v, 0.0)].offset for v in range(9)]
    assert len(set(offsets)) > 5
    assert offsets == [made[ClipDraw(0, v, 0.7)].offset for v in range(9)]


@pytest.mark.parametrize("variant", [0, None])
def test_a_clip_longer_than_the_table_of_positions_is_cut_to_it(clips, tmp_path, variant):
    made, _ = clips(tmp_path)
    item = made[ClipDraw(3, variant, 0.9)]
    assert len(item.features) == 1500
    assert item.offset == 0
    assert len(clips(tmp_path, kind="wav2vec2")[0][ClipDraw(3, variant, 0.9)].features) == 1699


def test_wav2vec2_has_no_position_to_draw(clips, tmp_path):
    made, _ = clips(tmp_path, kind="wav2vec2")
    assert made[ClipDraw(0, 0, 0.9)].offset == 0


def test_the_level_is_drawn(clips, tmp_path):
    """±20 dB on the waveform: the log-mel's mean moves by up to 4 decades / 4."""
    made, _ = clips(tmp_path, variants=20)
    levels = [made[ClipDraw(2, v, 0.0)].features.mean().item() for v in range(20)]
    assert 0.4 < np.ptp(levels) < 1.1
    still, _ = clips(tmp_path, variants=5, gain_db=0.0)
    assert np.ptp([still[ClipDraw(2, v, 0.0)].features.mean().item() for v in range(5)]) < 1e-3


def test_collate_pads_and_keeps_lengths(clips, tmp_path):
    made, _ = clips(tmp_path)
    batch = collate([made[ClipDraw(i, None, 0.0)] for i in range(3)])
    assert batch["features"].shape == (3, 150, 160)
    assert batch["lengths"].tolist() == [50, 100, 150]
    assert (batch["features"][0, 50:] == 0).all()
    assert batch["labels"].tolist() == [0, 1, 0]
    assert torch.equal(batch["features"][2], made[ClipDraw(2, None, 0.0)].features)


def test_a_worker_touches_no_gpu(corpus, monkeypatch):
    """The device `meta` stands for a GPU: there, nothing can be computed."""
    fold, folder = corpus
    log_mel, frozen = (wrap_encoder(tiny_network("whisper"), 3, layers, False).to("meta") for layers in (None, 2))
    clips = ClipDataset(fold.manifest, FeatureStore(folder), fold.labels, log_mel, Augmentation(), 0)
    monkeypatch.setattr(batches, "get_worker_info", lambda: "a worker")
    assert clips[ClipDraw(0, 0, 0.0)].features.device.type == "cpu"
    assert clips.usable_workers(2) == 2
    clips.encoder = frozen
    assert clips.usable_workers(2) == 0
    clips.encoder = wrap_encoder(tiny_network("wav2vec2"), 3, None, False)
    assert clips.usable_workers(2) == 2
