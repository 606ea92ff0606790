"""Serve the app on a free port, and find the Chromium that looks at it."""

import os
import random
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.paths import ROOT

CHROMIUM = os.environ.get("SEGSER_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)


@contextmanager
def serve_app(
    root: Path = ROOT, start_s: float = 60, env: Mapping[str, str] | None = None, log: Path = Path(os.devnull)
) -> Iterator[str]:
    """Serve the app for the time of a block with these environment variables added, and give its address."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    around = {**os.environ, **(env or {})}
    with log.open("wb") as said:
        process = subprocess.Popen(command, cwd=root, env=around, stdout=said, stderr=subprocess.STDOUT)
    try:
        address = f"http://127.0.0.1:{port}"
        _await(f"{address}/_stcore/health", start_s, process)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)


def free_port() -> int:
    """Draw a port that nobody listens on, below those that the system gives to outgoing connections.

    Test processes that run at the same time draw from a range large enough that none meets another.
    """
    generator = random.SystemRandom()  # whatever seed a test has set
    while True:
        port = generator.randrange(10_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _await(address: str, seconds: float, process: subprocess.Popen) -> None:
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"the app does not answer at {address}")
