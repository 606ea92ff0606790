"""Configuration of a model; a transformers configuration like any other."""

from typing import TYPE_CHECKING, Any

from transformers.configuration_utils import PreTrainedConfig

from segser_core.systems import DEFAULT_SYSTEM

if TYPE_CHECKING:
    from segser_core.network.segments import Windows

ORIGIN = ("name", "revision", "sha256")


class SegmentEmotionConfig(PreTrainedConfig):
    """Everything that a prediction needs besides the weights.

    Attributes:
        encoder: the configuration of the encoder's network, as a dict, with the origin of its weights
            (`encoder_origin`).
        labels: the emotions, in the order of the head's outputs.
        system: which of the paper's systems was trained.
        layer: how many of the encoder's layers are kept (None: all).
        frozen_layers: how many of these were never tuned (see `wrap_encoder`).
        window_frames: most frames of one pass, see `FrameEncoder.limit_window` (None: all that the encoder takes).
        normalize: whether the waveform is brought to zero mean and unit variance first.
        segment_frames, stride_frames, tail: how frames are cut (20 ms a frame).
        longest_training_clip_s: audio longer than this is new ground for the model.
        normalization: of `layer-average`, see `LayerAverage`.
        crop_frames: the utterance's mean is over so many frames at most, from the start (None: all).
        calibration_temperature: by which the head's outputs are divided before the softmax.
        stages: of `p-tapt`, what went before the fine-tuning, as `training.learning.ptapt` records it.
    """

    model_type = "segser"

    def __init__(
        self,
        encoder: dict[str, Any] | None = None,
        labels: list[str] | None = None,
        system: str = DEFAULT_SYSTEM,
        layer: int | None = None,
        frozen_layers: int | None = None,
        normalize: bool = False,
        segment_frames: int = 80,
        stride_frames: int = 40,
        tail: str = "align-right",
        longest_training_clip_s: float | None = None,
        normalization: str = "global",
        crop_frames: int | None = None,
        stages: dict[str, Any] | None = None,
        calibration_temperature: float = 1.0,
        window_frames: int | None = None,
        **kwargs: Any,
    ):
        self.encoder = encoder or {"model_type": "wav2vec2"}
        self.system, self.layer, self.frozen_layers, self.normalize = system, layer, frozen_layers, normalize
        self.segment_frames, self.stride_frames, self.tail = segment_frames, stride_frames, tail
        self.longest_training_clip_s = longest_training_clip_s
        self.normalization, self.crop_frames, self.stages = normalization, crop_frames, stages
        self.calibration_temperature, self.window_frames = calibration_temperature, window_frames
        if labels is not None:
            kwargs["id2label"] = dict(enumerate(labels))
            kwargs["label2id"] = {label: i for i, label in enumerate(labels)}
        super().__init__(**kwargs)
        import segser_core.network.model  # noqa: F401  (which registers the model with AutoModel)

    @property
    def labels(self) -> list[str]:
        """List the emotions, in the order of the head's outputs."""
        names: dict[int, str] = self.id2label  # type: ignore[assignment]
        return [names[i] for i in range(len(names))]

    @property
    def windows(self) -> "Windows":
        """Return the windows by which frames are cut into segments."""
        from segser_core.network.segments import Windows

        return Windows(self.segment_frames, self.stride_frames, self.tail)  # type: ignore[arg-type]
