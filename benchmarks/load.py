"""Many visitors at once, who each upload recordings of their own and read what is heard in them.

    python -m benchmarks.load [--sessions 50] [--seconds 300] [--root FOLDER]

Starts the app on this machine, on its loopback, and stops it at the end. Each visitor uploads one recording after
another, under a name of its own, and compares label and confidence with what the model says of it in this process.
The script ends with an error where an answer is wrong or of another visitor, where the app says an error, where an
answer takes longer than `PATIENCE_S`, or where memory passes `MOST_MB` or is not given back.
"""

import argparse
import json
import random
import re
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from segser_core.audio.folders import find_audio_files
from segser_core.audio.loading import load_audio
from segser_core.audio.waveform import encode_wav
from segser_core.inference.predictor import Predictor
from tests.support.paths import SAMPLE
from tests.support.serving import serve_app
from tests.support.visitor import Visitor

PATIENCE_S = 120
MOST_MB = 2500  # resident, with 50 sessions
GIVEN_BACK_S = 180  # Streamlit keeps a session that was lost for 120 s, in case it comes back
THINK_S = (0.5, 3.0)  # between reading an answer and the next upload
MOST_KEPT_MB = 400  # more than before the crowd came, once it has gone
CLIPS = 40
LONG_TURNS = 220  # of the sample: 20 minutes


@dataclass(frozen=True)
class Clip:
    """A recording, and what the page must say of it."""

    data: bytes
    label: str
    confidence: str


@dataclass
class Seen:
    """What all visitors saw."""

    waits_s: list[float] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def clips(root: Path | None) -> list[Clip]:
    """Recordings of a folder, or pieces of the bundled sample, with what the default model says of them."""
    if root is None:
        whole = load_audio(SAMPLE)
        found = [encode_wav(whole, 0.1 * i, 0.1 * i + 1.5) for i in range(CLIPS)]
    else:
        found = [path.read_bytes() for path in random.Random(0).sample(list(find_audio_files(root)), CLIPS)]
    predictor = Predictor.from_pretrained()
    said = [predictor.predict(data) for data in found]
    return [Clip(data, p.label, f"{p.confidence:.2f}") for data, p in zip(found, said, strict=True)]


def visit(address: str, number: int, known: list[Clip], end: float, seen: Seen) -> None:
    """One visitor, from coming to leaving at about `end`."""
    g = random.Random(number)

    def watch(element) -> None:
        if element.WhichOneof("type") == "progress":
            seen.places += [int(n) for n in re.findall(r"In line: (\d+)", element.progress.text)]

    try:
        with Visitor(address, PATIENCE_S) as visitor:
            for turn in range(10_000):
                clip, name = g.choice(known), f"visitor-{number}-{turn}.wav"
                assert visitor.bring(name, clip.data) == 204
                began = time.monotonic()
                visitor.run(watch)
                seen.waits_s.append(time.monotonic() - began)
                check(visitor, clip, name)
                if time.monotonic() > end:
                    return
                time.sleep(g.uniform(*THINK_S))
    except Exception as error:  # of whatever kind, it is a fault to be counted
        seen.wrong.append(f"visitor {number}: {type(error).__name__} {error}")


def check(visitor: Visitor, clip: Clip, name: str) -> None:
    """What the page shows is this visitor's own, and right."""
    names = [text.body for text in visitor.all("text")]
    verdict = " ".join(markdown.body for markdown in visitor.all("markdown"))
    assert names == [name], f"{name} was sent, {names} shown"
    assert visitor.all("metric")[0].body == clip.label, f"{visitor.all('metric')[0].body} for {clip.label}"
    assert f"with probability {clip.confidence}" in verdict, f"{clip.confidence} is not in {verdict[:80]}"
    assert not visitor.all("exception")


def server_of(address: str) -> psutil.Process:
    """The app's process."""
    port = int(address.rpartition(":")[2])
    children = psutil.Process().children()
    return next(p for p in children if str(port) in p.cmdline())


class Memory(threading.Thread):
    """The most memory that a process takes, looked at each second."""

    def __init__(self, process: psutil.Process):
        super().__init__(daemon=True)
        self.process, self.peak_mb, self.over = process, 0.0, threading.Event()

    def now_mb(self) -> float:
        """What it takes now."""
        return self.process.memory_info().rss / 2**20

    def run(self) -> None:
        """Look until told that it is over."""
        while not self.over.wait(1):
            self.peak_mb = max(self.peak_mb, self.now_mb())


def abandoned(address: str, process: psutil.Process) -> float:
    """Seconds for which the app goes on with a recording of 20 minutes whose visitor leaves in the middle."""
    long = encode_wav(np.tile(load_audio(SAMPLE), LONG_TURNS), 0, 1e9)
    with Visitor(address, PATIENCE_S) as visitor:
        assert visitor.bring("long.wav", long) == 204
        visitor.begin()
        next(m for m in visitor._messages() if "Listening: 2" in m.delta.new_element.progress.text)
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE_S and busy(process):
        pass
    return time.monotonic() - began


def busy(process: psutil.Process) -> bool:
    """Whether the app computes in the next second."""
    return process.cpu_percent(1) > 30


def crowd(address: str, sessions: int, seconds: float, known: list[Clip]) -> Seen:
    """All visitors at once, for so long."""
    seen, end = Seen(), time.monotonic() + seconds
    with ThreadPoolExecutor(sessions) as visitors:
        for number in range(sessions):
            visitors.submit(visit, address, number, known, end, seen)
    return seen


def lines(seen: Seen, seconds: float) -> Iterator[str]:
    """The figures of the crowd."""
    waits = sorted(seen.waits_s)
    yield f"{len(waits)} analyses in {seconds:.0f} s, {len(seen.wrong)} faults"
    cuts = statistics.quantiles(waits, n=20)
    yield f"wait: median {statistics.median(waits):.1f} s, 95 % {cuts[-1]:.1f} s, longest {waits[-1]:.1f} s"
    yield f"places told in line: {len(seen.places)}, the farthest {max(seen.places, default=0)}"


def main() -> None:
    """Start the app, let the crowd in, and tell what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--root", type=Path, help="a folder of recordings; pieces of the bundled sample without it")
    asked = parser.parse_args()
    known = clips(asked.root)
    with tempfile.TemporaryDirectory() as folder, serve_app(log=Path(folder, "log")) as address:
        memory = Memory(server_of(address))
        with Visitor(address, PATIENCE_S) as first:
            assert first.bring("first.wav", known[0].data) == 204
            first.run()
        before_mb = memory.now_mb()
        memory.start()
        seen = crowd(address, asked.sessions, asked.seconds, known)
        print("\n".join(lines(seen, asked.seconds)), flush=True)
        time.sleep(GIVEN_BACK_S)
        memory.over.set()
        kept_mb = memory.now_mb()
        print(f"memory: {before_mb:.0f} MB before, {memory.peak_mb:.0f} MB at most, {kept_mb:.0f} MB after", flush=True)
        left_s = abandoned(address, memory.process)
        print(f"an analysis whose visitor left ended after {left_s:.1f} s", flush=True)
        said = Path(folder, "log").read_text()
    assert not seen.wrong, json.dumps(seen.wrong[:5], indent=1)
    assert "Traceback" not in said, said[-2000:]
    assert memory.peak_mb < MOST_MB and kept_mb < before_mb + MOST_KEPT_MB and left_s < 10


if __name__ == "__main__":
    main()
