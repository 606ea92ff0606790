"""python -m segser_core."""

from segser_core.cli import app

app(prog_name="python -m segser_core")
