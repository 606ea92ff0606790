"""The settings of a training run: one frozen dataclass, filled from a YAML file and the command line."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args, get_type_hints

import yaml

from segser_core.errors import SettingError
from segser_core.network.layer_average import NORMALIZATIONS
from segser_core.network.segments import Tail
from segser_core.systems import DEFAULT_SYSTEM, SYSTEMS
from training.config.overrides import of_kind, put_over

SCHEDULES = ("linear", "cosine", "constant", "constant_with_warmup")


@dataclass(frozen=True)
class Augmentation:
    """How training clips are varied; every range is drawn from uniformly, and off where it is None.

    Attributes:
        variants: how many draws of each clip are made and then kept; epoch e uses draw e mod variants.
        speed: range of the factor of playing speed, which moves pitch and formants too.
        noise_db: range of the signal-to-noise ratio of added noise, in dB, for half of the clips.
        gain_db: a clip's level is moved by −gain_db to +gain_db.
        mask_bands: the largest share of the mel bands that each of two masks hides, anew in each step (Whisper).
        mask_time: the same of a clip's frames.
    """

    variants: int = 1
    speed: tuple[float, float] | None = None
    noise_db: tuple[float, float] | None = None
    gain_db: float = 20.0
    mask_bands: float = 0.0
    mask_time: float = 0.0

    @property
    def masks(self) -> bool:
        """Whether anything is hidden at all."""
        return self.mask_bands > 0 or self.mask_time > 0


@dataclass(frozen=True)
class SpecAugment:
    """Spans that are hidden in each training clip, anew in each step, on the output of the encoder's frozen part.

    The defaults are those of P-TAPT; see `training.features.augment.spans`.

    Attributes:
        time_p, time_frames, time_least: how likely, how long (20 ms a frame) and how many at least, of frames.
        feature_p, feature_size, feature_least: the same of features.
    """

    time_p: float = 0.08
    time_frames: int = 15
    time_least: int = 2
    feature_p: float = 0.05
    feature_size: int = 64
    feature_least: int = 1

    def __post_init__(self):
        check_spans("spec_augment.time", self.time_p, self.time_frames, self.time_least)
        check_spans("spec_augment.feature", self.feature_p, self.feature_size, self.feature_least)


@dataclass(frozen=True)
class TaskAdaptation:
    """The stages of `p-tapt` that go before the fine-tuning; the defaults are those of its authors.

    Attributes:
        clusters: K of each set of pseudo-labels.
        tuning_steps: of stage 1, in which an encoder is tuned on the labels.
        tuning_warmup: share of them over which the learning rate rises; then it falls to 0.
        pretraining_steps: of stage 3, in which the clusters of hidden frames are predicted.
        pretraining_warmup_steps: over which the learning rate rises; then it stays.
        learning_rate: of both.
        mask_p, mask_frames, mask_least: of the spans that stage 3 hides, see `training.features.augment.spans`.
    """

    clusters: list[int] = field(default_factory=lambda: [64, 512, 4096])
    tuning_steps: int = 10_000
    tuning_warmup: float = 0.05
    pretraining_steps: int = 20_000
    pretraining_warmup_steps: int = 100
    learning_rate: float = 1e-4
    mask_p: float = 0.06
    mask_frames: int = 15
    mask_least: int = 2

    def __post_init__(self):
        whole = all(isinstance(k, int) and k >= 2 for k in self.clusters)
        require(bool(self.clusters) and whole, "tapt.clusters", self.clusters, "whole numbers of at least 2")
        for name in ("tuning_steps", "pretraining_steps"):
            require(getattr(self, name) >= 1, f"tapt.{name}", getattr(self, name), "at least 1")
        require(self.learning_rate > 0, "tapt.learning_rate", self.learning_rate, "above 0")
        warmup = self.pretraining_warmup_steps
        require(warmup >= 0, "tapt.pretraining_warmup_steps", warmup, "0 or more")
        check_spans("tapt.mask", self.mask_p, self.mask_frames, self.mask_least)


@dataclass(frozen=True)
class Settings:
    """Everything that decides what a training run computes, but for the folder of the corpus.

    Attributes:
        corpus_options: what the corpus's loader is told.
        partial: whether an incomplete corpus is taken as it is.
        alpha: α of Eq. 4 by system; a system that is not named follows Eq. 1.
        over_segments: `sum` (Eq. 3) or `mean` over the segments of a recording.
        consistency: weight of the divergence between what is heard at two places of Whisper's table of
            positions; above 0 each clip of a batch passes at both, under masks of its own, which doubles
            the time of a step.
        layer_decay: the learning rate of each layer is that of the layer above times this.
        warmup: share of the steps over which the learning rate rises.
        precision: `bf16` or `fp32`.
        class_weights: whether the loss weighs every class alike, whatever its share (in a loss without segments).
        balanced: whether every class is drawn equally often, or every clip once in an epoch.
        gradient_value_clip: no component of a gradient goes beyond it; null leaves them alone.
        best_by: the epoch that is kept has the highest `uar` or the lowest `loss` on development clips.
        patience: training ends after this many epochs in a row that are no better; null goes through all.
        normalization: of `layer-average`, `global` (statistics of the training part) or `speaker` (a speaker's own).
        crop_frames: the utterance's mean is over so many frames from its start, in training and use; null is all.
        cut_s: training clips are heard up to there; null is all.
    """

    corpus: str = "ravdess"
    corpus_options: dict[str, Any] = field(default_factory=dict)
    protocol: str | None = None
    partial: bool = False
    system: str = DEFAULT_SYSTEM
    encoder: str = "facebook/wav2vec2-base"
    revision: str | None = None
    layer: int | None = None
    frozen_layers: int | None = None
    segment_frames: int = 80
    stride_frames: int = 40
    tail: Tail = "align-right"
    alpha: dict[str, float] = field(default_factory=dict)
    margin: float = 1.0
    over_segments: str = "sum"
    consistency: float = 0.0
    label_smoothing: float = 0.0
    epochs: int = 30
    batch_size: int = 12
    learning_rate: float = 1e-5
    head_learning_rate: float = 1e-3
    layer_decay: float = 1.0
    weight_decay: float = 0.0
    warmup: float = 0.1
    schedule: str = "linear"
    gradient_clip: float = 1.0
    precision: str = "fp32"
    class_weights: bool = False
    balanced: bool = True
    gradient_value_clip: float | None = None
    best_by: str = "uar"
    patience: int | None = None
    normalization: str = "global"
    crop_frames: int | None = None
    cut_s: float | None = None
    augmentation: Augmentation = field(default_factory=Augmentation)
    spec_augment: SpecAugment | None = None
    tapt: TaskAdaptation = field(default_factory=TaskAdaptation)

    def __post_init__(self):
        require(self.system in SYSTEMS, "system", self.system, f"one of {', '.join(SYSTEMS)}")
        require(self.tail in get_args(Tail), "tail", self.tail, f"one of {', '.join(get_args(Tail))}")
        require(self.over_segments in ("sum", "mean"), "over_segments", self.over_segments, "sum or mean")
        require(self.precision in ("bf16", "fp32"), "precision", self.precision, "bf16 or fp32")
        require(self.schedule in SCHEDULES, "schedule", self.schedule, f"one of {', '.join(SCHEDULES)}")
        require(self.best_by in ("uar", "loss"), "best_by", self.best_by, "uar or loss")
        require(self.normalization in NORMALIZATIONS, "normalization", self.normalization, " or ".join(NORMALIZATIONS))
        for name in ("gradient_value_clip", "patience", "crop_frames", "cut_s"):
            value = getattr(self, name)
            require(value is None or value > 0, name, value, "above 0, or null")
        for name in ("epochs", "batch_size", "segment_frames", "stride_frames"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "a whole number of at least 1")
        require(
            self.stride_frames <= self.segment_frames, "stride_frames", self.stride_frames, "at most segment_frames"
        )
        for name in ("warmup", "label_smoothing"):
            require(0 <= getattr(self, name) < 1, name, getattr(self, name), "from 0 to below 1")
        for system, alpha in self.alpha.items():
            require(system in SYSTEMS and 0 <= alpha <= 1, f"alpha.{system}", alpha, "0 to 1, for a known system")
        for name in ("consistency", "margin", "weight_decay"):
            require(getattr(self, name) >= 0, name, getattr(self, name), "0 or more")
        for name in ("learning_rate", "head_learning_rate", "layer_decay", "gradient_clip"):
            require(getattr(self, name) > 0, name, getattr(self, name), "above 0")
        require(self.augmentation.variants >= 1, "augmentation.variants", self.augmentation.variants, "at least 1")
        for name in ("mask_bands", "mask_time"):
            share = getattr(self.augmentation, name)
            require(0 <= share <= 1, f"augmentation.{name}", share, "a share from 0 to 1")


GROUPS: dict[str, Any] = {"spec_augment": SpecAugment, "tapt": TaskAdaptation}


def require(holds: bool, name: str, got: Any, expected: str) -> None:
    """Raise a SettingError that says what was got and expected unless it holds."""
    if not holds:
        raise SettingError(f"the setting {name} is {got!r}; expected {expected}")


def check_spans(name: str, p: float, length: int, least: int) -> None:
    """Whether spans can be drawn so; see `training.features.augment.spans`."""
    if not all(isinstance(value, int | float) for value in (p, length, least)):
        return  # which kind each is to be is seen later
    holds = 0 <= p <= 1 and length >= 1 and least >= 0
    require(holds, name, f"p {p:g}, length {length}, least {least}", "0 <= p <= 1, a length from 1, least from 0")


class OneOfEach(yaml.SafeLoader):
    """Refuses a name that stands twice, of which YAML would keep the last without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """As its parent does."""
        names = [key.value for key, _ in node.value]
        if twice := sorted({str(name) for name in names if names.count(name) > 1}):
            raise yaml.constructor.ConstructorError(None, None, f"{', '.join(twice)} twice", node.start_mark)
        return super().construct_mapping(node, deep)


def read_settings(path: Path, overrides: dict[str, str] | None = None) -> Settings:
    """Settings from a YAML file, with values of the command line (as text, e.g. `augmentation.speed`) over them.

    The block `systems` of the file holds by system what differs for it; it goes over the rest of the file.

    Raises:
        SettingError: no such file, no YAML, an unknown name or a value of another kind.
    """
    try:
        values = yaml.load(path.read_text(), OneOfEach) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingError(f"the settings {path} cannot be read: {error}") from error
    values = of_system(values, (overrides or {}).get("system"))
    require(isinstance(values, dict), f"file {path}", values, "settings by name")
    put_over(values, overrides or {})
    return settings_from(values)


def of_system(values: Any, asked: str | None) -> Any:
    """A file's values for one system: the one that is asked for, else the file's own."""
    if not isinstance(values, dict):
        return values
    differing = values.pop("systems", None) or {}
    system = asked or values.get("system", Settings.system)
    try:
        require(set(differing) <= set(SYSTEMS), "systems", sorted(differing), f"some of {', '.join(SYSTEMS)}")
        return values | differing.get(system, {})
    except (TypeError, AttributeError) as error:
        raise SettingError(f"the setting systems holds settings by system: {error}") from error


def settings_from(values: dict[str, Any]) -> Settings:
    """Settings from plain values, as YAML gives them."""
    try:
        values = dict(values)
        augmentation = Augmentation(**{k: as_pair(v) for k, v in values.pop("augmentation", {}).items()})
        groups = {name: kind(**values.pop(name)) for name, kind in GROUPS.items() if values.get(name) is not None}
        known = {f.name for f in dataclasses.fields(Settings)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise SettingError(f"the setting {unknown[0]!r} is unknown; known are {', '.join(sorted(known))}")
        settings = Settings(**values, augmentation=augmentation, **groups)
        check_kinds(settings)
        for name, group in (groups | {"augmentation": augmentation}).items():
            check_kinds(group, f"{name}.")
        return settings
    except (TypeError, ValueError, AttributeError) as error:
        raise SettingError(f"a setting has a value of the wrong kind: {error}") from error


def check_kinds(settings: Any, group: str = "") -> None:
    """Raise a SettingError unless every value of a dataclass is of its field's kind."""
    for name, hint in get_type_hints(type(settings)).items():
        value = getattr(settings, name)
        require(of_kind(value, hint), f"{group}{name}", value, str(getattr(hint, "__name__", hint)))


def as_pair(value: Any) -> Any:
    """YAML's lists as tuples."""
    return tuple(value) if isinstance(value, list) else value


def to_yaml(settings: Settings) -> str:
    """All settings as YAML, enough to repeat the run."""
    values = dataclasses.asdict(settings)
    values["augmentation"] = {k: list(v) if isinstance(v, tuple) else v for k, v in values["augmentation"].items()}
    return yaml.safe_dump(values, sort_keys=False)
