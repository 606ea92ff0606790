"""Settings of a training run: one frozen dataclass, filled from a YAML file and the command line."""

import dataclasses
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from segser_core.errors import SettingError
from segser_core.network.layer_average import Normalization
from segser_core.network.segments import FRAME_S, Tail
from segser_core.systems import DEFAULT_SYSTEM, SYSTEMS
from training.config.kinds import (
    ONLY_KNOWN_NAMES,
    Count,
    CountFromZero,
    Flag,
    NotNegative,
    Number,
    Positive,
    PositiveRange,
    Range,
    Share,
    ShareBelowOne,
    WholeNumber,
    list_to_tuple,
    setting_error,
)
from training.config.overrides import LoaderWithNames, apply_overrides


def known_system(name: str) -> str:
    """Check that a system is one of the paper's table, and return its name.

    Raises:
        SettingError: it is not.
    """
    require(name in SYSTEMS, "system", name, f"one of {', '.join(SYSTEMS)}")
    return name


@dataclass(frozen=True, config=ONLY_KNOWN_NAMES)
class Augmentation:
    """Variations of training clips; a value is drawn uniformly from each range, none where it is None.

    A `…_share` is the share of clips that an effect is applied to, drawn for each effect on its own.

    Attributes:
        variants: how many draws of each clip are made; epoch e uses draw e mod variants.
        trim: the share of clips whose silence before and after is trimmed to a tenth of a second.
        speed: range of the factor of playing speed, which moves pitch and formants too.
        reverberation_s, reverberation_share: range of the reverberation time RT60, in seconds.
        babble_db, babble_share: range of the signal-to-babble ratio, in dB; the babble is 3 to 6 other training clips.
        noise_db, noise_share: range of the signal-to-noise ratio of added noise, in dB.
        low_pass_hz, low_pass_share: range of the cutoff frequency of a low pass.
        telephone: the share of clips that pass a telephone line (300 to 3400 Hz, μ-law at 8 kHz).
        codec: the share of clips that are encoded and decoded by Opus or MP3 at a low bit rate.
        gain_db: a clip's level is moved by −gain_db to +gain_db.
        gain_range_db: range of the change of level, in place of `gain_db` where it is given.
        mask_bands: the largest share of the mel bands that each of two masks hides, anew in each step (Whisper).
        mask_time: the same of a clip's frames.
    """

    variants: Count = 1
    trim: Share = 0.0
    speed: PositiveRange | None = None
    reverberation_s: PositiveRange | None = None
    reverberation_share: Share = 0.5
    babble_db: Range | None = None
    babble_share: Share = 0.5
    noise_db: Range | None = None
    noise_share: Share = 0.5
    low_pass_hz: PositiveRange | None = None
    low_pass_share: Share = 0.5
    telephone: Share = 0.0
    codec: Share = 0.0
    gain_db: Number = 20.0
    gain_range_db: Range | None = None
    mask_bands: Share = 0.0
    mask_time: Share = 0.0

    @property
    def masks(self) -> bool:
        """Whether anything is hidden at all."""
        return self.mask_bands > 0 or self.mask_time > 0

    @property
    def level_range_db(self) -> tuple[float, float]:
        """The range of the change of level."""
        return self.gain_range_db or (-self.gain_db, self.gain_db)

    @property
    def waveform_settings(self) -> dict[str, Any]:
        """The settings that decide how a clip sounds and are not at their default, by name."""
        silent = ("variants", "mask_bands", "mask_time")
        differing = {f.name: value for f in dataclasses.fields(self) if (value := getattr(self, f.name)) != f.default}
        return {name: value for name, value in differing.items() if name not in silent}


@dataclass(frozen=True, config=ONLY_KNOWN_NAMES)
class SpecAugment:
    """Spans that are hidden in each training clip, anew in each step, on the output of the encoder's frozen part.

    The defaults are those of P-TAPT; see `training.features.augment.draw_mask_spans`.

    Attributes:
        time_p, time_frames, time_least: how likely, how long (20 ms a frame) and how many at least, of frames.
        feature_p, feature_size, feature_least: the same of features.
    """

    time_p: Share = 0.08
    time_frames: Count = 15
    time_least: CountFromZero = 2
    feature_p: Share = 0.05
    feature_size: Count = 64
    feature_least: CountFromZero = 1


