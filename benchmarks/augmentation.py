"""Milliseconds that each augmentation of training takes for a clip of 4 s, and a batch of 8 takes for all.

    python -m benchmarks.augmentation --root RAVDESS

Each effect takes turns with the decoding of the same clip, whose time is the measure. Clips of RAVDESS last 3 to 5 s.
A batch is augmented as in training: each effect on its share of clips, babble from a pool that is decoded.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Generator, Tensor

from benchmarks.turns import Figure, alternate, publish, ratio, seconds, spread
from segser_core.audio.loading import load_audio
from segser_core.errors import SegserError
from training.config.settings import Augmentation
from training.corpora import load_corpus
from training.features.augment import add_noise, augment_clip, change_level, change_speed
from training.features.babble import ClipPool, add_babble
from training.features.channel import MP3, OPUS, low_pass, telephone_line, transcode
from training.features.room import reverberate

CLIP_SAMPLES, BATCH = 64_000, 8
MOST_MS = 300
ALL = Augmentation(
    speed=(0.85, 1.15),
    reverberation_s=(0.2, 0.8),
    reverberation_share=0.3,
    babble_db=(5, 25),
    babble_share=0.3,
    noise_db=(5, 30),
    low_pass_hz=(3000, 7500),
    low_pass_share=0.3,
    telephone=0.1,
    codec=0.2,
    gain_range_db=(-30, 0),
)


def effects(generator: Generator, pool: ClipPool) -> dict[str, Callable[[Tensor], Tensor]]:
    """Each effect by its name, with what it is set to."""
    return {
        "level −10 dB": lambda clip: change_level(clip, -10.0),
        "speed 0.93": lambda clip: change_speed(clip, 0.93),
        "noise 10 dB": lambda clip: add_noise(clip, 10.0, generator),
        "babble 10 dB, pool decoded": lambda clip: add_babble(clip, 10.0, pool, generator),
        "reverberation 0.5 s": lambda clip: reverberate(clip, 0.5, generator),
        "reverberation 1.0 s": lambda clip: reverberate(clip, 1.0, generator),
        "low pass 4 kHz": lambda clip: low_pass(clip, 4000.0),
        "telephone": telephone_line,
        "Opus 12 kbit/s": lambda clip: transcode(clip, OPUS, 12_000),
        "MP3 32 kbit/s": lambda clip: transcode(clip, MP3, 32_000),
    }


def four_seconds(path: Path) -> Tensor:
    """A clip, repeated or cut to 4 s: (64000,)."""
    waveform = torch.from_numpy(load_audio(path))
    return waveform.repeat(-(-CLIP_SAMPLES // len(waveform)))[:CLIP_SAMPLES]


def measure(paths: Sequence[Path], turns: int) -> list[Figure]:
    """The figures of each effect, and of all of them on batches."""
    generator, pool = Generator().manual_seed(0), ClipPool(paths[:64])
    clips = {path: four_seconds(path) for path in paths[:turns]}
    for _ in range(10 * len(pool.paths)):
        pool(generator)  # so that its clips are decoded, as they are after the first steps of a training
    figures = []
    for name, effect in effects(generator, pool).items():
        effect(clips[paths[0]])
        times = alternate(list(clips), {"effect": lambda p, f=effect: f(clips[p]), "decode": load_audio})
        remark = f"{1000 * sum(times['effect']) / len(clips):.2g} ms a clip"
        figures.append(ratio(name, "decoding the clip", times["effect"], times["decode"], "", remark))
    return [*figures, batches(list(clips.values()), pool, generator, turns)]


def batches(clips: Sequence[Tensor], pool: ClipPool, generator: Generator, turns: int) -> Figure:
    """Milliseconds of all effects, each on its share, for a batch."""

    def augment(turn: int) -> None:
        for i in range(BATCH):
            augment_clip(clips[(BATCH * turn + i) % len(clips)], ALL, generator, pool)

    found = [1000 * seconds(lambda turn=turn: augment(turn)) for turn in range(turns)]
    shares = ", ".join(f"{n.removesuffix('_share')} {v:g}" for n, v in vars(ALL).items() if "share" in n)
    remark = f"{shares}, telephone {ALL.telephone:g}, codec {ALL.codec:g}; at most {max(found):.0f} ms"
    return spread("all, a batch of 8 clips of 4 s", "–", found, "ms", f"at most {MOST_MS}", remark)


def main(argv: list[str] | None = None) -> int:
    """Measure, print, and keep the figures; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.augmentation", description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, required=True, help="RAVDESS's folder")
    parser.add_argument("--turns", type=int, default=40, help="clips, and batches")
    asked = parser.parse_args(argv)
    torch.set_num_threads(1)
    try:
        manifest = load_corpus("ravdess", asked.root).manifest
        publish("augmentation", measure([asked.root / path for path in manifest["path"]], asked.turns))
    except SegserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
