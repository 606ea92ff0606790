"""python -m segser_core: analyse recordings, list the models, report a run.

A thin layer: what takes long to import is imported inside the command that needs it.
"""

import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from typer.core import TyperGroup

from segser_core import __version__
from segser_core.errors import SegserError
from segser_core.formatting import align_columns, one_line, percent
from segser_core.systems import DEFAULT_MIN_SPEECH, DEFAULT_SYSTEM

if TYPE_CHECKING:
    from segser_core.inference.batch import AnalysisJob

Format = Literal["table", "json", "csv", "textgrid", "elan", "parquet"]
Rule = Literal["utterance", "max", "mean", "vote", "top-k"]
ChannelOption = Annotated[
    str | None, typer.Option(help="a channel, from 1, or `each`: a timeline a channel; else their mean")
]
MinSpeechOption = Annotated[
    float, typer.Option(min=0, max=1, help="share of a segment that is speech, or it decides nothing; 0 keeps all")
]
DeviceOption = Annotated[Literal["auto", "cpu", "cuda", "mps"], typer.Option(help="where to compute; mps: Apple's GPU")]
PrecisionOption = Annotated[
    Literal["fp32", "bf16"],
    typer.Option(help="bf16: on some processors twice as fast; a label in 200 differs"),
]
TurnsOption = Annotated[
    Path | None, typer.Option(help="CSV, TextGrid, ELAN, SRT, WebVTT or RTTM of turns, or a folder of them")
]
TurnsTierOption = Annotated[list[str] | None, typer.Option(help="tier of the turns, one a speaker; else all tiers")]
ONLY_FILES = ("textgrid", "elan", "parquet")
MOST_S = 10**9
PROBLEM, WRONG_CALL, INTERRUPTED = 1, 2, 130


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn every error into one plain line on standard error and the exit status: the one rule of all commands.

    Raises:
        typer.Exit: 2 for a wrong call, 1 for any other problem, 130 where the user interrupted.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        yield
    except KeyboardInterrupt:
        print_error_line("interrupted")
        raise typer.Exit(INTERRUPTED) from None
    except SegserError as error:
        print_error_line(one_line(error))
        raise typer.Exit(WRONG_CALL if error.wrong_call else PROBLEM) from None
    except BrokenPipeError:
        raise  # typer ends quietly where nobody reads on
    except OSError as error:
        print_error_line(one_line(error))
        raise typer.Exit(PROBLEM) from None


class PlainErrorGroup(TyperGroup):
    """Command group whose every error is one plain line on standard error."""

    def invoke(self, ctx):
        """Run the command, and end with 0, 1 (a problem), 2 (a wrong call) or 130 (interrupted)."""
        with plain_errors():
            return super().invoke(ctx)


app = typer.Typer(cls=PlainErrorGroup, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def print_version(asked: bool) -> None:
    """Print the version, and end.

    Raises:
        typer.Exit: 0, where it was asked for.
    """
    if asked:
        typer.echo(f"segser {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="print the version and end")
    ] = False,
) -> None:
    """Which emotion a speech model hears when in a recording."""


@app.command()
def analyze(
    paths: Annotated[list[str], typer.Argument(help="recordings, folders of them, or patterns such as 'dir/*.wav'")],
    model: Annotated[str, typer.Option(help="a bundled model's name, or a folder")] = DEFAULT_SYSTEM,
    format: Annotated[Format, typer.Option(help="what to print or write")] = "table",
    out: Annotated[Path | None, typer.Option(help="folder for one file a recording, instead of printing")] = None,
    max_duration: Annotated[float | None, typer.Option(help="refuse recordings longer than this, in seconds")] = None,
    aggregate: Annotated[Rule | None, typer.Option(help="how the label is found; else the model's own way")] = None,
    context: Annotated[Literal["clip", "segment"], typer.Option(help="what the model hears of a segment")] = "clip",
    channel: ChannelOption = None,
    track: Annotated[int | None, typer.Option(min=1, help="of a file with several audio tracks, from 1")] = None,
    bom: Annotated[bool, typer.Option("--bom", help="csv: begin with a byte order mark, for Excel")] = False,
    min_speech: MinSpeechOption = DEFAULT_MIN_SPEECH,
    device: DeviceOption = "auto",
    precision: PrecisionOption = "fp32",
    turns: TurnsOption = None,
    turns_tier: TurnsTierOption = None,
    resume: Annotated[bool, typer.Option("--resume", help="leave out what has its file below --out already")] = False,
    engine: Annotated[Literal["local", "ray"], typer.Option(help="ray: more processes and machines")] = "local",
    ray_address: Annotated[str | None, typer.Option(help="of a Ray cluster; without it, Ray on this machine")] = None,
) -> None:
    """Say which emotion is heard in each recording, and when."""
    from segser_core.bundled import find_checkpoint
    from segser_core.inference.batch import AnalysisJob

    check_options(format, out, max_duration)
    check_flags(format, out, resume, bom)
    check_turns_path(turns, turns_tier)
    chosen_channel = parse_channel(channel)
    find_checkpoint(model)  # an unknown model is refused before anything is loaded
    job = AnalysisJob(
        tuple(paths),
        model,
        device=device,
        format=format,
        out=out,
        aggregate=aggregate,
        context=context,
        max_duration_s=max_duration,
        resume=resume,
        engine=engine,
        ray_address=ray_address,
        precision=precision,
        turns=turns,
        turns_tiers=tuple(turns_tier or ()),
        channel=chosen_channel,
        track=track,
        bom=bom,
        min_speech=min_speech,
    )
    if print_analysis(job):
        raise typer.Exit(PROBLEM)


