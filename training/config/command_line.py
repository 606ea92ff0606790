"""Options of several values, settings as options and one rule of exit codes, for all commands of training."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import typer
from typer.core import TyperCommand

from segser_core.cli import plain_errors

APP: dict[str, Any] = {"add_completion": False, "pretty_exceptions_enable": False, "rich_markup_mode": None}
# unknown options are settings, or options of a corpus: `parse_overrides` and `corpus_options` read them
WITH_SETTINGS = {"allow_extra_args": True, "ignore_unknown_options": True}
NEGATIVE_NUMBER = re.compile(r"-[\d.]+")


class Command(TyperCommand):
    """Command whose options take several values (`--seed 0 1 2`), and whose every error is one plain line."""

    def parse_args(self, ctx, args):
        """Repeat an option for each of its values, then parse as typer does."""
        several = {name for param in self.params if getattr(param, "multiple", False) for name in param.opts}
        return super().parse_args(ctx, repeat_options(args, several))

    def invoke(self, ctx):
        """Run the command, and end with 0, 1 (a problem), 2 (a wrong call) or 130 (interrupted)."""
        with plain_errors():
            return super().invoke(ctx)


class CommandWithSettings(Command):
    """Command that takes any setting of a training as an option, which its help lists."""

    def format_epilog(self, ctx, formatter):
        """Write the settings with their defaults below the command's own options."""
        from training.config.settings_help import HEADING, describe_settings  # which imports torch

        with formatter.section(HEADING):
            formatter.write_dl(describe_settings())
        return super().format_epilog(ctx, formatter)


def repeat_options(arguments: Sequence[str], several: Collection[str]) -> list[str]:
    """Repeat an option before each of its values, as click expects it.

    Args:
        arguments: of the command line.
        several: the options that take several values.

    Returns:
        The same arguments, e.g. `--seed 0 --seed 1` for `--seed 0 1`.
    """
    repeated: list[str] = []
    option = ""
    for argument in arguments:
        if argument.startswith("-") and not NEGATIVE_NUMBER.fullmatch(argument):
            option = argument if argument in several else ""
            repeated.append(argument)
        elif option and repeated[-1] != option:
            repeated += [option, argument]
        else:
            repeated.append(argument)
    return repeated


def scores_in_words(metrics: Mapping[str, Any]) -> str:
    """Put UAR and accuracy in words, and over how many of the model's classes they are.

    Args:
        metrics: of a run, as in metrics.json.

    Example:
        >>> scores = {"uar": {"pooled": 0.75}, "accuracy": {"pooled": 0.5}, "classes_present": {"pooled": 2}}
        >>> scores_in_words(scores | {"recall": {"happy": 1, "sad": 0.5, "angry": None}})
        'UAR 75.0 over 2 of 3 classes (happy, sad), accuracy 50.0'
    """
    recall, present = metrics["recall"], metrics["classes_present"]["pooled"]
    named = [label for label, found in recall.items() if found is not None]
    classes = f"{len(recall)} classes" if present == len(recall) else f"{present} of {len(recall)} classes"
    which = "" if present == len(recall) else f" ({', '.join(named)})"
    uar, accuracy = (100 * metrics[name]["pooled"] for name in ("uar", "accuracy"))
    return f"UAR {uar:.1f} over {classes}{which}, accuracy {accuracy:.1f}"


def run_command_line(app: typer.Typer, name: str, arguments: Sequence[str] | None = None) -> int:
    """Run a command line.

    Args:
        app: the command.
        name: of the program, in its help.
        arguments: those of the process where they are None.

    Returns:
        The exit status: 0, 1 for a problem, 2 for a wrong call, 130 where the user interrupted.
    """
    try:
        app(args=None if arguments is None else list(arguments), prog_name=name)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0