@dataclass(frozen=True, config=ONLY_KNOWN_NAMES)
class TaskAdaptation:
    """The stages of `p-tapt` that go before the fine-tuning; the defaults are those of its authors.

    Attributes:
        clusters: K of each set of pseudo-labels.
        tuning_steps: of stage 1, in which an encoder is tuned on the labels.
        tuning_warmup: share of them over which the learning rate rises; then it falls to 0.
        pretraining_steps: of stage 3, in which the clusters of hidden frames are predicted.
        pretraining_warmup_steps: over which the learning rate rises; then it stays.
        learning_rate: of both.
        mask_p, mask_frames, mask_least: of the spans that stage 3 hides, as in `SpecAugment`.
    """

    clusters: list[Annotated[WholeNumber, Field(ge=2)]] = Field(default_factory=lambda: [64, 512, 4096], min_length=1)
    tuning_steps: Count = 10_000
    tuning_warmup: Share = 0.05
    pretraining_steps: Count = 20_000
    pretraining_warmup_steps: CountFromZero = 100
    learning_rate: Positive = 1e-4
    mask_p: Share = 0.06
    mask_frames: Count = 15
    mask_least: CountFromZero = 2


@dataclass(frozen=True, config=ONLY_KNOWN_NAMES)
class CorpusPart:
    """One of several corpora that a training learns from together.

    Attributes:
        name: of the corpus.
        alias: what a run calls it, e.g. where there are two of the kind `manifest`; its name where it is None.
        root: its folder, below that of the training (or an absolute path); its alias where it is None.
        protocol: the corpus's default where it is None.
        fold: of the protocol.
        options: further arguments of the corpus's loader.
        weight: its clips are drawn this often in an epoch, on average.
        votes: share of the target that the votes of raters make, where the corpus has them; the label has the rest.
    """

    name: str
    alias: str | None = None
    root: str | None = None
    protocol: str | None = None
    fold: CountFromZero = 0
    options: dict[str, Any] = Field(default_factory=dict)
    weight: Positive = 1.0
    votes: Share = 0.0

    @property
    def key(self) -> str:
        """What a run calls the corpus."""
        return self.alias or self.name

    @property
    def folder(self) -> str:
        """The corpus's folder, relative to that of the training."""
        return self.root or self.key


@dataclass(frozen=True, config=ONLY_KNOWN_NAMES)
class Joining:
    """Training items whose emotion changes: clips of one speaker, one after the other, made anew in each epoch.

    A segment's target is the share of its time that each emotion has. The utterance's own term is left out.

    Attributes:
        share: of the training items; 0 makes none.
        clips: the fewest and the most clips of an item.
        pause_s: range of the silence between two clips.
        triplet_weight: of a triplet loss between segments of one emotion each, whose negative is of the same
            recording; 0 is none.
    """

    share: ShareBelowOne = 0.0
    clips: Annotated[tuple[Count, Count], BeforeValidator(list_to_tuple)] = (2, 4)
    pause_s: Range = (0.0, 0.0)
    triplet_weight: NotNegative = 0.0


