"""Copy a run without its weights, small enough to be committed beside the code.

    python -m training.release.publish RUN --out training/results/ravdess/seg+tri-w

Predictions, segments, scores and settings go along whole; of the vectors those of test clips, which the maps show, and
where they would be too many only those of the first fold, or none. What was left out stands in run.json.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from segser_core.errors import RunError, SegserError
from segser_core.runs.map_points import segment_folds
from segser_core.runs.reading import Embeddings, read_json
from segser_core.runs.run import Run, read_run
from segser_core.runs.writing import write_run

MOST_BYTES = 3_000_000


def vectors_of(vectors: Embeddings, run: Run, folds: list[int]) -> Embeddings:
    """The vectors of the test clips of some folds."""
    rows = run.predictions
    tested = rows[(rows["split"] == "test") & rows["fold"].isin(folds)]
    wanted = set(zip(tested["utterance_id"], tested["fold"], strict=True))

    def among(ids: np.ndarray, fold: np.ndarray) -> np.ndarray:
        return np.array([pair in wanted for pair in zip(ids.tolist(), fold.tolist(), strict=True)], dtype=bool)

    utterances = among(vectors.utterance_id, vectors.utterance_fold)
    segments = among(vectors.segment_utterance_id, segment_folds(vectors))
    return Embeddings(
        **{k: v[segments if k.startswith("segment") else utterances] for k, v in vars(vectors).items()},
    )


def fitting(run: Run, most_bytes: int = MOST_BYTES) -> tuple[Embeddings | None, str]:
    """The vectors that leave a run below a size, and what they are of, in words."""
    vectors = run.embeddings()
    if vectors is None:
        return None, "none"
    files = [f for f in run.path.iterdir() if f.is_file() and f.name != "embeddings.npz"]
    left = most_bytes - sum(f.stat().st_size for f in files) - 10_000  # of the archive's own headers
    folds = sorted(int(fold) for fold in np.unique(vectors.utterance_fold))
    for kept, said in ((folds, "test clips"), (folds[:1], f"test clips of fold {folds[0]}")):
        part = vectors_of(vectors, run, kept)
        if sum(array.nbytes for array in vars(part).values()) <= left:
            return part, f"{said}, first seed"
    return None, "none, for their size"


def publish(run: Run, out: Path) -> int:
    """Copy a run without its weights; returns the bytes of the copy.

    Raises:
        RunError: `out` is the run itself, or holds weights or something that is no run.
    """
    if out.resolve() == run.path.resolve():
        raise RunError(f"{out} is the run itself, which stays as it is; name another folder")
    embeddings, kept = fitting(run)
    write_run(
        out,
        meta=run.meta | {"embeddings": kept},
        config_yaml=(run.path / "config.yaml").read_text(encoding="utf-8"),
        predictions=run.predictions,
        segments=run.segments,
        embeddings=embeddings,
        metrics=read_json(run.path / "metrics.json"),
    )
    return sum(f.stat().st_size for f in out.rglob("*") if f.is_file())


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m training.release.publish", description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="a run that training.runs.job wrote")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write")
    asked = parser.parse_args(argv)
    try:
        size = publish(read_run(asked.run), asked.out)
    except (SegserError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{asked.out}: {size / 1e6:.1f} MB" + (f", above {MOST_BYTES / 1e6:g} MB" if size > MOST_BYTES else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
