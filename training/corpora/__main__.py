"""What a folder holds, beside what it should; and long clips out of short ones.

python -m training.corpora describe NAME --root DIR
python -m training.corpora join NAME --root DIR --out DIR

What a corpus must be told is given as --corpus-options.NAME VALUE, e.g. --corpus-options.excited out.
"""

import logging
from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
import typer

from segser_core.errors import SegserError
from segser_core.formatting import one_line
from training.config.overrides import corpus_options
from training.corpora import Corpus, Counts, corpus_definitions, load_corpus
from training.corpora.join import Lengths, check_empty
from training.corpora.join import join as join_clips
from training.corpora.protocols import clips_of_split

OPTIONS = {"allow_extra_args": True, "ignore_unknown_options": True}  # corpus_options sees to them
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def main() -> None:
    """Corpora on this machine."""


@app.command(context_settings=OPTIONS)
def describe(
    told: typer.Context,
    name: Annotated[str, typer.Argument(help=f"one of {', '.join(corpus_definitions())}")],
    root: Annotated[Path, typer.Option(help="the folder that holds the corpus")],
) -> None:
    """Count a corpus by label, speaker and session, and name every file that is left out."""
    try:
        corpus = load_corpus(name, root, corpus_options(told.args))
    except SegserError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    typer.echo("\n".join([*summary(corpus), *left_out(corpus)]))


@app.command(context_settings=OPTIONS)
def join(
    told: typer.Context,
    name: Annotated[str, typer.Argument(help=f"one of {', '.join(corpus_definitions())}")],
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
        corpus = load_corpus(name, root, corpus_options(told.args))
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
    """Lines of counts, beside what the complete corpus holds, where that is known."""
    manifest = corpus.manifest
    total = sum(corpus.expected.values())
    lines = [f"{corpus.name}: {len(manifest)} clips" + (f" of {total}" if total else "") + f" in {corpus.root}"]
    seconds = manifest.duration_s
    lines.append(f"{seconds.sum() / 3600:.2f} h, {seconds.min():.2f} to {seconds.max():.2f} s")
    labels = Counts(("label",), {(label,): n for label, n in corpus.expected.items()})
    known = {c.columns[0]: c for c in (labels, *corpus.further) if not c.labels}
    for column in ("label", "speaker", "session", "gender", "style"):
        if manifest[column].any():
            lines += ["", column, *compared(manifest, known.get(column, Counts((column,), {})))]
    for counts in (c for c in corpus.further if c.labels):
        lines += ["", f"{' and '.join(counts.columns)}, of {', '.join(counts.labels)}", *compared(manifest, counts)]
    return [*lines, *(["", *corpus.notes] if corpus.notes else [])]


def compared(manifest: pd.DataFrame, counts: Counts) -> list[str]:
    """A line for each value of some columns: how many utterances have it, and how many should where that is known."""
    rows = manifest[manifest["label"].isin(counts.labels)] if counts.labels else manifest
    got = rows.groupby(list(counts.columns)).size().to_dict()
    got = {key if isinstance(key, tuple) else (key,): n for key, n in got.items()}
    names = {key: "  ".join(key) for key in [*counts.numbers, *(key for key in got if key not in counts.numbers)]}
    width = max(map(len, names.values()))
    lines = []
    for key, name in names.items():
        line = f"  {name:<{width}} {got.get(key, 0):>6}"
        if counts.numbers:
            wanted = counts.numbers.get(key, 0)
            line += f"  of {wanted}" + ("" if got.get(key, 0) == wanted else "  DIFFERS")
        lines.append(line)
    return lines


def left_out(corpus: Corpus) -> list[str]:
    """How many files are not in the manifest, by reason, and a line for each."""
    whys = Counter(file.why for file in corpus.left_out)
    lines = ["", f"left out: {len(corpus.left_out)} files"]
    lines += [one_line(f"  {n} × {why}") for why, n in whys.most_common() if n > 1]
    return [*lines, *(one_line(f"  {f.path}: {f.why}") for f in corpus.left_out)]


if __name__ == "__main__":
    app(prog_name="python -m training.corpora")
