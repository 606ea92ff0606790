"""The README names the command line of every script."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1]
SCRIPTS = sorted(file.stem for file in FOLDER.glob("*.py") if '__name__ == "__main__"' in file.read_text())


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_readme_names_its_command(script):
    assert f"python -m benchmarks.{script}" in (FOLDER / "README.md").read_text()
