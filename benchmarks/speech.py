"""Speech or not: what is kept of speech and song, what is marked in pauses, and what it costs.

    python -m benchmarks.speech kept --data ../shared/data
    python -m benchmarks.speech pauses --long ../shared/data/long
    python -m benchmarks.speech cost --long ../shared/data/long --data ../shared/data

`kept`: of clips of each corpus, drawn by chance, the share of segments that a share of speech of 0.3 keeps, and the
clips of which it keeps none; RAVDESS's calm and sad clips, the quietest, by themselves. `pauses`: the long recordings,
with pauses of 5 s between stretches of 15 s; of the segments wholly in a pause and of those wholly in a stretch, the
share that is marked as no speech. A pause holds zeros or noise, at 40 or 60 dB below the recording's own level. `cost`:
seconds of the processor that `Predictor.predict` takes with and without telling speech, in turn, in one process, and
the median of their ratio.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.audio.folders import find_audio_files
from segser_core.audio.loading import load_audio
from segser_core.audio.speech import SpeechDecision
from segser_core.formatting import align_columns
from segser_core.inference.long_audio import bounds_in_seconds
from segser_core.inference.predictor import Predictor
from segser_core.network.segments import FRAME_S, Windows
from segser_core.network.voice_activity import SpeechMeter
from segser_core.prediction.timeline import TimeSpan
from segser_core.systems import DEFAULT_MIN_SPEECH, DEFAULT_SYSTEM

WINDOWS = Windows(80, 40)  # of the bundled models
STRETCH_S, PAUSE_S, EDGE_S = 15, 5, 0.1
PAUSES_DB = {"zeros": None, "noise at -60 dB": -60, "noise at -40 dB": -40}
QUIET = ("02", "04")  # RAVDESS's codes of calm and sad


def find_speech(samples: np.ndarray) -> SpeechDecision:
    """Listen to (N,) samples at 16 kHz."""
    meter = SpeechMeter()
    meter.add(samples)
    return SpeechDecision(DEFAULT_MIN_SPEECH, meter.finish())


def segments_of(samples: np.ndarray) -> tuple[TimeSpan, ...]:
    """Cut (N,) samples into the segments of the bundled models, in seconds."""
    duration_s = len(samples) / SAMPLE_RATE_HZ
    return bounds_in_seconds(WINDOWS.bounds(max(1, int(duration_s / FRAME_S))), duration_s)


def clips_by_group(data: Path, most: int) -> Iterator[tuple[str, list[Path]]]:
    """Draw clips of each group of the corpora."""
    groups: dict[str, tuple[str, Callable[[Path], bool]]] = {
        "RAVDESS speech": ("ravdess/Audio_Speech_Actors_01-24", lambda _: True),
        "RAVDESS speech, calm and sad": ("ravdess/Audio_Speech_Actors_01-24", lambda p: p.stem.split("-")[2] in QUIET),
        "RAVDESS song": ("ravdess/Audio_Song_Actors_01-24", lambda _: True),
        "CREMA-D": ("cremad", lambda _: True),
        "EMO-DB": ("emodb", lambda _: True),
    }
    for name, (folder, is_of_group) in groups.items():
        files = [p for p in sorted(find_audio_files(data / folder)) if is_of_group(p)]
        random.Random(0).shuffle(files)
        yield name, files[:most]


def measure_kept(data: Path, most: int) -> list[tuple[str, ...]]:
    """Measure the share of segments that is kept of each corpus."""
    rows = [("clips of", "clips", "segments", "kept, %", "clips of which none is kept", "")]
    for name, files in clips_by_group(data, most):
        kept = []
        for file in files:
            samples = load_audio(file)
            speech = find_speech(samples)
            kept.append([speech.is_speech(*span) for span in segments_of(samples)])
        mute = [file.stem for file, each in zip(files, kept, strict=True) if not any(each)]
        flat = [each for clip in kept for each in clip]
        share = f"{100 * statistics.mean(flat):.1f}"
        rows.append((name, str(len(files)), str(len(flat)), share, str(len(mute)), " ".join(mute[:5])))
    return rows


def with_pauses(samples: np.ndarray, level_db: float | None) -> tuple[np.ndarray, list[TimeSpan]]:
    """Put pauses between stretches of a recording; return it, and where the pauses are, in seconds."""
    rms, rng = float(np.sqrt(np.mean(samples**2))), np.random.default_rng(0)
    pieces, spans, at_s = [], [], 0.0
    for start in range(0, len(samples), STRETCH_S * SAMPLE_RATE_HZ):
        stretch = samples[start : start + STRETCH_S * SAMPLE_RATE_HZ]
        noise = rng.standard_normal(PAUSE_S * SAMPLE_RATE_HZ) * rms
        pause = noise * (0.0 if level_db is None else 10 ** (level_db / 20))
        pieces += [stretch, pause.astype(np.float32)]
        at_s += len(stretch) / SAMPLE_RATE_HZ
        spans.append((at_s, at_s + PAUSE_S))
        at_s += PAUSE_S
    return np.concatenate(pieces), spans


def measure_pauses(long: Path) -> list[tuple[str, ...]]:
    """Measure which segments are marked in pauses, and which in speech."""
    rows = [("pauses of", "segments in a pause", "marked, %", "segments in speech", "marked, %")]
    recordings = [load_audio(file) for file in find_audio_files(long)]
    for name, level_db in PAUSES_DB.items():
        inside, outside = [], []
        for recording in recordings:
            samples, pauses = with_pauses(recording, level_db)
            speech = find_speech(samples)
            for start_s, end_s in segments_of(samples):
                marked = not speech.is_speech(start_s, end_s)
                if any(a - EDGE_S <= start_s and end_s <= b + EDGE_S for a, b in pauses):
                    inside.append(marked)
                elif not any(start_s < b and end_s > a for a, b in pauses):
                    outside.append(marked)
        shares = (f"{100 * statistics.mean(each):.1f}" for each in (inside, outside))
        rows.append((name, str(len(inside)), next(shares), str(len(outside)), next(shares)))
    return rows


def measure_cost(long: Path, data: Path, rounds: int) -> list[tuple[str, ...]]:
    """Measure the processor's time of an analysis with and without telling speech, in turn."""
    predictor = Predictor.from_pretrained(DEFAULT_SYSTEM, "cpu")
    one = np.concatenate([load_audio(file) for file in find_audio_files(long)])
    clips = [load_audio(file) for file in dict(clips_by_group(data, 40))["CREMA-D"]]
    rows = [("recordings", "length, s", "without, s", "with, s", "ratio")]
    for name, given in (("one long", [one]), ("40 clips", clips)):
        spent: dict[float, list[float]] = {0.0: [], DEFAULT_MIN_SPEECH: []}
        for _ in range(rounds + 1):
            for share, seconds in spent.items():
                start = time.process_time()
                for samples in given:
                    predictor.predict(samples, min_speech=share)
                seconds.append(time.process_time() - start)
        without, told = (each[1:] for each in spent.values())  # the first round warms up
        ratio = statistics.median(b / a for a, b in zip(without, told, strict=True))
        medians = (f"{statistics.median(each):.2f}" for each in (without, told))
        rows.append((name, f"{sum(map(len, given)) / SAMPLE_RATE_HZ:.0f}", *medians, f"{ratio:.3f}"))
    return rows


def main() -> None:
    """Print the table that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("kept", "pauses", "cost"))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the corpora")
    parser.add_argument("--long", type=Path, default=Path("../shared/data/long"), help="folder of long recordings")
    parser.add_argument("--clips", type=int, default=500, help="clips of each corpus at most")
    parser.add_argument("--rounds", type=int, default=7, help="of the cost")
    asked = parser.parse_args()
    if asked.what == "kept":
        rows = measure_kept(asked.data, asked.clips)
    elif asked.what == "pauses":
        rows = measure_pauses(asked.long)
    else:
        rows = measure_cost(asked.long, asked.data, asked.rounds)
    print("\n".join(align_columns(rows)))


if __name__ == "__main__":
    main()
