import pytest
import torch
from safetensors.torch import load_file, save_file

from segser_core.audio.loading import load_audio
from segser_core.errors import ModelError, SettingError
from segser_core.inference.predictor import Predictor
from segser_core.network.layer_average import (
    ActivationStatistics,
    LayerAverage,
    activation_statistics,
)
from segser_core.network.model import SegmentEmotionModel
from segser_core.network.pretrained import wrap_encoder
from tests.support.networks import KINDS, batch_of, random_waveforms, tiny_model, tiny_network, whisper_by_clip
from tests.support.training import quick_settings
from training.features.store import FeatureStore
from training.learning.trainer import train_fold
from training.runs.scoring import speaker_statistics


def around(kind="whisper", normalization="global"):
    torch.manual_seed(0)
    return LayerAverage(wrap_encoder(tiny_network(kind)), normalization).eval()


@pytest.mark.parametrize("kind", KINDS)
def test_activations_are_transformers_hidden_states(kind):
    with torch.no_grad():
        whole = tiny_network(kind)(random_waveforms()[1][None], output_hidden_states=True)
    got = around(kind).features(random_waveforms()[1]).unflatten(1, (4, 32)).unbind(dim=1)
    for activation, expected in list(zip(got, whole.hidden_states, strict=True))[:3]:
        torch.testing.assert_close(activation, expected[0], rtol=0, atol=1e-5)
    last = torch.nn.Identity() if "stable" not in kind else tiny_network(kind).encoder.layer_norm
    torch.testing.assert_close(last(got[3]), whole.last_hidden_state[0], rtol=0, atol=1e-5)


def test_activations_of_whisper_are_its_layers_outputs():
    encoder, waveform = around(), random_waveforms()[1]
    got = encoder.features(waveform).unflatten(1, (4, 32)).unbind(dim=1)
    for layer in (1, 2, 3):  # whose final norm follows the last layer that is kept
        expected = whisper_by_clip(waveform, layer)
        torch.testing.assert_close(encoder.inner.norm(got[layer]), expected, rtol=0, atol=1e-5)


def test_an_offset_moves_a_clip_along_the_table():
    encoder = around()
    assert not torch.allclose(
        encoder.features(random_waveforms()[0], offset=700), encoder.features(random_waveforms()[0]), atol=1e-3
    )


def test_the_weighted_average_by_hand():
    encoder = around()
    encoder.mix.data = torch.tensor([1.0, 0.0, 2.0, 1.0])
    encoder.dense = torch.nn.Identity()
    layers = torch.stack([torch.full((32,), value) for value in (4.0, 100.0, 3.0, 6.0)])
    encoder.set_statistics(ActivationStatistics(torch.ones(128), torch.full((128,), 2.0)))
    got = encoder(layers.reshape(1, 1, 128), torch.tensor([1]))
    torch.testing.assert_close(got, torch.full((1, 1, 32), (1 * 1.5 + 0 * 49.5 + 2 * 1.0 + 1 * 2.5) / 4))
    assert encoder.layer_weights.tolist() == [0.25, 0.0, 0.5, 0.25]


