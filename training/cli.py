"""The command `segser`: analyze, models and report of the library, and train, evaluate, sweep, tables, corpora.

A command of training is imported once it is called, so that `segser models` needs neither torch nor pandas.
"""

import sys
from collections.abc import Sequence
from importlib import import_module

import typer

from segser_core import cli
from training.config.command_line import APP, run_command_line

MODULES = {
    "train": "training.train",
    "evaluate": "training.evaluate",
    "sweep": "training.sweep",
    "tables": "training.tables.__main__",
    "corpora": "training.corpora.__main__",
}


class SegserGroup(cli.PlainErrorGroup):
    """Command group that imports the commands of training when they are needed."""

    def list_commands(self, ctx):
        """List the commands of the library, then those of training."""
        return [*super().list_commands(ctx), *MODULES]

    def get_command(self, ctx, cmd_name):
        """Return a command by its name; None where there is none of that name."""
        if cmd_name not in MODULES:
            return super().get_command(ctx, cmd_name)
        command = typer.main.get_command(import_module(MODULES[cmd_name]).app)
        command.name = cmd_name
        return command


app = typer.Typer(cls=SegserGroup, **APP)
app.callback()(cli.main)
app.command()(cli.analyze)
app.command()(cli.models)
app.command()(cli.report)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    return run_command_line(app, "segser", arguments)


if __name__ == "__main__":
    sys.exit(main())
