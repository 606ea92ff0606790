"""Put a trained run into the package, with a model card whose figures come from run folders alone.

python -m training.release.bundle RUN --other EMODB_RUN
"""

import argparse
import math
import shutil
import sys
from pathlib import Path
from string import Template
from typing import Any

from safetensors import safe_open

from segser_core.bundled import BUNDLED
from segser_core.errors import SegserError
from segser_core.network.segments import FRAME_S
from segser_core.runs.run import Run, read_run
from segser_core.runs.writing import write_run_json
from segser_core.statistics.metrics import SCORES
from segser_core.statistics.scores import compute_metrics
from training.config.settings import read_settings

LOSSES = {
    "baseline": "the utterance's negative log-likelihood. It met no segment in training: its segments are a probe.",
    "seg+tri-w": "Eq. 3 over segments and utterance, with the triplet loss of Eq. 2 on utterances, weighed by Eq. 4 at "
    "α = $alpha. The label is that of the most confident segment.",
}


def percent(value: float, bounds: list[float]) -> str:
    """A fraction with its interval, in percent."""
    return f"{100 * value:.1f} ({100 * bounds[0]:.1f} to {100 * bounds[1]:.1f})"


def score_row(name: str, run: Run) -> str:
    """One row of the table of scores."""
    metrics = compute_metrics(run.predictions, run.labels)
    cells = [percent(metrics[m]["pooled"], metrics["intervals"][m]) for m in SCORES]
    return f"| {name} | {metrics['utterances']} | {' | '.join(cells)} |"


def recall_rows(run: Run) -> str:
    """Recall per class with its interval."""
    metrics = compute_metrics(run.predictions, run.labels)
    counts = run.predictions[run.predictions["split"] == "test"]["label"].value_counts()
    rows = (
        f"| {c} ({counts[c]} clips) | {percent(metrics['recall'][c], metrics['intervals']['recall'][c])} |"
        for c in run.labels
    )
    return "\n".join(rows)


def parameters(checkpoint: Path) -> int:
    """How many weights a checkpoint holds, from its header."""
    with safe_open(checkpoint / "model.safetensors", "pt") as file:
        shapes = [file.get_slice(name).get_shape() for name in file.keys()]  # noqa: SIM118
    return sum(map(math.prod, shapes))


def card(run: Run, other: Run) -> str:
    """The model card of a run on RAVDESS, with the same model's run on EMO-DB beside it."""
    meta: dict[str, Any] = run.meta
    fields = {
        "system": run.system,
        "n_labels": len(run.labels),
        "labels": ", ".join(run.labels),
        "segment_s": f"{meta['segment_frames'] * FRAME_S:.1f}",
        "layer": meta["layer"],
        "parameters": f"{parameters(run.path / 'checkpoint') / 1e6:.1f}",
        "loss": Template(LOSSES[run.system]).substitute(alpha=meta["alpha"]),
        "training_clips": meta["training_clips"],
        "epochs": meta["epochs"],
        "consistency": f"{read_settings(run.path / 'config.yaml').consistency:g}",
        "seeds": ", ".join(map(str, run.seeds)),
        "scores": "\n".join([score_row("RAVDESS test", run), score_row("EMO-DB, six emotions", other)]),
        "recall": recall_rows(run),
    }
    return Template(Path(__file__).with_name("card.md").read_text()).substitute(fields)


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m training.release.bundle", description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="the run on RAVDESS, with its checkpoint")
    parser.add_argument("--other", type=Path, required=True, help="the same model's run on EMO-DB")
    asked = parser.parse_args(argv)
    try:
        run = read_run(asked.run)
        text = card(run, read_run(asked.other))
    except SegserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    place = BUNDLED / run.system
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(asked.run, place)
    write_run_json(place / "metrics.json", compute_metrics(run.predictions, run.labels))  # as the card has its figures
    (place / "README.md").write_text(text)
    size = sum(f.stat().st_size for f in place.rglob("*") if f.is_file())
    print(f"{place.relative_to(BUNDLED.parents[1])}: {size / 2**20:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
