"""Put a trained run into the package, with a model card whose figures come from run folders alone.

python -m training.release.bundle RUN --other EMODB_RUN
"""

import math
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from string import Template
from textwrap import fill
from typing import Annotated, Any

import typer
from safetensors import safe_open

from segser_core.bundled import BUNDLED
from segser_core.files import replace_folder
from segser_core.network.segments import FRAME_S
from segser_core.runs.run import Run, read_run
from segser_core.runs.writing import write_run_json
from segser_core.statistics.metrics import SCORES
from segser_core.statistics.scores import compute_metrics, summarise_scores
from segser_core.systems import find_system
from training.config.command_line import APP, Command, run_command_line
from training.config.settings import read_settings

OWN_POSITIVES_MENDED = "2026-11-27"  # the date of the change to `choose_triplets`, as `run.json` writes it
LOSSES = {
    "baseline": "the utterance's negative log-likelihood. It met no segment in training: its segments are a probe.",
    "seg+tri-w": "Eq. 3 over segments and utterance, with the triplet loss of Eq. 2 on utterances, weighed by Eq. 4 at "
    "α = $alpha. The label is that of the most confident segment.",
}


def percent_with_interval(value: float, bounds: list[float]) -> str:
    """Format a fraction with its interval, in percent."""
    return f"{100 * value:.1f} ({100 * bounds[0]:.1f} to {100 * bounds[1]:.1f})"


def score_row(name: str, run: Run) -> str:
    """Write one row of the table of scores."""
    metrics = compute_metrics(run.predictions, run.labels)
    cells = [percent_with_interval(metrics[m]["pooled"], metrics["intervals"][m]) for m in SCORES]
    return f"| {name} | {metrics['utterances']} | {' | '.join(cells)} |"


def recall_rows(run: Run) -> str:
    """Write the rows of recall by class, with intervals."""
    metrics = compute_metrics(run.predictions, run.labels)
    counts = run.predictions[run.predictions["split"] == "test"]["label"].value_counts()
    recall, intervals = metrics["recall"], metrics["intervals"]["recall"]
    return "\n".join(
        f"| {c} ({counts[c]} clips) | {percent_with_interval(recall[c], intervals[c])} |" for c in run.labels
    )


def macro_f1_note(corpus: str, run: Run) -> str:
    """Say over which classes a run's macro F1 is the mean, where its corpus lacks some that the model names."""
    confusion = summarise_scores(run.predictions, run.labels).pooled.confusion
    true, named = confusion.sum(axis=1), confusion.sum(axis=0)
    extra = [c for c, n, m in zip(run.labels, true, named, strict=True) if m and not n]
    classes = f"over the {(true > 0).sum()} classes that {corpus} has"
    if not extra:
        return f"Its macro F1 is {classes}."
    of_true = (2 * confusion.diagonal() / (true + named).clip(min=1))[true > 0].mean()
    return (
        f"Its macro F1 is over {(true + named > 0).sum()} classes: {' and '.join(extra)}, which {corpus} lacks and the "
        f"model names in {named[true == 0].sum()} of {true.sum()} clips, counts as 0. Taken {classes} it is "
        f"{100 * of_true:.1f}."
    )


def own_positive_note(run: Run) -> str:
    """Say whether a run was trained while a clip that a batch held twice could be its own positive."""
    if find_system(run.system).triplets is None:
        return "The system has none: it has no triplets."
    if run.meta["date"] > OWN_POSITIVES_MENDED:
        return "No clip was its own positive."
    return (
        f"The training ({run.meta['date']}) predates a mend of {OWN_POSITIVES_MENDED}: a clip that a batch held twice "
        "could be its own positive. `python -m benchmarks.own_positives` counts how often."
    )


def count_parameters(checkpoint: Path) -> int:
    """Count the weights that a checkpoint holds, from its header."""
    with safe_open(checkpoint / "model.safetensors", "pt") as file:
        shapes = [file.get_slice(name).get_shape() for name in file.keys()]  # noqa: SIM118
    return sum(map(math.prod, shapes))


def model_card(run: Run, other: Run) -> str:
    """Write the model card of a run on RAVDESS, with the same model's run on EMO-DB beside it."""
    meta: dict[str, Any] = run.meta
    settings = read_settings(run.path / "config.yaml")
    fields = {
        "system": run.system,
        "n_labels": len(run.labels),
        "labels": ", ".join(run.labels),
        "segment_s": f"{meta['segment_frames'] * FRAME_S:.1f}",
        "layer": meta["layer"],
        "parameters": f"{count_parameters(run.path / 'checkpoint') / 1e6:.1f}",
        "loss": Template(LOSSES[run.system]).substitute(alpha=meta["alpha"]),
        "training_clips": meta["training_clips"],
        "epochs": meta["epochs"],
        "minutes": round(meta["seconds"] / 60),
        "device": meta["device"],
        "consistency": f"{settings.consistency:g}",
        "smoothing": f"{settings.label_smoothing:g}",
        "positives": fill(own_positive_note(run), 100, subsequent_indent="  "),
        "f1_classes": fill(macro_f1_note("EMO-DB", other), 118),
        "seeds": ", ".join(map(str, run.seeds)),
        "scores": "\n".join([score_row("RAVDESS test", run), score_row("EMO-DB, six emotions", other)]),
        "recall": recall_rows(run),
    }
    return Template(Path(__file__).with_name("card.md").read_text()).substitute(fields)


app = typer.Typer(**APP)


@app.command(cls=Command)
def bundle(
    run: Annotated[Path, typer.Argument(help="the run on RAVDESS, with its checkpoint")],
    other: Annotated[Path, typer.Option(help="the same model's run on EMO-DB")],
) -> None:
    """Put a trained run into the package, with its model card."""
    trained = read_run(run)
    text = model_card(trained, read_run(other))
    folder = BUNDLED / trained.system
    with replace_folder(folder) as new:
        shutil.copytree(run, new, dirs_exist_ok=True)
        write_run_json(new / "metrics.json", compute_metrics(trained.predictions, trained.labels))  # as in the card
        (new / "README.md").write_text(text)
    size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
    typer.echo(f"{folder.relative_to(BUNDLED.parents[1])}: {size / 2**20:.1f} MB")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    return run_command_line(app, "python -m training.release.bundle", arguments)


if __name__ == "__main__":
    sys.exit(main())
