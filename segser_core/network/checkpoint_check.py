"""Check a checkpoint's config.json before transformers acts on it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from segser_core.errors import ModelError
from segser_core.files import read_json_object
from segser_core.labels import is_valid_label

MOST_LAYERS = 100  # wav2vec2's largest has 48
LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = 0.01, 100.0  # beyond what a calibration finds (0.1 to 10)
FOREIGN = ("auto_map", "custom_pipelines", "trust_remote_code", "quantization_config")  # code of others


def check_checkpoint(folder: Path) -> None:
    """Refuse what transformers would act on, pass over, or find only when it is too late.

    Raises:
        ModelError: no config.json, one that asks for code of its own, labels that are no labels, in another order
            than they are numbered or than in the run.json of the run around it, or sizes beyond reason.
    """
    config = read_json_object(folder / "config.json", ModelError)
    if asked := sorted({key for key, _ in _entries(config) if key in FOREIGN}):
        raise ModelError(f"the model in {folder} asks for code of its own ({', '.join(asked)}), which is never run")
    labels = _labels(folder, config)
    for above in folder.absolute().parents[:3]:  # checkpoint, or checkpoint/seed-S/fold-K
        if (above / "run.json").is_file() and (
            said := read_json_object(above / "run.json", ModelError).get("labels")
        ) != labels:
            raise ModelError(f"the model in {folder} has labels {labels}, its run {said}: which is right is unknown")
    if not is_valid_label(config.get("system", "seg")):
        raise ModelError(f"the model in {folder} is of the system {config['system']!r}; expected a name")
    if not isinstance(config.get("longest_training_clip_s"), int | float | None):
        raise ModelError(f"the model in {folder} has no number of seconds as its longest_training_clip_s")
    temperature = config.get("calibration_temperature", 1.0)
    if type(temperature) not in (int, float) or not LOWEST_TEMPERATURE <= temperature <= HIGHEST_TEMPERATURE:
        raise ModelError(
            f"the model in {folder} has calibration_temperature {temperature!r}; expected a number from "
            f"{LOWEST_TEMPERATURE:g} to {HIGHEST_TEMPERATURE:g}"
        )
    for key in ("segment_frames", "stride_frames", "crop_frames", "window_frames"):
        value = config.get(key, 1)
        if not ((type(value) is int and value > 0) or (value is None and key in ("crop_frames", "window_frames"))):
            raise ModelError(f"the model in {folder} has {key} {value!r}; expected a whole number above 0")
    for key, value in _entries(config):
        if key in ("encoder_layers", "num_hidden_layers") and not (type(value) is int and 0 < value <= MOST_LAYERS):
            raise ModelError(f"the model in {folder} has {key} {value!r}; expected 1 to {MOST_LAYERS}")


def _entries(config: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield names and values of a configuration, and of the encoder's within it."""
    yield from config.items()
    encoder = config.get("encoder")
    yield from encoder.items() if isinstance(encoder, dict) else ()


def _labels(folder: Path, config: dict[str, Any]) -> list[str]:
    """List the labels in the order of the head's outputs; a ModelError where both directions differ."""
    named, numbered = config.get("id2label"), config.get("label2id")
    if not isinstance(named, dict) or not all(is_valid_label(c) for c in named.values()):
        raise ModelError(f"the model in {folder} has labels {named!r}; expected names by number, without markup")
    labels = [named.get(str(i), "") for i in range(len(named))]
    if numbered != {label: i for i, label in enumerate(labels)}:
        raise ModelError(f"the model in {folder} numbers its labels {named} and {numbered}, which is not the same")
    return labels