def print_analysis(job: "AnalysisJob") -> int:
    """Analyse the recordings of a job, print what is not written to files, and return how many problems there were."""
    from segser_core.inference.batch import iter_printed, run_analysis
    from segser_core.inference.console import ProgressConsole

    with ProgressConsole() as screen:
        predictions = run_analysis(job, screen)
        for piece in predictions if job.out else iter_printed(predictions, job.format, job.bom):
            with screen.paused():
                typer.echo(piece, nl=False)
    return screen.problems


def check_flags(format: Format, out: Path | None, resume: bool, bom: bool) -> None:
    """Refuse flags that mean nothing for what is printed or written."""
    if resume and out is None:
        raise typer.BadParameter("only files can be left as they are: say where with --out DIR", param_hint="--resume")
    if bom and format != "csv":
        raise typer.BadParameter("only csv has a byte order mark; choose --format csv", param_hint="--bom")


def parse_channel(given: str | None) -> int | Literal["each"] | None:
    """Parse a channel's number, or `each`."""
    if given is None:
        return None
    if given == "each":
        return "each"
    if not given.isdecimal() or int(given) < 1:
        raise typer.BadParameter(f"{one_line(given)}: expected a number from 1, or each", param_hint="--channel")
    return int(given)


def check_options(format: Format, out: Path | None, max_duration: float | None) -> None:
    """Refuse a call that no recording could mend, before anything is loaded."""
    if format in ONLY_FILES and out is None:
        raise typer.BadParameter(f"{format} is written to files: say where with --out DIR", param_hint="--format")
    if format == "table" and out is not None:
        raise typer.BadParameter("a table is printed; choose another --format to write files", param_hint="--out")
    if out is not None and out.exists() and not out.is_dir():
        raise typer.BadParameter(f"{one_line(out)} is a file; expected a folder", param_hint="--out")
    if max_duration is not None and not 0 < max_duration <= MOST_S:
        raise typer.BadParameter(f"{max_duration} s; expected above 0, at most {MOST_S}", param_hint="--max-duration")


def check_turns_path(turns: Path | None, tiers: list[str] | None) -> None:
    """Refuse turns that are not there, before anything is loaded."""
    if tiers and turns is None:
        raise typer.BadParameter("tiers are of a turns file: say which with --turns FILE", param_hint="--turns-tier")
    if turns is not None and not turns.exists():
        raise typer.BadParameter(f"there is no {one_line(turns)}; check the path", param_hint="--turns")


def print_error_line(line: str) -> None:
    """Print a line on standard error, as it is."""
    typer.echo(line, err=True)


@app.command()
def models() -> None:
    """List the models that can be used: scores in percent, on the test split of their corpus."""
    from segser_core.bundled import BUNDLED
    from segser_core.inference.models import list_models

    found = list_models()
    if not found:
        print_error_line(f"no model is bundled in {one_line(BUNDLED)}; name a folder with --model")
    rows: list[tuple[str, ...]] = [
        ("model", "system", "corpus", "encoder", "size", "UAR", "accuracy", "macro F1", "labels")
    ]
    for m in found:
        scores = (percent(m.uar), percent(m.accuracy), percent(m.macro_f1))
        named = (m.name, m.system, m.corpus, m.encoder, f"{m.size_bytes / 1e6:.1f} MB")
        rows.append((*map(one_line, named), *scores, one_line(" ".join(m.labels))))
    typer.echo("\n".join(align_columns(rows, right=(4, 5, 6, 7))))


@app.command()
def report(
    runs: Annotated[list[str], typer.Argument(metavar="RUN [RUN]", help="a run folder or a run's name, or two")],
    format: Annotated[Literal["table", "json"], typer.Option(help="what to print")] = "table",
) -> None:
    """Print UAR, accuracy, macro F1 and recall per class, with intervals; of two runs, their paired difference."""
    from segser_core.runs.run import find_run, read_run
    from segser_core.statistics.report import report_json, report_text

    if len(runs) > 2:
        raise typer.BadParameter(f"{len(runs)} runs; expected one or two", param_hint="RUN [RUN]")
    found = [read_run(find_run(name), name) for name in runs]
    if format == "json":
        typer.echo(json.dumps(report_json(found), indent=2, allow_nan=False))
    else:
        typer.echo(report_text(found))
