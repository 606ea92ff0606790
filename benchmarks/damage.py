"""Damaged recordings by the thousand, made from a real one in every format, through the command line and the app.

    python -m benchmarks.damage [--source CLIP] [--model NAME|DIR] [--share K]

Each recording is either analysed or refused in one line, and the others go on: the script ends with an error where
that is not so, where something is said twice or not at all, where a traceback shows, where 10 s pass without
progress, or where more memory is taken than `MOST_MB`.
"""

import argparse
import io
import json
import os
import random
import re
import struct
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import av
import numpy as np
import psutil
from scipy.signal import resample_poly
from streamlit.delta_generator import DeltaGenerator
from typer.testing import CliRunner

from segser_core.audio.loading import load_audio
from segser_core.cli import app
from segser_core.inference import console
from tests.support.audio_files import encoded, pcm16, wav

SAMPLE = Path(__file__).parents[1] / "segser_core" / "bundled" / "sample.flac"
LONGEST_S = 1800  # what the app takes
MOST_MB = 1600  # resident memory beyond what the process held before, a bundled model among it
PATIENCE_S = 10
FORMATS = {  # ending → container, codec, rate
    "wav": ("wav", "pcm_s16le", 44_100),
    "float.wav": ("wav", "pcm_f32le", 16_000),
    "mulaw.wav": ("wav", "pcm_mulaw", 8_000),
    "flac": ("flac", "flac", 44_100),
    "mp3": ("mp3", "libmp3lame", 44_100),
    "opus": ("ogg", "libopus", 48_000),
    "ogg": ("ogg", "vorbis", 44_100),
    "m4a": ("ipod", "aac", 44_100),
    "alac.m4a": ("ipod", "alac", 44_100),
    "aac": ("adts", "aac", 22_050),
    "webm": ("webm", "libopus", 48_000),
    "mka": ("matroska", "flac", 48_000),
    "aiff": ("aiff", "pcm_s16be", 44_100),
    "mp4": ("mp4", "aac", 48_000),
}
NAMES = (
    "<script>alert(1)<script>.wav",
    "line\nbreak\r.wav",
    "\u202efdp.wav",
    "x" * 251 + ".wav",
    "[red]{0}%s\x1b[31m.wav",
    "-rf.wav",
)


def formats(samples: np.ndarray) -> dict[str, bytes]:
    """A recording (N,) at 16 kHz as a file of each format, by ending."""
    return {
        ending: encoded(container, codec, resample_poly(samples, rate, 16_000).astype(np.float32), rate, 2)
        for ending, (container, codec, rate) in FORMATS.items()
    }


