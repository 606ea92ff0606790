"""Make the spoken sample that ships with the project: `python -m training.release.make_sample`.

The voice is synthetic throughout: espeak-ng (https://github.com/espeak-ng/espeak-ng) speaks four
sentences, each by this command with the figures below,

    espeak-ng -v en-us -p PITCH -s WORDS_PER_MINUTE -a AMPLITUDE --stdout SENTENCE

and a short pause lies between them. Pitch, speed and volume change from one to the next, so that a
timeline has something to show; no sentence was spoken by a person, and none has a true emotion.
"""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import typer

from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.audio.loading import load_audio
from training.config.command_line import APP, Command, run_command_line
from training.corpora.flac import write_flac

SAMPLE = Path(__file__).parents[2] / "segser_core" / "bundled" / "sample.flac"
_PAUSE_S = 0.15
_METADATA = {
    "title": "segser sample: a synthetic voice",
    "artist": "espeak-ng (speech synthesiser)",
    "comment": "Synthetic speech, no person spoke it. Made by training/make_sample.py of segser.",
}


@dataclass(frozen=True)
class Sentence:
    """A sentence and how espeak-ng says it: pitch 0 to 99, words a minute, amplitude 0 to 200."""

    text: str
    pitch: int
    words_per_minute: int
    amplitude: int


_SENTENCES = (
    Sentence("The train leaves at nine.", 45, 190, 80),
    Sentence("I got the job!", 88, 200, 120),
    Sentence("No! Do not touch that!", 35, 220, 140),
    Sentence("It is over.", 15, 140, 40),
)


def synthesise(sentence: Sentence) -> np.ndarray:
    """Synthesise one sentence, (N,) float32 at 16 kHz."""
    settings = {"-v": "en-us", "-p": sentence.pitch, "-s": sentence.words_per_minute, "-a": sentence.amplitude}
    options = [str(part) for option in settings.items() for part in option]
    done = subprocess.run(["espeak-ng", *options, "--stdout", sentence.text], capture_output=True, check=True)
    return load_audio(done.stdout)


app = typer.Typer(**APP)


@app.command(cls=Command)
def make_sample() -> None:
    """Make the spoken sample that ships with the project, in its place."""
    pause = np.zeros(round(_PAUSE_S * SAMPLE_RATE_HZ), np.float32)
    parts = [part for sentence in _SENTENCES for part in (synthesise(sentence), pause)]
    samples = np.concatenate(parts[:-1])
    write_flac(samples, SAMPLE, _METADATA)
    typer.echo(f"{SAMPLE.name}: {len(samples) / SAMPLE_RATE_HZ:.2f} s, {SAMPLE.stat().st_size} bytes")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    return run_command_line(app, "python -m training.release.make_sample", arguments)


if __name__ == "__main__":
    sys.exit(main())
