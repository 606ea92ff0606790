"""Analyse damaged recordings by the command line and in the app; each has a result or one line that refuses it."""

import json
import re
import time
from pathlib import Path
from unittest import mock

import numpy as np
import psutil
import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from typer.testing import CliRunner

from segser_core.cli import app
from segser_core.inference import console
from tests.support.app_test import upload_files
from tests.support.damaged_audio import STRANGE_NAMES

LONGEST_S = 1800  # what the app takes
MOST_MB = 1600  # resident memory beyond what the process held before, a bundled model among it
PATIENCE_S = 10


class ProgressMonitor:
    """Measure the longest time between two signs of progress, and the most memory at any of them."""

    def __init__(self) -> None:
        self.last, self.doing, self.longest, self.signs = time.monotonic(), "", (0.0, ""), 0
        self.held_mb, self.most_mb = resident_memory_mb(), 0.0

    def sign(self, doing: object) -> None:
        """Something was shown."""
        now = time.monotonic()
        self.longest = max(self.longest, (now - self.last, self.doing))
        self.last, self.doing, self.signs = now, str(doing), self.signs + 1
        self.most_mb = max(self.most_mb, resident_memory_mb() - self.held_mb)


def resident_memory_mb() -> float:
    """Measure the memory of this process."""
    return psutil.Process().memory_info().rss / 2**20


def run_analyze(folder: Path, extra: list[Path], model: str) -> tuple[list[dict], list[str], ProgressMonitor]:
    """Run `analyze` and return its results and its lines on standard error."""
    gaps = ProgressMonitor()

    class Watched(console.ProgressConsole):
        def begin(self, doing: str, total: int) -> None:
            gaps.sign(doing)
            super().begin(doing, total)

        def show_position(self, name: str, heard_s: float) -> None:
            gaps.sign(f"{name} {heard_s:.0f} s")
            super().show_position(name, heard_s)

        def count(self) -> None:
            gaps.sign("one more is done")
            super().count()

        def report_problem(self, name: str, why: object) -> None:
            gaps.sign(name)
            super().report_problem(name, why)

    options = ["--model", model, "--format", "json", "--max-duration", str(LONGEST_S)]
    with mock.patch.object(console, "ProgressConsole", Watched):
        got = CliRunner().invoke(app, ["analyze", str(folder), *map(str, extra), *options])
    assert got.exit_code == 1, got.exception
    return json.loads(got.stdout), got.stderr.splitlines(), gaps


def check_command(folder: Path, files: dict[str, bytes], extra: list[Path], model: str) -> str:
    """Check that every recording is analysed or has one line; return a line of figures."""
    results, lines, gaps = run_analyze(folder, extra, model)
    heard = {Path(r["file"]).name for r in results}
    asked = len(files) + 2 + len(extra)  # the pipe and the link
    assert len(heard) == len(results) and len(results) + len(lines) == asked, (len(results), len(lines), asked)
    assert all(line.startswith(str(folder)) and ": " in line and line.isprintable() for line in lines)
    assert heard >= {name for name in files if name.startswith("whole") or name in STRANGE_NAMES}
    assert all(np.isfinite(list(r["probabilities"].values())).all() for r in results)
    return format_figures("analyze", len(results), len(lines), gaps)


def check_app(files: dict[str, bytes]) -> str:
    """Check the same in the page Timeline, a hundred recordings at once; return a line of figures."""
    st.cache_data.clear()  # a recording that was analysed before would show no progress
    heard, refused, gaps, names = 0, 0, ProgressMonitor(), list(files)
    progress = DeltaGenerator.progress

    def shown(self, value, text=None):
        gaps.sign(text)
        return progress(self, value, text)

    with mock.patch.object(DeltaGenerator, "progress", shown):
        for start in range(0, len(names), 100):
            some = names[start : start + 100]
            gaps.sign(some[0])
            table = upload_files(*((name, files[name]) for name in some)).dataframe[0].value
            why = table.notes[table.label.isna()]
            assert list(table.file) == list(dict.fromkeys(some)) or len(table) <= len(some)
            assert why.str.match(r"Not analysed: \S").all()
            assert not why.str.contains("Traceback").any()
            heard, refused = heard + int(table.label.notna().sum()), refused + len(why)
    return format_figures("app", heard, refused, gaps)


def format_figures(name: str, heard: int, refused: int, gaps: ProgressMonitor) -> str:
    """Check figures against their bounds and format them as a line."""
    assert gaps.signs > heard and gaps.longest[0] < PATIENCE_S and gaps.most_mb < MOST_MB, vars(gaps)
    longest = f"{gaps.longest[0]:.1f} s ({re.sub(r'[^ -~]', '?', gaps.longest[1])[:60]})"
    memory = f"{gaps.most_mb:.0f} MB more than before"
    return f"{name}: {heard} analysed, {refused} refused, longest without progress {longest}, {memory}"
