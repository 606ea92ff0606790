"""Tables 1 and 2, Figures 2, 3 and 4 and the split by length, ours beside the paper's: one page, and a CSV for each.

    python -m training.tables RUN… [SWEEP…] --out DIR [--split-s 10] [--readme README.md]

A folder that is neither a run nor a sweep stands for all that lie below it. `index.html` needs nothing else;
`--readme` also replaces the part between the two marks in a Markdown file by the tables of scores.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from training.config.command_line import APP, Command, run_command_line

app = typer.Typer(**APP)


@app.command("tables", cls=Command)
def tables(
    results: Annotated[list[Path], typer.Argument(metavar="RUN|SWEEP", help="runs and sweeps, or a folder above")],
    out: Annotated[Path, typer.Option(help="the folder to write index.html and the CSV files to")],
    split_s: Annotated[float, typer.Option(help="seconds at which clips are split by length")] = 10.0,
    readme: Annotated[Path | None, typer.Option(help="a Markdown file, replaced between its marks")] = None,
) -> None:
    """Set the paper's tables and figures beside ours, as one page and as CSV."""
    from segser_core.files import write_whole
    from training.tables.comparable import read_results
    from training.tables.csv_files import write_csv_files
    from training.tables.markdown import markdown_tables, replace_between_marks
    from training.tables.page import render_page

    groups = read_results(results)
    text = readme and replace_between_marks(readme.read_text(encoding="utf-8"), markdown_tables(groups))
    out.mkdir(parents=True, exist_ok=True)
    write_csv_files(out, groups, split_s)
    write_whole(out / "index.html", render_page(groups, split_s))
    if readme and text:
        write_whole(readme, text)
    typer.echo(f"runs: {sum(len(group.runs) for group in groups)} → {out / 'index.html'}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    return run_command_line(app, "python -m training.tables", arguments)


if __name__ == "__main__":
    sys.exit(main())
