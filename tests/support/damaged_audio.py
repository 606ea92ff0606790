"""Damage a recording in every way, in every format, and build files that no encoder of speech makes."""

import io
import os
import random
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from scipy.signal import resample_poly

from segser_core.audio.loading import load_audio
from tests.support.audio_files import encode_any_wav, encode_audio, to_pcm16

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
STRANGE_NAMES = (
    "<script>alert(1)<script>.wav",
    "line\nbreak\r.wav",
    "\u202efdp.wav",
    "x" * 251 + ".wav",
    "[red]{0}%s\x1b[31m.wav",
    "-rf.wav",
)


def in_every_format(samples: np.ndarray) -> dict[str, bytes]:
    """Encode a recording (N,) at 16 kHz in each format, by ending."""
    return {
        ending: encode_audio(container, codec, resample_poly(samples, rate, 16_000).astype(np.float32), rate, 2)
        for ending, (container, codec, rate) in FORMATS.items()
    }


def packet_boundaries(content: bytes) -> list[int]:
    """Find where a file's packets begin, and the places that a header's fields may end at."""
    with av.open(io.BytesIO(content)) as container:
        places = {packet.pos for packet in container.demux(audio=0) if packet.pos}
    return [1, 4, 8, 12, 16, 32, 44, *sorted(places)[:: max(1, len(places) // 16)]]


def damage_file(content: bytes, others: list[bytes], g: random.Random) -> Iterator[tuple[str, bytes]]:
    """Damage a file in every way: the name of the damage, and the content."""
    half = len(content) // 2
    for at in packet_boundaries(content):
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


def make_strange_files(samples: np.ndarray) -> Iterator[tuple[str, bytes]]:
    """Make files that no encoder of speech makes."""
    floats = samples[:16_000].astype("<f4")
    for n in (0, 1):
        yield f"{n} samples.wav", encode_any_wav(to_pcm16(samples[:n]), 16_000)
    for name in ("nan", "inf"):
        yield (
            f"{name}.wav",
            encode_any_wav(np.where(np.arange(16_000) == 9000, np.float32(name), floats), 16_000, 32, code=3),
        )
    yield "8 channels.wav", encode_any_wav(to_pcm16(np.repeat(floats[:, None], 8, axis=1)), 16_000)
    for rate in (1, 768_000):
        yield f"{rate} Hz.wav", encode_any_wav(to_pcm16(np.resize(samples, 2 * 768_000)), rate)
    yield "silence.wav", encode_any_wav(np.zeros(16_000, "<i2"), 16_000)
    yield "constant.wav", encode_any_wav(np.full(16_000, 9999, "<i2"), 16_000)
    yield "clipped.wav", encode_any_wav(to_pcm16(np.clip(50 * samples, -1, 1)), 16_000)
    yield "empty.wav", b""
    yield "script.wav", b"#!/bin/sh\nrm -rf /\n"
    yield "playlist.wav", b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n"
    with io.BytesIO() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.wav", bytes(50_000_000))
        yield "bomb.wav", file.getvalue()


def make_ten_hours() -> bytes:
    """Encode ten hours of silence at 16 kHz in less than 1 MB."""
    content, block = io.BytesIO(), np.zeros((1, 60 * 16_000), np.int16)
    with av.open(content, "w", format="flac") as out:
        stream = out.add_stream("flac", rate=16_000, layout="mono", options={"frame_size": "32768"})
        for i in range(600):
            frame = av.AudioFrame.from_ndarray(block, format="s16", layout="mono")
            frame.sample_rate, frame.pts = 16_000, i * block.size
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return content.getvalue()


def make_damaged_corpus(source: Path, seed: int = 0) -> dict[str, bytes]:
    """Make all files by name: each format undamaged (`whole.*`), damaged in every way, and strange ones."""
    samples, g = load_audio(source)[:24_000], random.Random(seed)
    made = in_every_format(samples)
    files = {f"whole.{ending}": content for ending, content in made.items()}
    for ending, content in made.items():
        others = [other for name, other in made.items() if name != ending]
        files |= {f"{kind}.{ending}": broken for kind, broken in damage_file(content, others, g)}
        files |= {f"{ending} named.{other}": content for other in ("mp3", "wav", "mp4")}
    return files | dict(make_strange_files(samples)) | dict.fromkeys(STRANGE_NAMES, made["wav"])


def write_damaged(folder: Path, files: dict[str, bytes]) -> list[Path]:
    """Write the files, and beside them a pipe, a link to nothing, a folder and a path that is not there."""
    for name, content in files.items():
        (folder / name).write_bytes(content)
    os.mkfifo(folder / "pipe.wav")
    (folder / "nowhere.wav").symlink_to(folder / "gone")
    (folder / "folder.wav").mkdir()
    return [folder / "folder.wav", folder / "absent.wav"]
