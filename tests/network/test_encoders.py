import pytest
import torch
from transformers import (
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2ForSequenceClassification,
    Wav2Vec2Model,
    WhisperFeatureExtractor,
    WhisperForAudioClassification,
    WhisperForConditionalGeneration,
    WhisperModel,
)

from segser_core.errors import ModelError, SettingError
from segser_core.network.pretrained import load_encoder_network, wrap_encoder
from segser_core.network.whisper_input import log_mel_spectrogram, sinusoidal_positions
from tests.support.networks import (
    KINDS,
    WAVEFORM_ENCODER,
    random_waveforms,
    tiny_network,
    tiny_whisper_config,
    whisper_by_clip,
)


def batch(encoder, waveforms):
    """Frames of all clips from one padded batch, each cut to its own length; the padding is poison."""
    features = [encoder.features(w) for w in waveforms]
    lengths = torch.tensor([len(f) for f in features])
    padded = torch.nn.utils.rnn.pad_sequence(features, batch_first=True, padding_value=7.0)
    with torch.no_grad():
        return [x[:n] for x, n in zip(encoder(padded, lengths), lengths, strict=True)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("frozen_layers", [None, 0, 1, 3])
def test_a_padded_batch_equals_transformers_clip_by_clip(kind, frozen_layers):
    network = tiny_network(kind)
    with torch.no_grad():
        expected = [network(w[None]).last_hidden_state[0] for w in random_waveforms()]
    for got, alone in zip(batch(wrap_encoder(network, None, frozen_layers), random_waveforms()), expected, strict=True):
        torch.testing.assert_close(got, alone, rtol=0, atol=1e-5)


@pytest.mark.parametrize("frozen_layers", [None, 0, 1, 3])
@pytest.mark.parametrize("layer", [2, 3])
def test_whisper_equals_transformers_with_positions_cut_to_the_clip(layer, frozen_layers):
    encoder = wrap_encoder(
        tiny_network("whisper"), layer, min(frozen_layers or 0, layer) if frozen_layers is not None else None
    )
    for got, waveform in zip(batch(encoder, random_waveforms()), random_waveforms(), strict=True):
        torch.testing.assert_close(got, whisper_by_clip(waveform, layer), rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_frozen_is_the_same_while_training(kind):
    """Dropout is of the layers above alone; WavLM's features are those of its convolutions."""
    encoder = wrap_encoder(tiny_network(kind), frozen_layers=2)
    at_rest = encoder.features(random_waveforms()[1])
    for part in encoder.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = 0.5
    torch.testing.assert_close(encoder.train().features(random_waveforms()[1]), at_rest, rtol=0, atol=0)
    assert (encoder.frozen_layers is None) == ("wavlm" in kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layer", [1, 2, 3])
def test_the_layer_is_that_of_hidden_states(kind, layer):
    """Also while training, where layerdrop would shorten the tuple; both orders of layer norm."""
    with torch.no_grad():
        whole = tiny_network(kind)(random_waveforms()[1][None], output_hidden_states=True)
        expected = whole.hidden_states[layer] if layer < 3 else whole.last_hidden_state
        encoder = wrap_encoder(tiny_network(kind), layer)
        features = encoder.features(random_waveforms()[1])[None]
        got = encoder(features, torch.tensor([features.shape[1]]))
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-5)


def test_one_second_is_49_frames_of_wav2vec2_and_50_of_whisper():
    assert len(wrap_encoder(tiny_network("wav2vec2")).features(torch.zeros(16_000))) == 49
    assert len(wrap_encoder(tiny_network("whisper")).features(torch.zeros(16_000))) == 50


def test_log_mel_is_that_of_transformers():
    waveform = random_waveforms()[1][: 16_000 // 160 * 160]
    expected = WhisperFeatureExtractor()(
        waveform.numpy(), sampling_rate=16_000, padding="do_not_pad", return_tensors="pt"
    )
    torch.testing.assert_close(log_mel_spectrogram(waveform), expected.input_features[0], rtol=0, atol=1e-5)


def test_positions_are_those_of_transformers():
    table = tiny_network("whisper").embed_positions.weight
    torch.testing.assert_close(sinusoidal_positions(torch.arange(1500)[None], 32)[0], table, rtol=0, atol=1e-6)


def test_an_offset_moves_a_clip_along_the_table():
    encoder = wrap_encoder(tiny_network("whisper"))
    features = encoder.features(random_waveforms()[0])[None]
    lengths = torch.tensor([features.shape[1]])
    with torch.no_grad():
        moved = encoder(features, lengths, torch.tensor([700]))
        stays = encoder(features, lengths, torch.tensor([0]))
    assert not torch.allclose(moved, stays, atol=1e-3)
    frozen = wrap_encoder(tiny_network("whisper"), frozen_layers=2)
    features = frozen.features(random_waveforms()[0], offset=700)[None]
    with torch.no_grad():
        torch.testing.assert_close(frozen(features, lengths), moved, rtol=0, atol=1e-5)


def test_whispers_position_table_is_no_parameter():
    encoder = wrap_encoder(tiny_network("whisper"))
    assert not any("position" in name for name, _ in encoder.named_parameters())


@pytest.mark.parametrize(("sizes", "millions"), [({}, 90.2), (
    {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096,
     "do_stable_layer_norm": True, "feat_extract_norm": "layer", "conv_bias": True}, 311.2)])  # fmt: skip
def test_trainable_parameters_with_only_the_convolutions_frozen(sizes, millions):
    with torch.device("meta"):
        encoder = wrap_encoder(Wav2Vec2Model(Wav2Vec2Config(**sizes)))
    tuned = sum(p.numel() for p in encoder.parameters() if p.requires_grad)
    assert round(tuned / 1e6, 1) == millions


def test_normalisation_removes_the_level():
    encoder = wrap_encoder(tiny_network("wav2vec2-stable"), normalize=True)
    loud, quiet = encoder.features(random_waveforms()[0]), encoder.features(random_waveforms()[0] * 0.03)
    torch.testing.assert_close(loud, quiet, rtol=0, atol=1e-3)


@pytest.mark.parametrize("layer", [0, 4, -1])
def test_a_layer_that_is_not_there_is_refused(layer):
    with pytest.raises(SettingError, match="layers 1 to 3"):
        wrap_encoder(tiny_network("wav2vec2"), layer)


@pytest.mark.parametrize("kind", ["wav2vec2", "hubert-stable", "wavlm", "whisper"])
def test_a_network_is_loaded_from_a_folder(kind, tmp_path):
    tiny_network(kind).save_pretrained(tmp_path)
    Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(tmp_path)
    network, normalize = load_encoder_network(str(tmp_path))
    assert normalize
    for got, expected in zip(
        batch(wrap_encoder(network.eval()), random_waveforms()),
        batch(wrap_encoder(tiny_network(kind)), random_waveforms()),
        strict=True,
    ):
        torch.testing.assert_close(got, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("head", [WhisperModel, WhisperForConditionalGeneration, WhisperForAudioClassification])
def test_of_a_whole_whisper_the_encoder_is_taken(head, tmp_path):
    whole = head(tiny_whisper_config(decoder=True)).eval()
    whole.save_pretrained(tmp_path)
    WhisperFeatureExtractor().save_pretrained(tmp_path)
    encoder = whole.encoder if hasattr(whole, "encoder") else whole.get_encoder()
    loaded = load_encoder_network(str(tmp_path))[0].state_dict()
    assert loaded.keys() == encoder.state_dict().keys()
    for name, weight in encoder.state_dict().items():
        torch.testing.assert_close(loaded[name], weight, rtol=0, atol=0)


def test_of_a_classifier_the_network_is_taken(tmp_path):
    whole = Wav2Vec2ForSequenceClassification(Wav2Vec2Config(**WAVEFORM_ENCODER)).eval()
    whole.save_pretrained(tmp_path)
    Wav2Vec2FeatureExtractor().save_pretrained(tmp_path)
    loaded = load_encoder_network(str(tmp_path))[0].state_dict()
    expected = whole.wav2vec2.state_dict()
    assert expected.keys() - loaded.keys() == {"masked_spec_embed"}  # for masks, which this project never has it make
    for name, weight in loaded.items():
        torch.testing.assert_close(expected[name], weight, rtol=0, atol=0)


def test_a_network_without_all_weights_is_refused(tmp_path):
    from safetensors.torch import load_file, save_file

    tiny_network("whisper").save_pretrained(tmp_path)
    WhisperFeatureExtractor().save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    del weights["layers.1.fc1.weight"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"lacks weights, layers\.1\.fc1\.weight"):
        load_encoder_network(str(tmp_path))


def test_a_pickled_network_is_never_opened(tmp_path):
    network = tiny_network("wav2vec2")
    network.config.save_pretrained(tmp_path)
    torch.save(network.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_encoder_network(str(tmp_path))


def test_another_architecture_is_refused(tmp_path):
    from transformers import BertConfig

    BertConfig().save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="type 'bert'"):
        load_encoder_network(str(tmp_path))


def test_a_limited_window_begins_at_the_first_row_of_the_table():
    encoder, free = (wrap_encoder(tiny_network("whisper")).eval() for _ in range(2))
    encoder.limit_window(60)
    assert (encoder.max_frames, encoder.positions_matter) == (60, False)
    features = encoder.features(random_waveforms()[0])[None][:, :60]
    lengths, offsets = torch.tensor([features.shape[1]]), torch.tensor([7])
    with torch.no_grad():
        at_start, moved = encoder(features, lengths), encoder(features, lengths, offsets)
        assert torch.equal(at_start, moved)
        assert not torch.equal(free(features, lengths), free(features, lengths, offsets))
    with pytest.raises(SettingError, match="a window of 2000 frames: this encoder takes"):
        encoder.limit_window(2000)
