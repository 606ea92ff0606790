"""Score a model on a corpus, exactly as `analyze` would hear each clip, and write the run folder.

python -m training.evaluate --model seg+tri-w --corpus emodb --root DIR --out RUN
"""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from segser_core.cli import INTERRUPTED, print_error_line
from training.config.command_line import APP, WITH_SETTINGS, Command, run_command_line, scores_in_words

app = typer.Typer(**APP)


@app.command("evaluate", cls=Command, context_settings=WITH_SETTINGS)
def evaluate(
    context: typer.Context,
    model: Annotated[str, typer.Option(help="a bundled model's name, or a run or checkpoint folder")],
    corpus: Annotated[str, typer.Option(help="the corpus's name")],
    root: Annotated[Path, typer.Option(help="the corpus's folder")],
    out: Annotated[Path, typer.Option(help="the run folder to write")],
    protocol: Annotated[str | None, typer.Option(help="the corpus's default where it is not said")] = None,
    partial: Annotated[bool, typer.Option("--partial", help="take a corpus that is not complete as it is")] = False,
    one_class: Annotated[bool, typer.Option("--one-class", help="score clips of one class alone, too")] = False,
    split: Annotated[Literal["train", "dev", "test", "all"], typer.Option(help="the clips to score")] = "test",
    device: Annotated[Literal["auto", "cpu", "cuda", "mps"], typer.Option(help="where to compute")] = "auto",
    resume: Annotated[bool, typer.Option("--resume", help="go on where an earlier call was stopped")] = False,
    engine: Annotated[Literal["local", "ray"], typer.Option(help="ray: more processes and machines")] = "local",
    ray_address: Annotated[str | None, typer.Option(help="of a Ray cluster; without it, Ray on this machine")] = None,
) -> None:
    """Score a model on a corpus and write the run folder; options of the corpus are --corpus-options.NAME VALUE."""
    from training.config.overrides import corpus_options
    from training.runs import evaluation

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    request = evaluation.EvaluateRequest(
        model=model,
        corpus=corpus,
        root=root,
        out=out,
        corpus_options=corpus_options(context.args),
        protocol=protocol,
        split=split,
        partial=partial,
        one_class=one_class,
        device=device,
        resume=resume,
        engine=engine,
        ray_address=ray_address,
    )
    try:
        metrics = evaluation.run_evaluation(request)
    except KeyboardInterrupt:
        print_error_line("interrupted; --resume goes on")
        raise typer.Exit(INTERRUPTED) from None
    typer.echo(f"{scores_in_words(metrics)} → {out}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    return run_command_line(app, "python -m training.evaluate", arguments)


if __name__ == "__main__":
    sys.exit(main())
