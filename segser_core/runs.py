"""The run folder, read and written, and the models that ship with the project. Nothing here needs torch.

A run is one system on one corpus under one protocol, all its seeds and folds: run.json and
predictions.parquet, and as known segments.parquet, embeddings.npz, metrics.json, config.yaml and
checkpoint/. A run is complete or it is not there: it is written beside its place and renamed.
"""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from segser_core.errors import ModelError, RunError
from segser_core.metrics import SCORES
from segser_core.places import in_place_of, sole_writer
from segser_core.run_files import (
    FORMAT,
    Embeddings,
    read_embeddings,
    read_json,
    read_meta,
    read_predictions,
    read_segments,
)
from segser_core.scores import metrics_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "BUNDLED",
    "Embeddings",
    "ModelInfo",
    "Run",
    "check_place",
    "checkpoint_of",
    "find_run",
    "find_runs",
    "models",
    "read_run",
    "runs_below",
    "write_run",
]
Stamp = tuple[tuple[str, int, int], ...]
TRIES = 3
BUNDLED = Path(__file__).parent / "bundled"


@dataclass(frozen=True, eq=False)
class Run:
    """A run folder as it was read.

    Attributes:
        path, name: where it is, and what it is called.
        system, labels, corpus, protocol, seeds: of run.json; empty where it does not say.
        predictions: a row an utterance (and seed and fold); `seed`, `fold` (0) and `split` (test)
            are filled in where the file has none.
        segments: a row a segment, or None where the run has none.
        meta: run.json, whole.
        stamp: of the files that were read, see `stamp_of`.
    """

    path: Path
    name: str
    system: str
    labels: tuple[str, ...]
    corpus: str
    protocol: str
    seeds: tuple[int, ...]
    predictions: "pd.DataFrame"
    segments: "pd.DataFrame | None"
    meta: dict[str, Any]
    stamp: Stamp

    def embeddings(self) -> Embeddings | None:
        """The vectors, read now; None where the run has none.

        Raises:
            RunError: the file is damaged, its arrays do not fit one another, or the run has been replaced meanwhile.
        """
        if stamp_of(self.path) != self.stamp:
            raise RunError(f"{self.path} was replaced after it was read; read it again")
        file = self.path / "embeddings.npz"
        return read_embeddings(file) if file.is_file() else None

    @property
    def lacks(self) -> tuple[str, ...]:
        """The optional files that are not there, each with what cannot be shown without it."""
        needs = {"segments.parquet": "segments over time", "embeddings.npz": "the map of embeddings"}
        return tuple(f"{file}: {use}" for file, use in needs.items() if not (self.path / file).is_file())


def stamp_of(folder: Path) -> Stamp:
    """Name, size and time of change of each file of a run folder: another stamp, another content.

    Raises:
        RunError: there is no such folder, or no more.
    """
    try:
        files = sorted((file.name, file.stat()) for file in folder.iterdir() if file.is_file())
    except FileNotFoundError:
        raise RunError(f"{folder} is not there, so it holds no run.json; name a run folder") from None
    except OSError as error:
        raise RunError(f"{folder} cannot be read: {error.strerror}; a run folder is expected there") from error
    return tuple((name, of.st_size, of.st_mtime_ns) for name, of in files)


def read_run(path: str | Path, name: str | None = None) -> Run:
    """A run folder; run.json and predictions.parquet are enough.

    A run that is replaced while it is read is read again.

    Args:
        path: the folder.
        name: what to call it; the folder's name where it is None.

    Raises:
        RunError: a required file is missing or damaged, of another format, or lacks a column.
    """
    path = Path(path)
    for _ in range(TRIES):
        stamp = stamp_of(path)
        run = _read(path, name, stamp)
        if stamp_of(path) == stamp:
            return run
    raise RunError(f"{path} was replaced {TRIES} times while it was read; try again when nothing writes there")


def _read(path: Path, name: str | None, stamp: Stamp) -> Run:
    meta = read_meta(path / "run.json")
    labels = tuple(meta["labels"])
    predictions = read_predictions(path / "predictions.parquet", labels)
    segments = path / "segments.parquet"
    return Run(
        path,
        name or path.resolve().name,
        meta["system"],
        labels,
        str(meta.get("corpus", "")),
        str(meta.get("protocol", "")),
        tuple(sorted(int(s) for s in predictions.seed.unique())),
        predictions,
        read_segments(segments, labels) if segments.is_file() else None,
        meta,
        stamp,
    )


