"""Record a run for its run.json: any run, and one that was trained here."""

import datetime
import platform
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Any

from segser_core import __version__
from segser_core.inference.predictor import Predictor
from segser_core.network.config import ORIGIN
from segser_core.runs.corpus_info import CorpusInfo
from segser_core.systems import find_system
from training.corpora import find_corpus_info

LIBRARIES = ("torch", "torchaudio", "transformers", "numpy")
LEFT_OUT_IF_NONE = ("corpus_info", "corpora", "layer_weights", "stages")


def library_versions() -> dict[str, str]:
    """List the versions of Python, segser and the libraries that compute."""
    return {"python": platform.python_version(), "segser": __version__, **{n: version(n) for n in LIBRARIES}}


def today() -> str:
    """Return the date as ISO 8601 writes it."""
    return datetime.date.today().isoformat()


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """Content of run.json of every run; the names of the fields are those in the file, in order.

    Attributes:
        system, labels: of the model.
        corpus, corpus_info, protocol: the clips that were scored, and the words about their corpus.
        seeds: of the models.
        encoder: where the encoder's weights come from.
        layer, segment_frames, stride_frames, tail: of the model's configuration.
        aggregate: the rule by which the label is found.
        context: how segments were encoded.
        longest_training_clip_s: audio that is longer is new to the model.
        versions, date, device, seconds: how the run was computed.
    """

    system: str
    labels: list[str]
    corpus: str
    corpus_info: CorpusInfo | None
    protocol: str
    seeds: list[int]
    encoder: dict[str, Any]
    layer: int | None
    segment_frames: int
    stride_frames: int
    tail: str
    aggregate: str
    context: str = "clip"
    longest_training_clip_s: float | None
    versions: dict[str, str] = field(default_factory=library_versions)
    date: str = field(default_factory=today)
    device: str
    seconds: int

    def to_json(self) -> dict[str, Any]:
        """Return the content of run.json."""
        return {k: v for k, v in asdict(self).items() if v is not None or k not in LEFT_OUT_IF_NONE}


@dataclass(frozen=True, kw_only=True)
class TrainedRunRecord(RunRecord):
    """Content of run.json of a run that was trained here.

    Attributes:
        alpha: α of Eq. 4; None follows Eq. 1.
        reductions: how losses are summed up.
        epochs: of each training.
        training_clips: of the first fold.
        corpora: of a training on several, by name the clips and speakers of each split.
        corpus_options: further arguments of the corpus's loader.
        left_out: files of the corpus that took no part, by reason.
        layer_weights: of each model of `layer-average`, the weights of its layers.
        stages: of each model of `p-tapt`, the record of the stages before fine-tuning.
    """

    alpha: float | None
    reductions: dict[str, str]
    epochs: int
    training_clips: int
    corpora: dict[str, dict[str, dict[str, int]]] | None
    corpus_options: dict[str, Any]
    left_out: dict[str, Any]
    layer_weights: list[list[float]] | None
    stages: list[Any] | None


def describe_run(predictor: Predictor, corpus: str, protocol: str, seeds: list[int], seconds: float) -> RunRecord:
    """Record a model and how it was scored.

    Args:
        predictor: the model.
        corpus: of the scored clips.
        protocol: of the scored clips.
        seeds: of the run.
        seconds: that training or scoring took.
    """
    config = predictor.model.config
    return RunRecord(
        system=predictor.system,
        labels=list(predictor.labels),
        corpus=corpus,
        corpus_info=find_corpus_info(corpus),
        protocol=protocol,
        seeds=seeds,
        encoder={k: config.encoder[k] for k in ORIGIN if k in config.encoder},
        layer=config.layer,
        segment_frames=config.segment_frames,
        stride_frames=config.stride_frames,
        tail=config.tail,
        aggregate=find_system(predictor.system).rule,
        longest_training_clip_s=config.longest_training_clip_s,
        device=str(predictor.device),
        seconds=round(seconds),
    )
