"""Load a pretrained network of `transformers`, and put the encoder's interface around it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import HubertModel, PreTrainedConfig, PreTrainedModel, Wav2Vec2Model, WavLMModel
from transformers.models.whisper.modeling_whisper import WhisperEncoder
from transformers.utils import logging

from segser_core.errors import ModelError, SettingError, UnknownModelError
from segser_core.network.encoders import FrameEncoder, MelEncoder, WaveEncoder

NETWORKS: dict[str, type[PreTrainedModel]] = {
    "wav2vec2": Wav2Vec2Model,
    "hubert": HubertModel,
    "wavlm": WavLMModel,
    "whisper": WhisperEncoder,
}
WITHIN_WHISPER = {r"^(model\.)?encoder\.": ""}  # where its encoder's weights lie in a whole Whisper or a classifier


@contextmanager
def without_loading_bar() -> Iterator[None]:
    """Keep transformers' bar "Loading weights" off standard error for the time of a block; downloads keep theirs."""

    def make_bar(factory: Any, args: tuple, kwargs: dict) -> Any:
        return factory(*args, **kwargs, **({"disable": True} if kwargs.get("desc") == "Loading weights" else {}))

    before = logging.set_tqdm_hook(make_bar)
    try:
        yield
    finally:
        logging.set_tqdm_hook(before)


def wrap_encoder(
    network: PreTrainedModel, layer: int | None = None, frozen_layers: int | None = None, normalize: bool = False
) -> FrameEncoder:
    """Wrap a network of `transformers` in the encoder interface.

    Args:
        network: one of `NETWORKS`, with weights.
        layer: how many Transformer layers to keep, all where it is None.
        frozen_layers: how many of these stay as they are, and with them all below; None freezes
            only what the paper freezes, the convolutions of wav2vec2 (nothing of Whisper).
        normalize: whether the waveform is brought to zero mean and unit variance first.

    Raises:
        SettingError: a layer that the network does not have.
    """
    depth = count_layers(network.config)
    layer = depth if layer is None else layer
    if not 1 <= layer <= depth:
        raise SettingError(f"layer {layer} is outside this encoder: it has the layers 1 to {depth}")
    if frozen_layers is not None and not 0 <= frozen_layers <= layer:
        raise SettingError(f"{frozen_layers} frozen layers of {layer}: choose 0 to {layer}, or none to tune all")
    if isinstance(network, WhisperEncoder):
        return MelEncoder(network, layer, frozen_layers)
    return WaveEncoder(network, layer, frozen_layers, normalize)


def count_layers(config: PreTrainedConfig) -> int:
    """Count the Transformer layers that a configuration asks for."""
    return config.encoder_layers if config.model_type == "whisper" else config.num_hidden_layers


def disable_layerdrop(config: PreTrainedConfig) -> PreTrainedConfig:
    """Switch off layerdrop, which makes layers vanish, and default masking, in place.

    Raises:
        ModelError: an architecture that is not one of ours.
    """
    if config.model_type not in NETWORKS:
        raise ModelError(f"an encoder of type {config.model_type!r}: expected one of {', '.join(NETWORKS)}")
    if config.model_type == "whisper":
        config.encoder_layerdrop = 0.0
    else:
        config.layerdrop, config.apply_spec_augment = 0.0, False
        config.mask_time_prob = config.mask_feature_prob = 0.0
    return config


def is_path(name: str) -> bool:
    """Check whether an encoder's name is a path, and none that the hub can have: at most `owner/name`."""
    path = Path(name)
    return path.is_absolute() or len(path.parts) > 2 or name.startswith((".", "~")) or name.endswith("/")


def load_encoder_config(name: str, revision: str | None = None) -> PreTrainedConfig:
    """Load the configuration of a pretrained network, from a local folder or a hub name, without its weights.

    Raises:
        UnknownModelError: it is a path, and no such folder is there.
        ModelError: not to be had.
    """
    from transformers import AutoConfig

    if is_path(name) and not Path(name).is_dir():
        raise UnknownModelError(f"the encoder {name!r} cannot be loaded: there is no such folder")
    try:
        how = {"revision": revision} if revision else {}
        config = AutoConfig.from_pretrained(name, trust_remote_code=False, **how)
    except Exception as error:  # transformers raises many kinds for what does not fit
        raise ModelError(f"the encoder {name!r} cannot be loaded: {str(error).partition(chr(10))[0]}") from error
    if getattr(config, "auto_map", None):
        raise ModelError(f"the encoder {name!r} asks for code of its own (auto_map), which is never run")
    return disable_layerdrop(config)


def load_encoder_network(name: str, revision: str | None = None) -> tuple[PreTrainedModel, bool]:
    """Load a pretrained network from a local folder or a hub name, in float32, from safetensors only.

    A folder of a whole Whisper, or of a classifier, holds more than the encoder; the rest is left alone.

    Returns:
        The network, and whether its waveforms are normalised (`do_normalize` of its feature extractor).

    Raises:
        ModelError: not to be had, or weights that leave a part of the network at random.
    """
    from transformers import AutoFeatureExtractor

    how: dict[str, Any] = {"revision": revision} if revision else {}
    config = load_encoder_config(name, revision)
    try:
        kind = NETWORKS[config.model_type]
        within: dict[str, Any] = {"key_mapping": WITHIN_WHISPER} if kind is WhisperEncoder else {}
        exact: dict[str, Any] = {"dtype": torch.float32, "use_safetensors": True, "output_loading_info": True}
        with without_loading_bar():
            loaded: Any = kind.from_pretrained(name, config=config, **exact, **within, **how)
        extractor = AutoFeatureExtractor.from_pretrained(name, trust_remote_code=False, **how)
    except Exception as error:
        raise ModelError(f"the encoder {name!r} cannot be loaded: {str(error).partition(chr(10))[0]}") from error
    network, info = loaded
    absent = sorted(k for k in info["missing_keys"] if "masked_spec_embed" not in k)
    if absent or info["mismatched_keys"]:
        raise ModelError(f"the encoder {name!r} lacks weights, {(absent or info['mismatched_keys'])[0]} among them")
    return network, bool(getattr(extractor, "do_normalize", False))