@dataclass(frozen=True, config=ONLY_KNOWN_NAMES)
class Settings:
    """All settings that decide the result of a training, but for the folder of the corpus.

    Attributes:
        corpora: several corpora in place of `corpus`, each in a folder below the training's.
        labels: the classes, in order; clips of other labels are left out. All of the corpora's where it is None.
        joined: training items whose emotion changes.
        average_decay: of the exponential moving average of the weights (EMA), by which the model is scored and
            kept; 0 takes the weights as they are.
        data_workers: processes that prepare batches beside the training; the result does not depend on them.
        calibrated: whether confidences are calibrated by a temperature that development clips give.
        corpus_options: further arguments of the corpus's loader.
        partial: whether an incomplete corpus is taken as it is.
        window_s: the encoder is given so many seconds at most at once, always from the first row of its table of
            positions; longer recordings pass in overlapping windows. None is all that it takes, at any rows.
        alpha: α of Eq. 4 by system; a system that is not named follows Eq. 1.
        over_segments: `sum` (Eq. 3) or `mean` over the segments of a recording.
        consistency: weight of the divergence between a clip's outputs at two offsets in Whisper's table of
            positions; above 0 each clip of a batch passes at both, under masks of its own, which doubles
            the time of a step.
        layer_decay: the learning rate of each layer is that of the layer above times this.
        warmup: share of the steps over which the learning rate rises.
        class_weights: whether the loss weighs every class alike, whatever its share (in a loss without segments).
        balanced: whether every class is drawn equally often, or every clip once in an epoch.
        gradient_value_clip: no component of a gradient goes beyond it; null leaves them alone.
        best_by: the chosen epoch has the highest `uar`, the lowest `loss`, or the highest mean of UAR and share of
            time (`uar+time`) on development clips.
        patience: training ends after this many epochs in a row that are no better; null goes through all.
        normalization: of `layer-average`, `global` (statistics of the training part) or `speaker` (a speaker's own).
        crop_frames: the utterance's mean is over so many frames from its start, in training and use; null is all.
        cut_s: training clips end there, in seconds; null is all.
    """

    # the order of the fields is that of every config.yaml
    corpus: str = "ravdess"
    corpus_options: dict[str, Any] = Field(default_factory=dict)
    protocol: str | None = None
    partial: Flag = False
    # the model
    system: Annotated[str, AfterValidator(known_system)] = DEFAULT_SYSTEM
    encoder: str = "facebook/wav2vec2-base"
    revision: str | None = None
    layer: WholeNumber | None = None
    frozen_layers: WholeNumber | None = None
    window_s: Positive | None = None
    segment_frames: Count = 80
    stride_frames: Count = 40
    tail: Tail = "align-right"
    # the loss
    alpha: dict[str, Share] = Field(default_factory=dict)
    margin: NotNegative = 1.0
    over_segments: Literal["sum", "mean"] = "sum"
    consistency: NotNegative = 0.0
    label_smoothing: ShareBelowOne = 0.0
    # the optimiser
    epochs: Count = 30
    batch_size: Count = 12
    learning_rate: Positive = 1e-5
    head_learning_rate: Positive = 1e-3
    layer_decay: Positive = 1.0
    weight_decay: NotNegative = 0.0
    warmup: ShareBelowOne = 0.1
    schedule: Literal["linear", "cosine", "constant", "constant_with_warmup"] = "linear"
    gradient_clip: Positive = 1.0
    precision: Literal["bf16", "fp32"] = "fp32"
    # where `layer-average` and `p-tapt` differ from the others
    class_weights: Flag = False
    balanced: Flag = True
    gradient_value_clip: Positive | None = None
    best_by: Literal["uar", "loss", "uar+time"] = "uar"
    patience: Count | None = None
    normalization: Normalization = "global"
    crop_frames: Count | None = None
    cut_s: Positive | None = None
    # the data
    augmentation: Augmentation = Field(default_factory=Augmentation)
    spec_augment: SpecAugment | None = None
    tapt: TaskAdaptation = Field(default_factory=TaskAdaptation)
    # what goes beyond the paper
    corpora: list[CorpusPart] = Field(default_factory=list)
    labels: list[str] | None = None
    joined: Joining = Field(default_factory=Joining)
    average_decay: ShareBelowOne = 0.0
    calibrated: Flag = False
    data_workers: CountFromZero = 0

    @property
    def corpus_name(self) -> str:
        """The corpus, or the names of several with + between them."""
        return "+".join(part.key for part in self.corpora) or self.corpus

    @property
    def soft_targets(self) -> bool:
        """Whether targets are shares of classes, or some classes are unknown to some clips."""
        return bool(self.corpora) or self.joined.share > 0

    def __post_init__(self):
        require(
            self.stride_frames <= self.segment_frames, "stride_frames", self.stride_frames, "at most segment_frames"
        )
        fewest, most = self.joined.clips
        require(2 <= fewest <= most, "joined.clips", [fewest, most], "the fewest, from 2, and the most")
        shortest_s, longest_s = self.joined.pause_s
        expected = "the shortest, from 0, and the longest"
        require(0 <= shortest_s <= longest_s, "joined.pause_s", [shortest_s, longest_s], expected)
        segments = SYSTEMS[self.system].segments
        require(
            segments or not self.joined.share,
            "joined.share",
            self.joined.share,
            f"0 for {self.system}, whose loss has no segments",
        )
        require(not (self.class_weights and self.soft_targets), "class_weights", True, "false where targets are soft")
        self._check_corpora()
        self._check_window()
        for system, alpha in self.alpha.items():
            require(system in SYSTEMS, f"alpha.{system}", alpha, f"α of one of {', '.join(SYSTEMS)}")

    def _check_corpora(self) -> None:
        names, labels = [part.key for part in self.corpora], self.labels or []
        for name in names:
            require(bool(name) and not set(name) & set("+/\\"), "corpora.alias", name, "a name without +, / and \\")
        require(len(set(names)) == len(names), "corpora", names, "each corpus once")
        for name in ("protocol", "corpus_options") if names else ():
            value = getattr(self, name)
            require(not value, name, value, "none beside corpora, each of which has its own")
        require(bool(names) or not labels, "labels", labels, "null without corpora: one has labels of its own")
        require(len(set(labels)) == len(labels), "labels", labels, "each class once")

    def _check_window(self) -> None:
        if self.window_s is None:
            return
        expected = f"the {self.segment_frames * FRAME_S:g} s of a segment, or more"
        require(round(self.window_s / FRAME_S) >= self.segment_frames, "window_s", self.window_s, expected)
        one_place = "0 with window_s, under which a clip has one place in the table of positions"
        require(not self.consistency, "consistency", self.consistency, one_place)


