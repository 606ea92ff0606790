import numpy as np
import pytest
import torch

from segser_core.audio.excerpt import ClipLocation
from segser_core.network.pretrained import wrap_encoder
from tests.support.networks import tiny_network
from training.config.settings import Augmentation
from training.features.batches import ClipDataset, ClipDraw
from training.features.store import FeatureStore, encoder_fingerprint


@pytest.fixture
def clips(corpus):
    """A maker of `ClipDataset` of the made-up corpus over a store, whose encoder, seed or augmentation may differ."""
    fold, root = corpus

    def make(folder=None, seed=0, frozen_layers=1, **how):
        encoder = wrap_encoder(tiny_network("whisper"), frozen_layers=frozen_layers)
        return ClipDataset(
            fold.split("train"), FeatureStore(root, folder), fold.labels, encoder, Augmentation(**how), seed
        )

    return make


def test_files_hold_what_memory_holds_and_are_read_again(clips, tmp_path):
    in_memory, written, read = clips(), clips(tmp_path / "kept"), clips(tmp_path / "kept")
    for draw in (ClipDraw(2, 0, 0.0), ClipDraw(2, 1, 0.0), ClipDraw(2, None, 0.0)):
        first, second = in_memory[draw], written[draw]
        read._features = None  # nothing is left to compute
        third = read[draw]
        assert torch.equal(first.features, second.features)
        assert torch.equal(second.features, third.features)
        assert first.offset == second.offset == third.offset
    assert len(list((tmp_path / "kept").rglob("*.npy"))) == 3
    assert not list((tmp_path / "kept").rglob("*.part"))


@pytest.mark.parametrize("other", [{"seed": 1}, {"frozen_layers": 2}, {"gain_db": 3.0}, {"speed": (0.9, 1.1)}])
def test_what_was_made_otherwise_is_not_read(other, clips, tmp_path):
    clips(tmp_path / "kept")[ClipDraw(0, 0, 0.0)]
    clips(tmp_path / "kept", **other)[ClipDraw(0, 0, 0.0)]
    assert len(list((tmp_path / "kept").rglob("*.npy"))) == 2


def test_another_recording_of_the_same_name_is_not_mistaken(corpus):
    _, root = corpus
    store = FeatureStore(root, root / "kept")
    assert store.features(ClipLocation("0.wav"), "", lambda path: torch.zeros(1, 1)).item() == 0
    (root / "0.wav").write_bytes(b"another one")
    assert store.features(ClipLocation("0.wav"), "", lambda path: torch.ones(1, 1)).item() == 1


def test_what_could_not_be_written_whole_is_not_there(corpus, monkeypatch):
    _, root = corpus
    store = FeatureStore(root, root / "kept")

    def full(*_, **__):
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(OSError):
        store.features(ClipLocation("0.wav"), "", lambda path: torch.zeros(1, 1))
    monkeypatch.undo()
    assert store.features(ClipLocation("0.wav"), "", lambda path: torch.ones(1, 1)).item() == 1


def test_a_fingerprint_is_of_the_frozen_weights_alone():
    encoder = wrap_encoder(tiny_network("whisper"), frozen_layers=1)
    before = encoder_fingerprint(encoder)
    torch.nn.init.zeros_(encoder.layers[2].fc1.weight)
    assert encoder_fingerprint(encoder) == before
    torch.nn.init.zeros_(encoder.layers[0].fc1.weight)
    assert encoder_fingerprint(encoder) != before
