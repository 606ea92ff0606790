"""Corpora on this machine: their counts beside those of the complete corpus, and long clips out of short ones.

python -m training.corpora describe NAME --root DIR
python -m training.corpora join NAME --root DIR --out DIR

Options of a corpus's loader are given as --corpus-options.NAME VALUE, e.g. --corpus-options.excited out.
"""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from segser_core.cli import PlainErrorGroup
from training.config.command_line import APP, WITH_SETTINGS, Command, run_command_line

app = typer.Typer(cls=PlainErrorGroup, **APP)


@app.callback()
def corpora() -> None:
    """Count a corpus, or join its clips to long ones."""


@app.command(cls=Command, context_settings=WITH_SETTINGS)
def describe(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="of the corpus, e.g. ravdess")],
    root: Annotated[Path, typer.Option(help="the folder that holds the corpus")],
) -> None:
    """Count a corpus by label, speaker and session, and name every file that is left out."""
    from training.config.overrides import corpus_options
    from training.corpora import load_corpus
    from training.corpora.describe import describe_counts, describe_left_out

    corpus = load_corpus(name, root, corpus_options(context.args))
    typer.echo("\n".join([*describe_counts(corpus), *describe_left_out(corpus)]))


@app.command(cls=Command, context_settings=WITH_SETTINGS)
def join(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="of the corpus, e.g. ravdess")],
    root: Annotated[Path, typer.Option(help="the folder that holds the corpus")],
    out: Annotated[Path, typer.Option(help="the folder to write, empty or not there yet")],
    min_s: Annotated[float, typer.Option(help="seconds of the shortest joined clip")] = 6,
    max_s: Annotated[float, typer.Option(help="seconds of the longest joined clip")] = 30,
    seed: Annotated[int, typer.Option(help="of the draw")] = 0,
    split: Annotated[Literal["train", "dev", "test"], typer.Option(help="the clips to join")] = "test",
    protocol: Annotated[str | None, typer.Option(help="the corpus's default where it is not said")] = None,
) -> None:
    """Join clips of one speaker and one emotion to long ones, each used once at most; the result is a `manifest`."""
    from training.config.overrides import corpus_options
    from training.corpora import load_corpus
    from training.corpora.join import JoinLengths, check_empty_folder, join_corpus
    from training.corpora.protocols import clips_of_split

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    check_empty_folder(out)
    lengths = JoinLengths(min_s, max_s, seed)
    corpus = load_corpus(name, root, corpus_options(context.args))
    joined = join_corpus(corpus, clips_of_split(corpus, split, protocol), lengths, out)
    seconds = joined.manifest["duration_s"]
    typer.echo(
        f"{len(seconds)} clips of {seconds.min():.1f} to {seconds.max():.1f} s, {seconds.sum() / 60:.1f} min, from "
        f"{joined.manifest['joined'].sum()} short ones ({joined.left_over} left over) → {out}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    return run_command_line(app, "python -m training.corpora", arguments)


if __name__ == "__main__":
    sys.exit(main())
