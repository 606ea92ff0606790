"""List the models that can be used."""

from dataclasses import dataclass
from pathlib import Path

from segser_core.bundled import BUNDLED
from segser_core.runs.corpus_info import CorpusInfo, corpus_info
from segser_core.runs.reading import read_json, read_meta
from segser_core.statistics.metrics import SCORES


@dataclass(frozen=True)
class ModelInfo:
    """A bundled model: `uar`, `accuracy`, `macro_f1` are fractions of its own test set, None where unknown."""

    name: str
    system: str
    labels: tuple[str, ...]
    corpus: str
    corpus_info: CorpusInfo
    encoder: str
    size_bytes: int
    uar: float | None
    accuracy: float | None
    macro_f1: float | None
    checkpoint: Path
    longest_training_clip_s: float | None


def list_models() -> list[ModelInfo]:
    """List the models that ship with the project, in order of name.

    Raises:
        RunError: one of them is damaged.

    Example:
        >>> [model.name for model in list_models()]
        ['baseline', 'seg+tri-w']
    """
    found = sorted(p.parent for p in BUNDLED.glob("*/run.json"))
    return [_model_info(folder) for folder in found if (folder / "checkpoint" / "config.json").is_file()]


def _model_info(folder: Path) -> ModelInfo:
    meta, checkpoint = read_meta(folder / "run.json"), folder / "checkpoint"
    scores = read_json(folder / "metrics.json") if (folder / "metrics.json").is_file() else {}
    pooled = {name: scores.get(name, {}).get("pooled") for name in SCORES}
    encoder = meta.get("encoder", "")
    return ModelInfo(
        name=folder.name,
        system=meta["system"],
        labels=tuple(meta["labels"]),
        corpus=str(meta.get("corpus", "")),
        corpus_info=corpus_info(meta),
        encoder=str(encoder.get("name", "") if isinstance(encoder, dict) else encoder),
        size_bytes=sum(f.stat().st_size for f in checkpoint.rglob("*") if f.is_file()),
        checkpoint=checkpoint,
        longest_training_clip_s=meta.get("longest_training_clip_s"),
        **pooled,
    )
