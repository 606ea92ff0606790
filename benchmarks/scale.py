"""How time and memory grow with the number of recordings, as a Markdown table.

    python -m benchmarks.scale --files 1000 10000 100000
    python -m benchmarks.scale --files 1000 10000 --work evaluate

Each number of files is a call of its own on that many links to eight clips of noise, 0.5 to 1.2 s long. The model is
a Whisper encoder of two layers, 32 wide, that learned nothing: what is measured is all but the model's arithmetic.
Memory is the largest resident set of the call's own process. The exponent is that of time by number, from the line
before to this one: 1 is proportional, and below it the start still counts.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.turns import exponent
from segser_core.audio.waveform import encode_wav

CLIPS = 8
LABELS = ("neutral", "sad")
WORK = ("print", "write", "evaluate")


@dataclass(frozen=True)
class Cost:
    """What one call took."""

    files: int
    seconds: float
    peak_mb: float


def make_model(folder: Path) -> None:
    """A tiny model that learned nothing, as the checkpoint `model`."""
    from transformers import WhisperConfig, WhisperFeatureExtractor
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    from segser_core.network.model import SegmentEmotionModel

    config = WhisperConfig(d_model=32, encoder_layers=2, encoder_attention_heads=4, encoder_ffn_dim=48, num_mel_bins=80)
    WhisperEncoder(config).save_pretrained(folder / "encoder")
    WhisperFeatureExtractor().save_pretrained(folder / "encoder")
    SegmentEmotionModel.from_encoder(str(folder / "encoder"), labels=list(LABELS)).save_pretrained(folder / "model")


def make_corpus(folder: Path, files: int) -> Path:
    """So many links to a few clips of noise, 1000 to a folder, and their manifest."""
    generator = np.random.default_rng(0)
    lengths_s = np.linspace(0.5, 1.2, CLIPS)
    for i, seconds in enumerate(lengths_s):
        (folder / f"{i}.clip").write_bytes(encode_wav(generator.normal(0, 0.1, int(seconds * 16_000)), 0, 2))
    root = folder / str(files)
    names = [f"{i // 1000:03d}/{i:06d}.wav" for i in range(files)]
    for i, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).hardlink_to(folder / f"{i % CLIPS}.clip")
    labels = [LABELS[i % len(LABELS)] for i in range(files)]
    durations_s = [lengths_s[i % CLIPS] for i in range(files)]
    table = pd.DataFrame({"path": names, "label": labels, "speaker": "one", "duration_s": durations_s})
    table.to_csv(root / "manifest.csv", index=False)
    return root


def command(work: str, model: Path, root: Path, engine: str) -> list[str]:
    """The call that is measured."""
    if work == "evaluate":
        places = ["--model", f"{model}", "--root", f"{root}", "--out", f"{root}.run"]
        return ["training.evaluate", *places, "--corpus", "manifest", "--split", "all", "--engine", engine]
    out = ["--out", f"{root}.out"] if work == "write" else []
    return ["segser_core", "analyze", f"{root}", "--model", f"{model}", "--format", "json", *out, "--engine", engine]


def measure(call: list[str], files: int) -> Cost:
    """Run a module in a process of its own, looking at its memory on the way (on Linux)."""
    began, peak_kb = time.monotonic(), 0
    process = subprocess.Popen([sys.executable, "-m", *call], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
        peak_kb = max([peak_kb, *(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))])
        time.sleep(0.1)
    if process.returncode:
        sys.exit(f"failed: python -m {' '.join(call)}")
    return Cost(files, time.monotonic() - began, peak_kb / 1024)


def table(costs: Iterator[Cost]) -> Iterator[str]:
    """Lines of Markdown, as the costs come."""
    yield "| files | seconds | files a second | exponent | peak memory |\n| --- | --- | --- | --- | --- |"
    before = None
    for c in costs:
        now = c.files, c.seconds
        grew = exponent(now, before)
        yield f"| {c.files} | {c.seconds:.1f} | {c.files / c.seconds:.0f} | {grew} | {c.peak_mb:.0f} MB |"
        before = now


def main(argv: list[str] | None = None) -> int:
    """Print the tables; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__.splitlines()[0])
    parser.add_argument("--files", nargs="+", type=int, default=[1000, 10_000, 100_000])
    parser.add_argument("--work", nargs="+", choices=WORK, default=["print", "write", "evaluate"])
    parser.add_argument("--engine", default="local", choices=("local", "ray"))
    asked = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        roots = {n: make_corpus(folder, n) for n in asked.files}
        make_model(folder)
        for work in asked.work:
            print(f"\n{work}, engine {asked.engine}\n")
            calls = ((command(work, folder / "model", root, asked.engine), n) for n, root in roots.items())
            for line in table(measure(*call) for call in calls):
                print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
