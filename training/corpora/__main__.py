"""What a folder holds, beside what it should; and long clips out of short ones.

python -m training.corpora describe NAME --root DIR
python -m training.corpora join NAME --root DIR --out DIR
"""

import logging
from pathlib import Path
from typing import Annotated, Literal

import typer

from segser_core.errors import CorpusError, SegserError
from segser_core.text import plain
from training.corpora import Corpus, corpora, load_corpus
from training.corpora.join import Lengths, check_empty
from training.corpora.join import join as join_clips
from training.protocols import clips_of_split

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def main() -> None:
    """Corpora on this machine."""


@app.command()
def describe(
    name: Annotated[str, typer.Argument(help=f"one of {', '.join(corpora())}")],
    root: Annotated[Path, typer.Option(help="the folder that holds the corpus")],
) -> None:
    """Count a corpus by label, speaker and session, and name every file that is left out."""
    try:
        corpus = load_corpus(name, root)
    except CorpusError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    typer.echo("\n".join([*summary(corpus), *left_out(corpus)]))


@app.command()
def join(
    name: Annotated[str, typer.Argument(help=f"one of {', '.join(corpora())}")],
    root: Annotated[Path, typer.Option(help="the folder that holds the corpus")],
    out: Annotated[Path, typer.Option(help="the folder to write, empty or not there yet")],
    min_s: Annotated[float, typer.Option(help="seconds of the shortest joined clip")] = 6,
    max_s: Annotated[float, typer.Option(help="seconds of the longest joined clip")] = 30,
    seed: Annotated[int, typer.Option(help="of the draw")] = 0,
    split: Annotated[Literal["train", "dev", "test"], typer.Option(help="the clips to join")] = "test",
    protocol: Annotated[str | None, typer.Option(help="the corpus's default where it is not said")] = None,
) -> None:
    """Join clips of one speaker and one emotion to long ones, each used once at most; the result is a `manifest`."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        check_empty(out)
        lengths = Lengths(min_s, max_s, seed)
        corpus = load_corpus(name, root)
        joined = join_clips(corpus, clips_of_split(corpus, split, protocol), lengths, out)
    except (SegserError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None
    seconds = joined.manifest["duration_s"]
    typer.echo(
        f"{len(seconds)} clips of {seconds.min():.1f} to {seconds.max():.1f} s, {seconds.sum() / 60:.1f} min, from "
        f"{joined.manifest['joined'].sum()} short ones ({joined.left_over} left over) → {out}"
    )


def summary(corpus: Corpus) -> list[str]:
    """Lines of counts; labels stand beside what the complete corpus holds, where that is known."""
    manifest = corpus.manifest
    total = sum(corpus.expected.values())
    lines = [f"{corpus.name}: {len(manifest)} clips" + (f" of {total}" if total else "") + f" in {corpus.root}"]
    seconds = manifest.duration_s
    lines.append(f"{seconds.sum() / 3600:.2f} h, {seconds.min():.2f} to {seconds.max():.2f} s")
    for column in ("label", "speaker", "session", "gender", "style"):
        counts = manifest[column].value_counts().sort_index()
        if any(counts.index):
            lines += ["", column, *_counts(counts.to_dict(), corpus.expected if column == "label" else {})]
    return [*lines, *(["", *corpus.notes] if corpus.notes else [])]


def _counts(got: dict[str, int], expected: dict[str, int]) -> list[str]:
    names = [*expected, *(n for n in got if n not in expected)]
    width = max(map(len, names))
    lines = []
    for name in names:
        line = f"  {name:<{width}} {got.get(name, 0):>6}"
        if expected:
            wanted = expected.get(name, 0)
            line += f"  of {wanted}" + ("" if got.get(name, 0) == wanted else "  DIFFERS")
        lines.append(line)
    return lines


def left_out(corpus: Corpus) -> list[str]:
    """A line a file that is not in the manifest, after their number."""
    return ["", f"left out: {len(corpus.left_out)} files", *(plain(f"  {f.path}: {f.why}") for f in corpus.left_out)]


if __name__ == "__main__":
    app(prog_name="python -m training.corpora")
