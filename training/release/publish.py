"""Publish a run: copy it without its weights, small enough to be committed beside the code.

    python -m training.release.publish RUN --out training/results/ravdess/seg+tri-w

Predictions, segments, scores, settings and the history go along whole; of the embeddings those of test clips, which
the maps show. Where they would be too large, their first principal components stand for them, or those of the first
fold, or none. run.json records which.
"""

import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from segser_core.errors import RunError
from segser_core.formatting import percent
from segser_core.runs.map_points import segment_folds
from segser_core.runs.reading import Embeddings, read_json
from segser_core.runs.run import Run, read_run
from segser_core.runs.writing import write_run
from segser_core.statistics.projection import project_pca
from training.config.command_line import APP, Command, run_command_line

MOST_BYTES = 3_000_000
COMPONENTS = 64


def select_test_embeddings(embeddings: Embeddings, run: Run, folds: list[int]) -> Embeddings:
    """Select the embeddings of the test clips of some folds."""
    rows = run.predictions
    tested = rows[(rows["split"] == "test") & rows["fold"].isin(folds)]
    test_clips = set(zip(tested["utterance_id"], tested["fold"], strict=True))

    def among(ids: np.ndarray, fold: np.ndarray) -> np.ndarray:
        return np.array([clip in test_clips for clip in zip(ids.tolist(), fold.tolist(), strict=True)], dtype=bool)

    utterances = among(embeddings.utterance_id, embeddings.utterance_fold)
    segments = among(embeddings.segment_utterance_id, segment_folds(embeddings))
    return Embeddings(
        **{k: v[segments if k.startswith("segment") else utterances] for k, v in vars(embeddings).items()},
    )


def fit_embeddings(run: Run, most_bytes: int = MOST_BYTES) -> tuple[Embeddings | None, str]:
    """Choose the embeddings that leave a run below a size.

    Args:
        run: with all of its embeddings.
        most_bytes: of the run's files without the checkpoint.

    Returns:
        The embeddings, and the clips that they are of in words.
    """
    embeddings = run.embeddings()
    if embeddings is None:
        return None, "none"
    files = [f for f in run.path.iterdir() if f.is_file() and f.name != "embeddings.npz"]
    left = most_bytes - sum(f.stat().st_size for f in files) - 10_000  # of the archive's own headers
    folds = sorted(int(fold) for fold in np.unique(embeddings.utterance_fold))
    for chosen, clips in ((folds, "test clips"), (folds[:1], f"test clips of fold {folds[0]}")):
        part = select_test_embeddings(embeddings, run, chosen)
        if count_bytes(part) <= left:
            return part, f"{clips}, first seed"
        if len(chosen) == 1:  # folds have different spaces
            reduced, variance = reduce_embeddings(part, COMPONENTS)
            if count_bytes(reduced) <= left:
                words = f"their first {COMPONENTS} principal components ({percent(variance)} % of the variance)"
                return reduced, f"{clips}, first seed, as {words}"
    return None, "none, for their size"


def count_bytes(embeddings: Embeddings) -> int:
    """Count the bytes of all arrays."""
    return sum(array.nbytes for array in vars(embeddings).values())


def reduce_embeddings(embeddings: Embeddings, components: int) -> tuple[Embeddings, float]:
    """Reduce the vectors of one fold to their first principal components, utterances and segments on the same axes.

    Returns:
        The embeddings, float16, and the share of the variance that is left.
    """
    vectors = np.concatenate([embeddings.utterance, embeddings.segment]).astype(np.float32)
    found = project_pca(vectors, min(components, vectors.shape[1]))
    variance = float(found.var(axis=0).sum() / vectors.var(axis=0).sum())
    utterance, segment = np.split(found.astype(np.float16), [len(embeddings.utterance)])
    return replace(embeddings, utterance=utterance, segment=segment), variance


def copy_without_weights(run: Run, out: Path, most_bytes: int = MOST_BYTES) -> int:
    """Copy a run without its weights, and return the bytes of the copy.

    Raises:
        RunError: `out` is the run itself, or holds weights or something that is no run.
    """
    if out.resolve() == run.path.resolve():
        raise RunError(f"{out} is the run itself, which stays as it is; name another folder")
    embeddings, clips = fit_embeddings(run, most_bytes)
    write_run(
        out,
        meta=run.meta | {"embeddings": clips},
        config_yaml=without_folders((run.path / "config.yaml").read_text(encoding="utf-8")),
        predictions=run.predictions,
        segments=run.segments,
        stretches=run.stretches,
        embeddings=embeddings,
        metrics=read_json(run.path / "metrics.json"),
        history=read_json(history) if (history := run.path / "history.json").is_file() else None,
    )
    return sum(f.stat().st_size for f in out.rglob("*") if f.is_file())


def without_folders(config_yaml: str) -> str:
    """Leave the name alone of each local path in a configuration; names of the hub stay.

    Example:
        >>> without_folders("encoder: /home/me/whisper-base")
        'encoder: whisper-base'
        >>> without_folders("encoder: openai/whisper-base")
        'encoder: openai/whisper-base'
    """
    return re.sub(r"(: )[./~][^\s,}]*/", r"\1", config_yaml)


app = typer.Typer(**APP)


@app.command(cls=Command)
def publish(
    run: Annotated[Path, typer.Argument(help="a run that training.train wrote")],
    out: Annotated[Path, typer.Option(help="the folder to write")],
    most_mb: Annotated[float, typer.Option(help="embeddings that do not fit into this are reduced or left out")] = 3.0,
) -> None:
    """Copy a run without its weights, small enough to be committed beside the code."""
    size = copy_without_weights(read_run(run), out, round(most_mb * 1e6)) / 1e6
    typer.echo(f"{out}: {size:.1f} MB" + (f", above {most_mb:g} MB" if size > most_mb else ""))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    return run_command_line(app, "python -m training.release.publish", arguments)


if __name__ == "__main__":
    sys.exit(main())
