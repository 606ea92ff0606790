"""Corpora: fetched from their publishers, counted beside the complete corpus, and joined to longer recordings.

python -m training.corpora get NAME --root DIR
python -m training.corpora describe NAME --root DIR
python -m training.corpora join NAME --root DIR --out DIR
python -m training.corpora join NAME --root DIR --out DIR --changing

Options of a corpus's loader are given as --corpus-options.NAME VALUE, e.g. --corpus-options.labels '{Wut: angry}'.
"""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from segser_core.cli import PlainErrorGroup
from training.config.command_line import APP, WITH_SETTINGS, Command, run_command_line

if TYPE_CHECKING:
    import pandas as pd

    from training.corpora import Corpus

app = typer.Typer(cls=PlainErrorGroup, **APP)


@app.callback()
def corpora() -> None:
    """Fetch a corpus, count it, or join its clips to longer recordings."""


@app.command(cls=Command)
def get(
    name: Annotated[str, typer.Argument(help="of the corpus: ravdess, cremad or emodb")],
    root: Annotated[Path, typer.Option(help="the corpus's folder, which is made where it is missing")],
    song: Annotated[bool, typer.Option("--song", help="ravdess: the songs, too")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="download without asking")] = False,
) -> None:
    """Fetch a corpus from its publisher, check and unpack it, and describe it.

    Licence and size are shown, and one question is asked. A download that breaks off goes on where it was when the
    command is run again. What is there and right is not fetched again.
    """
    from training.corpora import corpus_definitions, find_definition
    from training.corpora.describe import describe_counts, describe_left_out
    from training.corpora.fetching.get import corpus_source, describe_source, fetch_parts, part_states

    definition = find_definition(name)
    source = corpus_source(definition, song, [d.name for d in corpus_definitions().values() if d.source])
    wanted = [*source.parts, *([source.song] if song and source.song else [])]
    states = part_states(definition, wanted, root)
    typer.echo("\n".join(describe_source(definition, source, states)))
    fetch_parts(states, root, lambda question: yes or ask_once(question))
    corpus = definition.load(root)
    typer.echo("\n".join(["", *describe_counts(corpus), *describe_left_out(corpus)]))


def ask_once(question: str) -> bool:
    """Ask a question on the terminal; True for yes.

    Raises:
        typer.BadParameter: nobody can answer.
    """
    try:
        return typer.confirm(question)
    except typer.Abort:
        typer.echo()
        raise typer.BadParameter("nobody answered the question; --yes answers it", param_hint="--yes") from None


@app.command(cls=Command, context_settings=WITH_SETTINGS)
def describe(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="of the corpus, e.g. ravdess")],
    root: Annotated[Path, typer.Option(help="the folder that holds the corpus")],
) -> None:
    """Count a corpus by label, speaker and session, and name every file that is left out.

    Options of a corpus are written as --corpus-options.NAME VALUE, e.g. --corpus-options.preset tess of pattern.
    """
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
    min_s: Annotated[float | None, typer.Option(help="seconds of the shortest joined clip: 6 if not said")] = None,
    max_s: Annotated[float | None, typer.Option(help="seconds of the longest joined clip: 30 if not said")] = None,
    seed: Annotated[int, typer.Option(help="of the draw", min=0)] = 0,
    split: Annotated[Literal["train", "dev", "test"], typer.Option(help="the clips to join")] = "test",
    protocol: Annotated[str | None, typer.Option(help="the corpus's default where it is not said")] = None,
    style: Annotated[str | None, typer.Option(help="changing: only clips of this style, e.g. speech")] = None,
    without: Annotated[list[str] | None, typer.Option(help="changing: labels whose clips are left out")] = None,
    changing: Annotated[bool, typer.Option("--changing", help="join neighbours of different emotion")] = False,
    recordings: Annotated[int | None, typer.Option(help="changing: how many, 40 if not said")] = None,
    min_clips: Annotated[int | None, typer.Option(help="changing: fewest clips of a recording, 2 if not said")] = None,
    max_clips: Annotated[int | None, typer.Option(help="changing: most clips of a recording, 4 if not said")] = None,
    pause_s: Annotated[float | None, typer.Option(help="changing: silence between clips, 0 if not said")] = None,
    untrimmed: Annotated[bool, typer.Option("--untrimmed", help="changing: keep the silence around clips")] = False,
) -> None:
    """Join clips of one speaker: of one emotion to long ones, or --changing; the result is a `manifest`.

    Long clips use each short one once at most. Changing ones hold the truth as stretches and as TextGrid.
    """
    from training.config.overrides import corpus_options
    from training.corpora import load_corpus
    from training.corpora.join import check_empty_folder
    from training.corpora.protocols import clips_of_split

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    long: dict[str, Any] = {"min_s": min_s, "max_s": max_s}
    of_changing: dict[str, Any] = {"recordings": recordings, "fewest": min_clips, "most": max_clips}
    of_changing |= {"pause_s": pause_s, "style": style, "without": tuple(without or ()) or None}
    of_changing |= {"trimmed": False if untrimmed else None}
    options = said_options(of_changing if changing else long, long if changing else of_changing, changing)
    check_empty_folder(out)
    corpus = load_corpus(name, root, corpus_options(context.args))
    clips = clips_of_split(corpus, split, protocol)
    if changing:
        typer.echo(join_to_changing(corpus, clips, out, seed=seed, protocol=protocol, **options))
    else:
        typer.echo(join_to_long(corpus, clips, out, seed=seed, **options))


def said_options(wanted: dict[str, Any], others: dict[str, Any], changing: bool) -> dict[str, Any]:
    """Return the options that were said; those of the other way of joining are a wrong call."""
    if wrong := [name for name, value in others.items() if value is not None]:
        option = {"fewest": "min_clips", "most": "max_clips", "trimmed": "untrimmed"}.get(wrong[0], wrong[0]).replace(
            "_", "-"
        )
        why = "does not go with --changing" if changing else "is for --changing alone"
        raise typer.BadParameter(why, param_hint=f"--{option}")
    return {name: value for name, value in wanted.items() if value is not None}


def join_to_long(corpus: "Corpus", clips: "pd.DataFrame", out: Path, **lengths: Any) -> str:
    """Join clips of one emotion; returns a line that says what was made."""
    from training.corpora.join import JoinLengths, join_corpus

    joined = join_corpus(corpus, clips, JoinLengths(**lengths), out)
    seconds = joined.manifest["duration_s"]
    return (
        f"{len(seconds)} clips of {seconds.min():.1f} to {seconds.max():.1f} s, {seconds.sum() / 60:.1f} min, from "
        f"{joined.manifest['joined'].sum()} short ones ({joined.left_over} left over) → {out}"
    )


def join_to_changing(corpus: "Corpus", clips: "pd.DataFrame", out: Path, **settings: Any) -> str:
    """Join clips of different emotion; returns a line that says what was made."""
    from training.corpora.join_changing import ChangingSettings, join_changing

    manifest = join_changing(corpus, clips, ChangingSettings(**settings), out)
    seconds = manifest["duration_s"]
    return (
        f"{len(seconds)} recordings of {seconds.min():.1f} to {seconds.max():.1f} s, {seconds.sum() / 60:.1f} min, "
        f"from {manifest['joined'].sum()} clips of {manifest['speaker'].nunique()} speakers → {out}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    return run_command_line(app, "python -m training.corpora", arguments)


if __name__ == "__main__":
    sys.exit(main())
