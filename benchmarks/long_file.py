"""Long recordings: time and memory by length, and how far windows agree with one pass.

    python -m benchmarks.long_file time --long ../shared/data/long --encoder whisper --minutes 5 60
    python -m benchmarks.long_file windows --long ../shared/data/long --models baseline seg+tri-w

`time`: the clips of the folder one after the other, again and again, as one WAV file of so many minutes; each file in a
process of its own, which tells the seconds that the analysis takes, without the start, and its largest resident set.
`windows`: stretches of 20 to 30 s of the same clips, in one pass and in windows whose margins (at either side) only
serve as context. Of Whisper, the share of segments that keep their label; of wav2vec2-base's configuration (weights at
random), the relative error of frames: the waveform is normalised, and so are its convolutions, within the window.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchmarks import peers
from benchmarks.turns import Figure, markdown, publish, seconds, spread
from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.audio.folders import find_audio_files
from segser_core.audio.loading import load_audio
from segser_core.audio.waveform import encode_wav
from segser_core.inference.long_audio import overlapping_windows, stream_means
from segser_core.inference.predictor import Predictor
from segser_core.network.encoders import HOP_SAMPLES
from segser_core.network.model import SegmentEmotionModel

SHORTEST_S, LONGEST_S = 20, 30
GRID = [(w, m) for w in (500, 1000) for m in (50, 100, 150, 200)]  # window and margin, in frames


def predictor_of(encoder: str) -> Predictor:
    """The bundled model, or one around wav2vec2-base's configuration."""
    return Predictor.from_pretrained() if encoder == "whisper" else Predictor(peers.random_wav2vec2(), "random")


def write_long(folder: Path, clips: Path, minutes: int) -> Path:
    """A WAV file of so many minutes."""
    whole = np.concatenate([load_audio(path) for path in find_audio_files(clips)])
    path = folder / f"{minutes}.wav"
    path.write_bytes(encode_wav(np.resize(whole, minutes * 60 * SAMPLE_RATE_HZ), 0, minutes * 60))
    return path


def analyse(encoder: str, file: str) -> None:
    """What the process of its own does: print seconds and MB."""
    predictor = predictor_of(encoder)
    predictor.predict(np.zeros(35 * SAMPLE_RATE_HZ, np.float32))
    took = seconds(lambda: predictor.predict(file))
    print(json.dumps([took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))


def measure(encoder: str, file: Path) -> tuple[float, float]:
    """Seconds and MB of one file, by a process of its own."""
    call = [sys.executable, "-m", "benchmarks.long_file", "analyse", "--encoder", encoder, "--file", str(file)]
    took, peak_mb = json.loads(subprocess.run(call, check=True, capture_output=True, text=True).stdout)
    return took, peak_mb


def by_length(encoder: str, clips: Path, minutes: tuple[int, int], turns: int) -> list[Figure]:
    """The long file against the short one: seconds by second of audio, and memory."""
    found: dict[int, list[tuple[float, float]]] = {m: [] for m in minutes}
    with tempfile.TemporaryDirectory() as folder:
        files = {m: write_long(Path(folder), clips, m) for m in minutes}
        for turn in range(turns):
            for m in minutes[:: 1 if turn % 2 == 0 else -1]:
                found[m].append(measure(encoder, files[m]))
    short, long = ([(s / (60 * m), mb) for s, mb in found[m]] for m in minutes)
    what, against = f"{minutes[1]} minutes, {encoder}", f"{minutes[0]} minutes"
    pairs = list(zip(long, short, strict=True))
    speed = f"{1000 * np.median([s for s, _ in long]):.1f} ms a second of audio"
    memory = f"{np.median([mb for _, mb in long]):.0f} MB"
    return [
        spread(f"{what}: time by second", against, [a[0] / b[0] for a, b in pairs], "×", "0.90 to 1.10 ×", speed),
        spread(f"{what}: peak memory more", against, [a[1] - b[1] for a, b in pairs], "MB", "≤ 200 MB", memory),
    ]


def stretches(clips: Path) -> Iterator[np.ndarray]:
    """20 to 30 s each: clips of that length, and longer ones in equal parts."""
    for clip in map(load_audio, find_audio_files(clips)):
        parts = -(-len(clip) // (LONGEST_S * SAMPLE_RATE_HZ))
        if len(clip) >= parts * SHORTEST_S * SAMPLE_RATE_HZ:
            yield from np.array_split(clip, parts)


def frames(model: SegmentEmotionModel, waveform: np.ndarray, window: int, margin: int) -> Tensor:
    """The frames (T, D) in windows."""
    step = (window - 2 * margin) * HOP_SAMPLES
    blocks = [waveform[i : i + step] for i in range(0, len(waveform), step)]
    parts = []
    for piece, first, last in overlapping_windows(blocks, window, margin):
        features = model.encoder.features(torch.from_numpy(piece))
        parts.append(model.encoder(features[None], torch.tensor([len(features)]))[0, first:last])
    return torch.cat(parts)


def labels_of(model: SegmentEmotionModel, of: Tensor) -> Tensor:
    """The label of each segment."""
    return model.head(stream_means(iter([of]), model.config.windows)[1]).argmax(dim=-1)


@torch.inference_mode()
def by_window(model: SegmentEmotionModel, name: str, clips: Path) -> Iterator[list[str]]:
    """A row a window and margin: labels kept, error of frames, passes over each second."""
    whole = [(clip, frames(model, clip, 1500, 0)) for clip in stretches(clips)]
    for window, margin in GRID:
        cut = [frames(model, clip, window, margin) for clip, _ in whole]
        same = torch.cat([labels_of(model, a) == labels_of(model, b) for a, (_, b) in zip(cut, whole, strict=True)])
        error = np.mean([float((a - b).norm() / b.norm()) for a, (_, b) in zip(cut, whole, strict=True)])
        kept = f"{100 * same.float().mean():.1f} % of {len(same)}"
        passes = window / (window - 2 * margin)
        yield [name, f"{window / 50:g} s", f"{margin / 50:g} s", kept, f"{error:.2f}", f"{passes:.2f}"]


def main() -> None:
    """One of the two, or the part of a process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("time", "windows", "analyse"))
    parser.add_argument("--long", type=Path, help="a folder of clips of 11 s to 53 s")
    parser.add_argument("--encoder", choices=("whisper", "wav2vec2"), default="whisper")
    parser.add_argument("--models", nargs="*", default=["baseline", "seg+tri-w"])
    parser.add_argument("--minutes", type=int, nargs=2, default=[5, 60])
    parser.add_argument("--turns", type=int, default=1)
    parser.add_argument("--file", help="what a process of its own is given")
    asked = parser.parse_args()
    if asked.what == "analyse":
        analyse(asked.encoder, asked.file)
    elif asked.what == "time":
        publish(f"long-file-{asked.encoder}", by_length(asked.encoder, asked.long, tuple(asked.minutes), asked.turns))
    else:
        head = ["model", "window", "margin", "labels as in one pass", "relative error of frames", "passes"]
        rows = [row for m in asked.models for row in by_window(Predictor.from_pretrained(m).model, m, asked.long)]
        rows += by_window(peers.random_wav2vec2(), "wav2vec2-base, random", asked.long)
        print(markdown([head, *rows]))


if __name__ == "__main__":
    main()
