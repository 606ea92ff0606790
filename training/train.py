"""Train one system on one corpus and write its run folder.

    python -m training.train --config training/configs/ravdess.yaml --system seg+tri-w --root DIR --out RUN

Any setting of the configuration can be given as an option: `--epochs 8`, `--augmentation.variants 4`. What is needed to
go on after a stop lies beside the run, in `RUN.resume`, and goes when the run is complete; `tensorboard --logdir` reads
the folder `tensorboard` beside the run.
"""

import contextlib
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from training.config.command_line import APP, WITH_SETTINGS, CommandWithSettings, run_command_line, scores_in_words

app = typer.Typer(**APP)


@app.command("train", cls=CommandWithSettings, context_settings=WITH_SETTINGS)
def train(
    context: typer.Context,
    config: Annotated[Path, typer.Option(help="a file of settings, or the name of one in training/configs")],
    root: Annotated[Path, typer.Option(help="the corpus's folder")],
    out: Annotated[Path | None, typer.Option(help="the run folder to write; else runs/CORPUS/SYSTEM")] = None,
    seed: Annotated[list[int] | None, typer.Option(help="one or several; else 0")] = None,
    fold: Annotated[list[int] | None, typer.Option(help="one or several; else all")] = None,
    cache: Annotated[Path | None, typer.Option(help="a folder that keeps frozen features for later trainings")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="go on where an earlier call was stopped")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="print what would be done")] = False,
    partial: Annotated[bool, typer.Option("--partial", help="take a corpus that is not complete as it is")] = False,
) -> None:
    """Train one system on one corpus and write its run folder; any setting can be given as --NAME VALUE."""
    from segser_core.files import write_lock
    from training.config.overrides import parse_overrides
    from training.config.settings import read_settings
    from training.learning.distributed import process_state
    from training.learning.dry_run import describe_plan
    from training.runs.job import TrainRequest, plan_jobs, train_run

    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    settings = read_settings(config, parse_overrides(context.args) | ({"partial": "true"} if partial else {}))
    request = TrainRequest(
        settings=settings,
        root=root,
        out=out or Path("runs") / settings.corpus_name / settings.system,
        seeds=tuple(seed or (0,)),
        folds=tuple(fold) if fold else None,
        cache=cache,
        resume=resume,
    )
    jobs = plan_jobs(request)
    if dry_run:
        typer.echo(describe_plan([job.fold for job in jobs if job.seed == jobs[0].seed], settings, len(jobs)))
        return
    with write_lock(request.out) if process_state().is_main_process else contextlib.nullcontext():
        metrics = train_run(request, jobs)
    if metrics is not None:
        typer.echo(f"test {scores_in_words(metrics)} → {request.out}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    return run_command_line(app, "python -m training.train", arguments)


if __name__ == "__main__":
    sys.exit(main())