def test_statistics_equal_those_of_all_frames_at_once():
    g = torch.Generator().manual_seed(0)
    parts = [torch.randn(n, 3, generator=g) * 5 + 100 for n in (4, 0, 1, 17)]
    together, got = torch.cat(parts), activation_statistics(parts)
    torch.testing.assert_close(got.mean, together.mean(dim=0))
    torch.testing.assert_close(got.std, together.std(dim=0, correction=0))
    normal = got.normalise(together)
    torch.testing.assert_close(normal.mean(dim=0), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(normal.std(dim=0, correction=0), torch.ones(3))


def test_statistics_by_hand_of_one_that_never_changes_and_of_none():
    got = activation_statistics([torch.tensor([[1.0, 7.0], [3.0, 7.0]])])
    assert got.mean.tolist() == [2.0, 7.0]
    assert got.std[0] == 1.0
    assert got.normalise(torch.tensor([[3.0, 7.0]])).tolist() == [[1.0, 0.0]]
    for nothing in ([], [torch.zeros(0, 2)]):
        with pytest.raises(SettingError, match="at least one clip"):
            activation_statistics(nothing)


def test_gradients_are_finite_and_of_the_mix_and_the_dense_layers_alone():
    encoder = around().train()
    assert not encoder.inner.training
    encoder.set_statistics(activation_statistics([torch.zeros(3, 128)]))  # no activation ever changes
    encoder(torch.zeros(2, 5, 128), torch.tensor([5, 3])).sum().backward()
    tuned = {name: p for name, p in encoder.named_parameters() if p.requires_grad}
    assert {name.split(".")[0] for name in tuned} == {"mix", "dense"}
    assert all(p.grad.isfinite().all() for p in tuned.values())


def test_a_recording_alone_is_normalised_by_its_own_statistics_or_the_speakers():
    encoder, waveform = around(normalization="speaker"), random_waveforms()[0]
    own = encoder.features(waveform)
    torch.testing.assert_close(own.mean(dim=0), torch.zeros(128), atol=1e-4, rtol=0)
    raw = encoder.activations(waveform)
    torch.testing.assert_close(raw, around().features(waveform))
    speaker = ActivationStatistics(torch.ones(128), torch.full((128,), 4.0))
    torch.testing.assert_close(encoder.features(waveform, speaker=speaker), (raw - 1) / 4)


def test_another_normalisation_is_refused():
    with pytest.raises(SettingError, match="'batch' is unknown"):
        around(normalization="batch")


@pytest.mark.parametrize("name", ["encoder.mean", "encoder.mix", "encoder.dense.3.weight", "encoder.inner.norm.weight"])
def test_a_checkpoint_that_lacks_a_part_is_refused_by_name(name, tmp_path):
    tiny_model(system="layer-average").save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    del weights[name]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=f"{name} is missing"):
        SegmentEmotionModel.from_folder(tmp_path)


def test_a_crop_bounds_the_utterance_and_no_segment():
    whole, cropped = tiny_model(system="layer-average"), tiny_model(system="layer-average", crop_frames=20)
    features, lengths = batch_of(whole)  # 50, 10 and 85 frames
    with torch.no_grad():
        first = whole(features[:, :20], lengths.clamp(max=20)).utterance_logits
        torch.testing.assert_close(cropped(features, lengths).utterance_logits, first)
        torch.testing.assert_close(cropped(features, lengths).segment_logits, whole(features, lengths).segment_logits)
    waveform = random_waveforms()[1].numpy()
    served, at_once = Predictor(cropped, "a"), Predictor(whole, "b")
    torch.testing.assert_close(served.encode(waveform).utterance, at_once.encode(waveform[: 20 * 320]).utterance,
                               rtol=0, atol=0.05)  # fmt: skip
    assert any("first 0.4 s" in warning for warning in served.encode(waveform).warnings)


def test_global_statistics_are_of_the_training_part_alone(corpus):
    fold, folder = corpus
    how = quick_settings(folder, system="layer-average", epochs=1)
    store = FeatureStore(folder)
    encoder = train_fold(fold, store, how, 0, folder / "steps").encoder
    variants = [features.float() for (_, recipe), features in store.memory.items() if " (" in recipe]
    assert len(variants) == len(fold.split("train"))
    torch.testing.assert_close(encoder.mean, activation_statistics(variants).mean)
    one_path = fold.manifest.groupby("split")["path"].transform("first")
    moved = fold.manifest.assign(path=lambda m: m["path"].where(m["split"] == "train", one_path))
    other = train_fold(type(fold)(0, fold.labels, moved), FeatureStore(folder), how, 0, folder / "other").encoder
    assert torch.equal(other.mean, encoder.mean)
    assert torch.equal(other.std, encoder.std)


def test_by_speaker_trains_and_is_evaluated_with_the_speakers_statistics(corpus):
    fold, folder = corpus
    how = quick_settings(folder, system="layer-average", epochs=1, normalization="speaker")
    model = train_fold(fold, FeatureStore(folder), how, 0, folder / "steps").eval()
    assert torch.equal(model.encoder.mean, torch.zeros(128))
    found = speaker_statistics(model.encoder, fold.manifest, folder)
    assert set(found) == {(split, f"{split}{i}") for split in ("train", "dev", "test") for i in (0, 1)}
    of = fold.manifest[fold.manifest["speaker"] == "test1"]["path"]
    raw = [model.encoder.activations(torch.from_numpy(load_audio(folder / path))) for path in of]
    torch.testing.assert_close(found["test", "test1"].mean, torch.cat(raw).mean(dim=0), rtol=1e-4, atol=1e-5)