CONFIGS = Path(__file__).parents[1] / "configs"
SETTINGS = TypeAdapter(Settings)


def require(holds: bool, name: str, got: Any, expected: str) -> None:
    """Check a condition on a setting.

    Raises:
        SettingError: it does not hold; the message names the setting, the value and the expected one.
    """
    if not holds:
        raise SettingError(f"the setting {name} is {got!r}; expected {expected}")


class UniqueKeyLoader(LoaderWithNames):
    """Loads YAML, and refuses a name that stands twice, of which YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Construct a mapping of unique names."""
        names = [key.value for key, _ in node.value]
        if twice := sorted({str(name) for name in names if names.count(name) > 1}):
            raise yaml.constructor.ConstructorError(None, None, f"{', '.join(twice)} twice", node.start_mark)
        return super().construct_mapping(node, deep)


def find_config(path: Path) -> Path:
    """Find a file of settings by its path, or one that comes with the project by its bare name, e.g. `ravdess`.

    Raises:
        SettingError: there is neither; it names those that come with the project.
    """
    bundled = CONFIGS / f"{path}.yaml"
    if path.exists():
        return path
    if len(path.parts) > 1 or not bundled.is_file():
        known = ", ".join(sorted(file.stem for file in CONFIGS.glob("*.yaml")))
        raise SettingError(f"the settings {path} cannot be read: expected a YAML file that is there, or one of {known}")
    return bundled


def read_settings(path: Path, overrides: dict[str, str] | None = None) -> Settings:
    """Read settings from a YAML file, with values of the command line over them.

    The block `systems` of the file holds by system the settings that differ for it; it goes over the rest of the file.

    Args:
        path: the file, or a name for `find_config`.
        overrides: values as text, by name, e.g. `augmentation.speed`.

    Raises:
        SettingError: no such file, no YAML, an unknown name or a value of another kind.
    """
    file = find_config(path)
    try:
        values = yaml.load(file.read_text(), UniqueKeyLoader) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingError(f"the settings {path} cannot be read: {error}") from error
    require(isinstance(values, dict), f"file {path}", values, "settings by name")
    values = values_of_system(values, (overrides or {}).get("system"))
    apply_overrides(values, overrides or {})
    return settings_from(values)


def values_of_system(values: dict[str, Any], system: str | None) -> dict[str, Any]:
    """Merge the block `systems` of a file for one system: the one that is asked for, else the file's own."""
    blocks = values.pop("systems", None) or {}
    require(isinstance(blocks, dict), "systems", blocks, "settings by system")
    require(set(blocks) <= set(SYSTEMS), "systems", sorted(map(str, blocks)), f"some of {', '.join(SYSTEMS)}")
    name = system or values.get("system", DEFAULT_SYSTEM)
    block = blocks.get(name, {}) if isinstance(name, str) else {}
    require(isinstance(block, dict), f"systems.{name}", block, "settings by name")
    return values | block


def settings_from(values: dict[str, Any]) -> Settings:
    """Make settings of plain values, as YAML gives them.

    Raises:
        SettingError: an unknown name, or a value of another kind or out of its range.
    """
    try:
        return SETTINGS.validate_python(values)
    except ValidationError as error:
        raise setting_error(error, Settings) from error


def replace_settings(settings: Settings, **changes: Any) -> Settings:
    """Copy settings with some of them changed.

    Raises:
        SettingError: as in `settings_from`.
    """
    try:
        return dataclasses.replace(settings, **changes)
    except ValidationError as error:
        raise setting_error(error, Settings) from error


def to_yaml(settings: Settings) -> str:
    """Write all settings as YAML, enough to repeat the run."""
    values = dataclasses.asdict(settings)
    for group in ("augmentation", "joined"):
        values[group] = {k: list(v) if isinstance(v, tuple) else v for k, v in values[group].items()}
    return yaml.safe_dump(values, sort_keys=False)
