"""Development UAR against segment size (the paper's Figure 2) or α (its Figure 3), test clips left out altogether.

    python -m training.sweep alpha --config training/configs/ravdess.yaml --system tri-w --root DIR --out DIR

Each value is trained on the training part of one fold, or on a share of it, and scored on that fold's development
clips. `sweep.csv`, `sweep.json` and the predictions of each value and seed are written as they come: a value that is
done is not trained again, and one that was stopped goes on. Any setting of the configuration can be given as an option.
"""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from training.config.command_line import APP, WITH_SETTINGS, CommandWithSettings, run_command_line

app = typer.Typer(**APP)


@app.command("sweep", cls=CommandWithSettings, context_settings=WITH_SETTINGS)
def sweep(
    context: typer.Context,
    what: Annotated[Literal["segment-size", "alpha"], typer.Argument(help="the setting to sweep")],
    config: Annotated[Path, typer.Option(help="a file of settings, or the name of one in training/configs")],
    root: Annotated[Path, typer.Option(help="the corpus's folder")],
    out: Annotated[Path, typer.Option(help="the folder to write")],
    values: Annotated[list[float] | None, typer.Option(help="frames of a segment, or α")] = None,
    share: Annotated[float, typer.Option(help="of the training clips, above 0, at most 1")] = 1.0,
    fold: Annotated[int, typer.Option(help="whose clips are used")] = 0,
    seed: Annotated[list[int] | None, typer.Option(help="one or several; else 0")] = None,
    cache: Annotated[Path | None, typer.Option(help="a folder that keeps frozen features for later trainings")] = None,
    partial: Annotated[bool, typer.Option("--partial", help="take a corpus that is not complete as it is")] = False,
) -> None:
    """Score each value of a setting on development clips; any other setting can be given as --NAME VALUE."""
    from training.config.overrides import parse_overrides
    from training.config.settings import read_settings
    from training.runs.sweeping import SweepRequest, run_sweep

    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    request = SweepRequest(
        what=what,
        settings=read_settings(config, parse_overrides(context.args) | ({"partial": "true"} if partial else {})),
        root=root,
        out=out,
        values=tuple(values) if values else None,
        share=share,
        fold=fold,
        seeds=tuple(seed or (0,)),
        cache=cache,
    )
    run_sweep(request)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    return run_command_line(app, "python -m training.sweep", arguments)


if __name__ == "__main__":
    sys.exit(main())