def boundaries(content: bytes) -> list[int]:
    """Where a file's packets begin, and the places that a header's fields may end at."""
    with av.open(io.BytesIO(content)) as container:
        places = {packet.pos for packet in container.demux(audio=0) if packet.pos}
    return [1, 4, 8, 12, 16, 32, 44, *sorted(places)[:: max(1, len(places) // 16)]]


def damaged(content: bytes, others: list[bytes], g: random.Random) -> Iterator[tuple[str, bytes]]:
    """Every kind of damage to a file: what it is called, and the content."""
    half = len(content) // 2
    for at in boundaries(content):
        yield f"cut at {at}", content[:at]
    for i in range(24):
        broken = bytearray(content)
        for _ in range((1, 8, 64)[i % 3]):
            broken[g.randrange(256 if i % 2 else len(broken))] ^= 1 << g.randrange(8)
        yield f"bits {i}", bytes(broken)
    for i, other in enumerate(others[:6]):
        yield f"header {i}", other[:64] + content[64:]
    for at in range(0, 64, 4):
        for lie in (0, 0xFFFFFFFF):
            yield f"says {lie} at {at}", content[:at] + struct.pack("<I", lie) + content[at + 4 :]
    yield "hole", content[:half] + bytes(500) + content[half + 500 :]
    yield "twice", content + content
    yield "halves exchanged", content[half:] + content[:half]


def strange(samples: np.ndarray) -> Iterator[tuple[str, bytes]]:
    """Files that no encoder of speech makes."""
    floats = samples[:16_000].astype("<f4")
    for n in (0, 1):
        yield f"{n} samples.wav", wav(pcm16(samples[:n]), 16_000)
    for name in ("nan", "inf"):
        yield f"{name}.wav", wav(np.where(np.arange(16_000) == 9000, np.float32(name), floats), 16_000, 32, code=3)
    yield "8 channels.wav", wav(pcm16(np.repeat(floats[:, None], 8, axis=1)), 16_000)
    for rate in (1, 768_000):
        yield f"{rate} Hz.wav", wav(pcm16(np.resize(samples, 2 * 768_000)), rate)
    yield "silence.wav", wav(np.zeros(16_000, "<i2"), 16_000)
    yield "constant.wav", wav(np.full(16_000, 9999, "<i2"), 16_000)
    yield "clipped.wav", wav(pcm16(np.clip(50 * samples, -1, 1)), 16_000)
    yield "empty.wav", b""
    yield "script.wav", b"#!/bin/sh\nrm -rf /\n"
    yield "playlist.wav", b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n"
    with io.BytesIO() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.wav", bytes(50_000_000))
        yield "bomb.wav", file.getvalue()


def ten_hours() -> bytes:
    """Ten hours of silence at 16 kHz in less than 1 MB."""
    content, block = io.BytesIO(), np.zeros((1, 60 * 16_000), np.int16)
    with av.open(content, "w", format="flac") as out:
        stream = out.add_stream("flac", rate=16_000, layout="mono", options={"frame_size": "32768"})
        for i in range(600):
            frame = av.AudioFrame.from_ndarray(block, format="s16", layout="mono")
            frame.sample_rate, frame.pts = 16_000, i * block.size
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return content.getvalue()


def corpus(source: Path, seed: int = 0) -> dict[str, bytes]:
    """All files by name: each format as it should be (`whole.*`), damaged in every way, and the strange ones."""
    samples, g = load_audio(source)[:24_000], random.Random(seed)
    made = formats(samples)
    files = {f"whole.{ending}": content for ending, content in made.items()}
    for ending, content in made.items():
        others = [other for name, other in made.items() if name != ending]
        files |= {f"{kind}.{ending}": broken for kind, broken in damaged(content, others, g)}
        files |= {f"{ending} named.{other}": content for other in ("mp3", "wav", "mp4")}
    return files | dict(strange(samples)) | dict.fromkeys(NAMES, made["wav"])


def write(folder: Path, files: dict[str, bytes]) -> list[Path]:
    """The files, and beside them what is no file: a pipe, a link to nothing, a folder, paths that are not there."""
    for name, content in files.items():
        (folder / name).write_bytes(content)
    os.mkfifo(folder / "pipe.wav")
    (folder / "nowhere.wav").symlink_to(folder / "gone")
    (folder / "folder.wav").mkdir()
    return [folder / "folder.wav", folder / "absent.wav"]


class Gaps:
    """The longest time between two signs of life, what the first of them said, and the most memory at any of them."""

    def __init__(self) -> None:
        self.last, self.doing, self.longest, self.signs = time.monotonic(), "", (0.0, ""), 0
        self.held_mb, self.most_mb = resident_mb(), 0.0

    def sign(self, doing: object) -> None:
        """Something was shown."""
        now = time.monotonic()
        self.longest = max(self.longest, (now - self.last, self.doing))
        self.last, self.doing, self.signs = now, str(doing), self.signs + 1
        self.most_mb = max(self.most_mb, resident_mb() - self.held_mb)


def resident_mb() -> float:
    """Memory of this process."""
    return psutil.Process().memory_info().rss / 2**20


def through_the_command(folder: Path, extra: list[Path], model: str) -> tuple[list[dict], list[str], Gaps]:
    """What `analyze` prints: the results, and the lines on standard error."""
    gaps = Gaps()

    class Watched(console.Screen):
        def begin(self, doing: str, total: int) -> None:
            gaps.sign(doing)
            super().begin(doing, total)

        def hear(self, name: str, heard_s: float) -> None:
            gaps.sign(f"{name} {heard_s:.0f} s")
            super().hear(name, heard_s)

        def count(self) -> None:
            gaps.sign("one more is done")
            super().count()

        def refuse(self, name: str, why: object) -> None:
            gaps.sign(name)
            super().refuse(name, why)

    options = ["--model", model, "--format", "json", "--max-duration", str(LONGEST_S)]
    with mock.patch.object(console, "Screen", Watched):
        got = CliRunner().invoke(app, ["analyze", str(folder), *map(str, extra), *options])
    assert got.exit_code == 1, got.exception
    return json.loads(got.stdout), got.stderr.splitlines(), gaps


def check_command(folder: Path, files: dict[str, bytes], extra: list[Path], model: str) -> str:
    """Every recording is analysed or has one line; returns a line of figures."""
    results, lines, gaps = through_the_command(folder, extra, model)
    heard = {Path(r["file"]).name for r in results}
    asked = len(files) + 2 + len(extra)  # the pipe and the link
    assert len(heard) == len(results) and len(results) + len(lines) == asked, (len(results), len(lines), asked)
    assert all(line.startswith(str(folder)) and ": " in line and line.isprintable() for line in lines)
    assert heard >= {name for name in files if name.startswith("whole") or name in NAMES}
    assert all(np.isfinite(list(r["probabilities"].values())).all() for r in results)
    return figures("analyze", len(results), len(lines), gaps)


def check_app(files: dict[str, bytes]) -> str:
    """The same in the page Timeline, a hundred at once; returns a line of figures."""
    from tests.support.app_test import several

    heard, refused, gaps, names = 0, 0, Gaps(), list(files)
    progress = DeltaGenerator.progress

    def shown(self, value, text=None):
        gaps.sign(text)
        return progress(self, value, text)

    with mock.patch.object(DeltaGenerator, "progress", shown):
        for start in range(0, len(names), 100):
            some = names[start : start + 100]
            gaps.sign(some[0])
            table = several(*((name, files[name]) for name in some)).dataframe[0].value
            why = table.notes[table.label.isna()]
            assert list(table.file) == list(dict.fromkeys(some)) or len(table) <= len(some)
            assert why.str.match(r"Not analysed: \S").all() and not why.str.contains("Traceback").any()
            heard, refused = heard + int(table.label.notna().sum()), refused + len(why)
    return figures("app", heard, refused, gaps)


def figures(name: str, heard: int, refused: int, gaps: Gaps) -> str:
    """A line of figures, once they are within their bounds."""
    assert gaps.signs > heard and gaps.longest[0] < PATIENCE_S and gaps.most_mb < MOST_MB, vars(gaps)
    longest = f"{gaps.longest[0]:.1f} s ({re.sub(r'[^ -~]', '?', gaps.longest[1])[:60]})"
    memory = f"{gaps.most_mb:.0f} MB more than before"
    return f"{name}: {heard} analysed, {refused} refused, longest without progress {longest}, {memory}"


def main() -> None:
    """Make the recordings, and put them through both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, default=SAMPLE, help="a recording of a second and a half or more")
    parser.add_argument("--model", default="seg+tri-w")
    parser.add_argument("--share", type=int, default=1, help="take every k-th file alone")
    asked = parser.parse_args()
    files = dict(list(corpus(asked.source).items())[:: asked.share]) | {"ten hours.flac": ten_hours()}
    with tempfile.TemporaryDirectory() as folder:
        extra = write(Path(folder), files)
        print(f"{len(files) + len(extra) + 2} recordings", flush=True)
        print(check_command(Path(folder), files, extra, asked.model), flush=True)
    print(check_app(files), flush=True)


if __name__ == "__main__":
    main()
