"""Options of several values, settings as options, and one rule of exit codes for every command."""

import dataclasses
import re
import subprocess
import sys
from typing import Annotated

import pytest
import typer

from segser_core import __version__
from segser_core.errors import ModelError, SettingError, UnknownCorpusError, UnknownModelError, UnknownRunError
from tests.support.paths import ROOT
from training import cli, sweep, train
from training.config.command_line import APP, WITH_SETTINGS, Command, repeat_options, run_command_line
from training.config.settings import (
    Augmentation,
    CorpusPart,
    Joining,
    Settings,
    SpecAugment,
    TaskAdaptation,
    settings_from,
)
from training.config.settings_help import default_settings


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("--seed 0 1 2", "--seed 0 --seed 1 --seed 2"),
        ("--seed 0 --fold 3 4", "--seed 0 --fold 3 --fold 4"),
        ("--seed 0 1 --epochs 8", "--seed 0 --seed 1 --epochs 8"),
        ("--seed 0 -1 --resume", "--seed 0 --seed -1 --resume"),
        ("alpha --seed 1", "alpha --seed 1"),
        ("--out run --epochs 8", "--out run --epochs 8"),
        ("--seed", "--seed"),
    ],
)
def test_an_option_is_repeated_before_each_of_its_values(arguments, expected):
    assert repeat_options(arguments.split(), {"--seed", "--fold"}) == expected.split()


def command(body) -> typer.Typer:
    """An app of one command that takes several seeds and any setting, and calls `body` with both."""
    app = typer.Typer(**APP)

    @app.command(cls=Command, context_settings=WITH_SETTINGS)
    def one(context: typer.Context, seed: Annotated[list[int] | None, typer.Option()] = None) -> None:
        body(seed, context.args)

    return app


def test_several_values_and_settings_reach_the_command():
    calls = []
    app = command(lambda *given: calls.append(given))
    settings = ["--epochs", "8", "--augmentation.variants", "4", "--corpus-options.excited", "out"]
    assert run_command_line(app, "one", ["--seed", "0", "1", *settings]) == 0
    assert calls == [([0, 1], settings)]


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (ModelError("no\nmodel"), 1, "no\\nmodel"),
        (UnknownModelError("no such model"), 2, "no such model"),
        (UnknownRunError("no such run"), 2, "no such run"),
        (UnknownCorpusError("no such corpus"), 2, "no such corpus"),
        (OSError("disk full"), 1, "disk full"),
        (SettingError("epochs is 0"), 2, "epochs is 0"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_an_error_is_one_plain_line_and_an_exit_code(error, status, line, capsys):
    def body(*_):
        raise error

    assert run_command_line(command(body), "one", []) == status
    assert capsys.readouterr().err == f"{line}\n"


def test_a_wrong_call_is_told_with_the_usage(capsys):
    assert run_command_line(command(lambda *_: None), "one", ["--seed", "many"]) == 2
    assert "Invalid value for '--seed'" in capsys.readouterr().err


def test_the_command_has_the_library_s_commands_and_those_of_training(capsys):
    assert cli.main(["--help"]) == 0
    listed = capsys.readouterr().out
    for name in ("analyze", "models", "report", *cli.MODULES):
        assert f"\n  {name} " in listed
    assert cli.main(["nonesuch"]) == 2


@pytest.mark.parametrize("name", cli.MODULES)
def test_each_command_of_training_has_its_help(name, capsys):
    assert cli.main([name, "--help"]) == 0
    assert f"segser {name}" in capsys.readouterr().out


def test_models_imports_neither_torch_nor_training():
    code = "import sys; from training import cli; cli.main(['models'])\n"
    code += "print({'torch', 'pandas', 'training.train', 'training.corpora'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.splitlines()[-1] == "set()"


def test_help_imports_no_torch():
    code = "import sys; from training import cli; cli.main(['--help']); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.splitlines()[-1] == "False"


@pytest.mark.parametrize("module", [train, sweep])
def test_the_help_names_every_setting_with_its_default(module, capsys):
    assert module.main(["--help"]) == 0
    words = " ".join(capsys.readouterr().out.split())
    for group in (Settings, Augmentation, SpecAugment, TaskAdaptation, CorpusPart, Joining):
        for field in dataclasses.fields(group):
            assert re.search(rf"\b{field.name}\b", words), field.name
    assert "segment_frames=80," in words
    assert "learning_rate=1e-05," in words
    assert "clips=[2, 4]" in words
    assert "clusters=[64, 512, 4096]" in words
    assert "corpora, each name, alias=null" in words


def test_the_listed_defaults_are_those_of_the_settings():
    groups = default_settings()
    assert settings_from(groups["general"]) == Settings()
    assert Augmentation(**groups["augmentation"]) == Augmentation()
    assert Joining(**groups["joined"]) == Joining()


def test_the_version_is_printed(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"segser {__version__}\n"
    assert cli.main(["models"]) == 0, "a command goes on as before"
