"""Write a run folder, complete or not at all."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from segser_core.errors import RunError
from segser_core.files import replace_folder, write_lock
from segser_core.runs.reading import (
    RUN_FORMAT,
    Embeddings,
)

if TYPE_CHECKING:
    import pandas as pd
from segser_core.runs.run import read_run


def write_run(
    path: str | Path,
    *,
    meta: Mapping[str, Any],
    config_yaml: str,
    metrics: Mapping[str, Any],
    predictions: "pd.DataFrame",
    segments: "pd.DataFrame | None" = None,
    stretches: "pd.DataFrame | None" = None,
    embeddings: Embeddings | Mapping[str, np.ndarray] | None = None,
    history: Mapping[str, Any] | None = None,
    checkpoint_dir: str | Path | None = None,
) -> None:
    """Write a run folder, complete or not at all; a run that is there stays until the new one is.

    Args:
        path: the folder to be.
        meta: run.json; `format` is added.
        config_yaml: the text of config.yaml.
        metrics: metrics.json, as `statistics.scores.metrics_of` finds it.
        predictions, segments, stretches, embeddings: the files of those names; embeddings may be a mapping of the
            arrays.
        history: history.json, the epochs of each training.
        checkpoint_dir: a folder whose content becomes checkpoint/.

    Raises:
        RunError: the new run could not be written or read back, another process is writing there, `path`
            is a folder that is no run, or it is a run with a checkpoint and the new one has none.
    """
    path = Path(path)
    check_run_folder(path, keeps_checkpoint=checkpoint_dir is not None)
    with write_lock(path), replace_folder(path) as folder:
        write_run_json(folder / "run.json", {"format": RUN_FORMAT, **meta})
        (folder / "config.yaml").write_text(config_yaml, encoding="utf-8")
        predictions.to_parquet(folder / "predictions.parquet", index=False)
        for name, table in (("segments", segments), ("stretches", stretches)):
            if table is not None:
                table.to_parquet(folder / f"{name}.parquet", index=False)
        if embeddings is not None:
            arrays = vars(embeddings) if isinstance(embeddings, Embeddings) else embeddings
            plain = {k: np.asarray(v, dtype=str if k.endswith("_id") else None) for k, v in arrays.items()}
            np.savez(folder / "embeddings.npz", allow_pickle=False, **plain)
        write_run_json(folder / "metrics.json", metrics)
        if history is not None:
            write_run_json(folder / "history.json", history)
        if checkpoint_dir is not None:
            shutil.copytree(checkpoint_dir, folder / "checkpoint")
        read_run(folder).embeddings()


def write_run_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file of a run; a RunError where the content is no JSON, as NaN is none."""
    try:
        text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise RunError(f"{path.name} cannot hold this: {error}") from error
    path.write_text(text + "\n", encoding="utf-8")


def check_run_folder(path: Path, keeps_checkpoint: bool) -> None:
    """Check that a run may be written there, before hours of training.

    Raises:
        RunError: the place is a file, a folder that is no run, or a run whose checkpoint would be lost.
    """
    if path.exists() and not path.is_dir():
        raise RunError(f"{path} is a file; name a folder that is empty, a run, or not there yet")
    if path.is_dir() and any(path.iterdir()) and not (path / "run.json").is_file():
        raise RunError(f"{path} is not empty and no run folder, so it is not replaced; name another folder")
    if (path / "checkpoint").is_dir() and not keeps_checkpoint:
        raise RunError(f"{path} holds a checkpoint, which this run would replace without one; name another folder")