def write_run(
    path: str | Path,
    *,
    meta: Mapping[str, Any],
    config_yaml: str,
    predictions: "pd.DataFrame",
    segments: "pd.DataFrame | None" = None,
    embeddings: Embeddings | Mapping[str, np.ndarray] | None = None,
    metrics: Mapping[str, Any] | None = None,
    checkpoint_dir: str | Path | None = None,
) -> None:
    """Write a run folder, complete or not at all; a run that is there stays until the new one is.

    Args:
        path: the folder to be.
        meta: run.json; `format` is added.
        config_yaml: the text of config.yaml.
        predictions, segments, embeddings: the files of those names; embeddings may be a mapping of the arrays.
        metrics: metrics.json; found from the predictions where it is None.
        checkpoint_dir: a folder whose content becomes checkpoint/.

    Raises:
        RunError: the new run could not be written or read back, another process is writing there, `path`
            is a folder that is no run, or it is a run with a checkpoint and the new one has none.
    """
    path = Path(path)
    check_place(path, keeps_checkpoint=checkpoint_dir is not None)
    with sole_writer(path), in_place_of(path) as folder:
        write_json(folder / "run.json", {"format": FORMAT, **meta})
        (folder / "config.yaml").write_text(config_yaml, encoding="utf-8")
        predictions.to_parquet(folder / "predictions.parquet", index=False)
        if segments is not None:
            segments.to_parquet(folder / "segments.parquet", index=False)
        if embeddings is not None:
            arrays = vars(embeddings) if isinstance(embeddings, Embeddings) else embeddings
            plain = {k: np.asarray(v, dtype=str if k.endswith("_id") else None) for k, v in arrays.items()}
            np.savez(folder / "embeddings.npz", allow_pickle=False, **plain)
        write_json(folder / "metrics.json", metrics or metrics_of(predictions, list(meta["labels"])))
        if checkpoint_dir is not None:
            shutil.copytree(checkpoint_dir, folder / "checkpoint")
        read_run(folder).embeddings()


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """A file of a run; a RunError where the content is no JSON, as NaN is none."""
    try:
        text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise RunError(f"{path.name} cannot hold this: {error}") from error
    path.write_text(text + "\n", encoding="utf-8")


def check_place(path: Path, keeps_checkpoint: bool) -> None:
    """Whether a run may be written there; worth asking before hours of training.

    Raises:
        RunError: the place is a file, a folder that is no run, or a run whose checkpoint would be lost.
    """
    if path.exists() and not path.is_dir():
        raise RunError(f"{path} is a file; name a folder that is empty, a run, or not there yet")
    if path.is_dir() and any(path.iterdir()) and not (path / "run.json").is_file():
        raise RunError(f"{path} is not empty and no run folder, so it is not replaced; name another folder")
    if (path / "checkpoint").is_dir() and not keeps_checkpoint:
        raise RunError(f"{path} holds a checkpoint, which this run would replace without one; name another folder")


def find_runs() -> tuple[tuple[str, Path], ...]:
    """Name and folder of each run below the folders of `SEGSER_RUNS`, then of each bundled one.

    Of equal names the first one is taken.
    """
    folders = [Path(p) for p in os.environ.get("SEGSER_RUNS", "").split(os.pathsep) if p]
    found: dict[str, Path] = {}
    for folder in (*folders, BUNDLED):
        found |= {name: path for name, path in runs_below(folder).items() if name not in found}
    return tuple(found.items())


def runs_below(folder: Path) -> dict[str, Path]:
    """The runs in a folder by name, which is their path below it; where the folder itself is one, its own name."""
    found = {}
    for file in sorted(folder.rglob("run.json")):
        name = file.parent.relative_to(folder).as_posix()
        if not any(part.startswith(".") for part in Path(name).parts):
            found[folder.name if name == "." else name] = file.parent
    return found


def find_run(name_or_dir: str | Path) -> Path:
    """A run folder, by its path or by its name among `find_runs`.

    Raises:
        RunError: there is neither; it names the runs that there are.
    """
    if Path(name_or_dir, "run.json").is_file():
        return Path(name_or_dir)
    known = dict(find_runs())
    if str(name_or_dir) in known:
        return known[str(name_or_dir)]
    raise RunError(f"{name_or_dir} is no run folder and no run's name; known: {', '.join(known) or 'none'}")


@dataclass(frozen=True)
class ModelInfo:
    """A bundled model: `uar`, `accuracy`, `macro_f1` are fractions of its own test set, None where unknown."""

    name: str
    system: str
    labels: tuple[str, ...]
    corpus: str
    encoder: str
    size_bytes: int
    uar: float | None
    accuracy: float | None
    macro_f1: float | None
    checkpoint: Path
    longest_training_clip_s: float | None


def models() -> list[ModelInfo]:
    """The models that ship with the project, in order of name.

    Raises:
        RunError: one of them is damaged.
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
        encoder=str(encoder.get("name", "") if isinstance(encoder, dict) else encoder),
        size_bytes=sum(f.stat().st_size for f in checkpoint.rglob("*") if f.is_file()),
        checkpoint=checkpoint,
        longest_training_clip_s=meta.get("longest_training_clip_s"),
        **pooled,
    )


def checkpoint_of(name_or_dir: str | Path) -> Path:
    """The folder of a model's weights: of a bundled model by name, of a run, or the checkpoint folder itself.

    Raises:
        ModelError: there is no such model, or the run has several; it says which there are.
    """
    path = Path(name_or_dir)
    for folder in (BUNDLED / path / "checkpoint", path, path / "checkpoint"):
        if (folder / "config.json").is_file():
            return folder
    several = sorted(p.parent.as_posix() for p in path.glob("checkpoint/seed-*/fold-*/config.json"))
    if several:
        raise ModelError(f"{path} holds {len(several)} checkpoints; name one of {', '.join(several)}")
    known = ", ".join(p.parents[1].name for p in sorted(BUNDLED.glob("*/checkpoint/config.json"))) or "none"
    raise ModelError(
        f"{str(name_or_dir)!r} is no model: expected a bundled one ({known}), a run folder with a checkpoint, or "
        "a folder with config.json and model.safetensors; see `python -m segser_core models`"
    )
