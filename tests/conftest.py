"""Fixtures of all tests: a made-up corpus, two made-up runs, and the folder of real recordings."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from transformers import WhisperFeatureExtractor

from segser_core.audio.waveform import encode_wav
from segser_core.runs.run import Run, read_run
from tests.support.made_run import make_runs
from tests.support.networks import tiny_network
from tests.support.paths import SHARED
from tests.support.training import CORPUS_LABELS
from training.corpora.fold import Fold


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real recordings and pretrained weights; tests that need it are skipped without it."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"no recordings at {SHARED}; name their folder in SEGSER_SHARED")
    return SHARED


@pytest.fixture(scope="session")
def two_runs(tmp_path_factory) -> tuple[Run, Run]:
    """Two made-up runs on the same 400 clips, to be read and not changed."""
    first, second = make_runs(tmp_path_factory.mktemp("made"), 400)
    return read_run(first), read_run(second)


@pytest.fixture
def corpus(tmp_path) -> tuple[Fold, Path]:
    """A made-up corpus of 24 clips, noise for one class and a tone for the other, and a tiny Whisper in `encoder`."""
    tiny_network("whisper").save_pretrained(tmp_path / "encoder")
    WhisperFeatureExtractor().save_pretrained(tmp_path / "encoder")
    g = np.random.default_rng(0)
    rows = []
    for i in range(24):
        samples = int(g.uniform(0.5, 1.2) * 16_000)
        sound = 0.1 * np.sin(np.arange(samples) * 0.2) if i % 2 else g.normal(0, 0.1, samples)
        (tmp_path / f"{i}.wav").write_bytes(encode_wav(sound, 0, 2))
        split = "train" if i < 16 else "dev" if i < 20 else "test"
        rows.append(
            {
                "utterance_id": str(i),
                "path": f"{i}.wav",
                "label": CORPUS_LABELS[i % 2],
                "speaker": f"{split}{i % 2}",
                "split": split,
                "duration_s": samples / 16_000,
            }
        )
    return Fold(0, CORPUS_LABELS, pd.DataFrame(rows)), tmp_path
