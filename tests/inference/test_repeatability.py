"""Same input, same answer: how it is asked, and in whose company, does not matter."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from segser_core.audio.loading import load_audio
from segser_core.inference.predictor import Predictor
from tests.support.paths import ROOT, SAMPLE


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor.from_pretrained()


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def probabilities(predictor: Predictor, context: str = "clip") -> np.ndarray:
    p = predictor.predict(SAMPLE, context=context)
    return np.array([list(p.utterance.values()), *(list(s.probabilities.values()) for s in p.segments)])


@pytest.mark.parametrize("context", ["clip", "segment"])
def test_the_same_call_gives_the_same_bits(context, predictor):
    first = probabilities(predictor, context)
    assert all(np.array_equal(probabilities(predictor, context), first) for _ in range(3))


def test_sessions_side_by_side_give_the_same_bits(predictor):
    first = probabilities(predictor)
    with ThreadPoolExecutor(8) as sessions:
        found = list(sessions.map(lambda _: probabilities(predictor), range(16)))
    assert all(np.array_equal(each, first) for each in found)


def test_processes_give_the_same_bits():
    command = [sys.executable, "-m", "segser_core", "analyze", str(SAMPLE), "--format", "json"]
    one, two = (subprocess.run(command, capture_output=True, cwd=ROOT).stdout for _ in range(2))
    assert one == two
    assert b'"confidence"' in one


def test_the_number_of_threads_moves_a_probability_by_less_than_1e_6(predictor, threads):
    found = []
    for n in (1, 2, 4):
        threads(n)
        found.append(probabilities(predictor))
    assert max(np.abs(each - found[0]).max() for each in found) < 1e-6


@torch.no_grad()
def test_company_in_a_batch_moves_a_probability_by_less_than_1e_4(predictor):
    model, whole = predictor.model, load_audio(SAMPLE)
    features = [model.encoder.features(torch.from_numpy(whole[:n])) for n in (80_000, 16_000, 40_000, 8_000)]
    batch = torch.nn.utils.rnn.pad_sequence(features, batch_first=True)
    lengths = torch.tensor([len(f) for f in features])
    together = model(batch, lengths).utterance_logits.softmax(-1)
    alone = [model(f[None], torch.tensor([len(f)])).utterance_logits.softmax(-1)[0] for f in features]
    assert (together - torch.stack(alone)).abs().max() < 1e-4


@pytest.mark.parametrize("size", [1, 3, 7])
def test_how_many_segments_are_heard_at_once_moves_a_probability_by_less_than_1e_4(size, predictor, monkeypatch):
    first = probabilities(predictor, "segment")
    monkeypatch.setattr("segser_core.inference.predictor.BATCH_SEGMENTS", size)
    assert np.abs(probabilities(predictor, "segment") - first).max() < 1e-4
