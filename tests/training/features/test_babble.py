import math

import pandas as pd
import pytest
import torch

from segser_core.errors import CorpusError
from segser_core.network.pretrained import wrap_encoder
from tests.support.audio_files import encode_any_wav, to_pcm16
from tests.support.networks import tiny_network
from training.config.settings import Augmentation
from training.features import babble
from training.features.babble import ClipPool, add_babble, loop_clip
from training.features.batches import ClipDataset, ClipDraw
from training.features.store import FeatureStore

SPEECH = 0.1 * torch.randn(16_000, generator=torch.Generator().manual_seed(9))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def tone(hz, amplitude=1.0, n=16_000):
    return amplitude * torch.sin(2 * math.pi * hz * torch.arange(n) / 16_000)


def voices(added, hertz):
    """Powers of tones in what was added, by their frequency."""
    spectrum = torch.fft.rfft(added).abs().square()
    return {hz: spectrum[hz].item() for hz in hertz if spectrum[hz] > 1e-3 * spectrum.max()}


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 10.0, 20.0])
def test_babble_has_the_ratio_that_was_asked_for(snr_db):
    added = add_babble(SPEECH, snr_db, lambda g: torch.randn(9000, generator=g), generator()) - SPEECH
    assert 10 * math.log10(SPEECH.square().mean() / added.square().mean()) == pytest.approx(snr_db, abs=0.05)


def test_babble_is_made_of_three_to_six_other_clips_that_are_equally_loud():
    """Clips that are tones of whole hertz, some a hundred times as loud as others."""
    clips = {hz: tone(hz, 10.0 ** -(hz % 3)) for hz in range(200, 4200, 10)}
    counts = set()
    for seed in range(40):
        drawn = []

        def others(g, drawn=drawn):
            drawn.append(200 + 10 * int(torch.randint(400, (), generator=g)))
            return clips[drawn[-1]]

        powers = voices(add_babble(SPEECH, 0.0, others, generator(seed)) - SPEECH, clips)
        assert set(powers) == set(drawn)
        assert len(set(drawn)) < len(drawn) or max(powers.values()) < 1.01 * min(powers.values())
        counts.add(len(drawn))
    assert counts == {3, 4, 5, 6}


def test_a_clip_is_repeated_from_where_it_begins():
    assert loop_clip(torch.tensor([1.0, 2, 3]), 7, 0.4).tolist() == [2, 3, 1, 2, 3, 1, 2]
    assert loop_clip(torch.tensor([1.0, 2, 3]), 2, 0.99).tolist() == [3, 1]


def test_silence_among_the_clips_or_as_the_clip():
    assert torch.equal(add_babble(SPEECH, 0.0, lambda g: torch.zeros(5000), generator()), SPEECH)
    assert add_babble(torch.zeros(8000), 10.0, lambda g: torch.randn(100, generator=g), generator()).abs().max() < 1e-6


@pytest.fixture
def paths(tmp_path):
    """Six files of 0.25 s."""
    files = [tmp_path / f"{i}.wav" for i in range(6)]
    for i, file in enumerate(files):
        file.write_bytes(encode_any_wav(to_pcm16(tone(200 + i, 0.5, 4000).numpy()), 16_000))
    return files


def test_a_pool_draws_every_clip_and_decodes_it_once(paths, monkeypatch):
    loads = []
    monkeypatch.setattr(babble, "load_audio", lambda path, load=babble.load_audio: loads.append(path) or load(path))
    pool, g = ClipPool(paths), generator()
    drawn = [pool(g) for _ in range(100)]
    assert sorted(loads) == sorted(paths)
    assert len({id(clip) for clip in drawn}) == 6
    assert all(len(clip) == 4000 for clip in drawn)


def test_a_pool_keeps_no_more_than_its_size(paths):
    pool = ClipPool(paths, size=3, seed=1)
    assert len(pool.paths) == 3
    assert pool.paths == ClipPool(paths, size=3, seed=1).paths
    assert len({tuple(ClipPool(paths, size=3, seed=s).paths) for s in range(9)}) > 3


def test_a_clip_is_not_in_its_own_babble(paths):
    pool, g = ClipPool(paths), generator()
    own = id(pool._load(paths[2]))
    others = pool.without(paths[2])
    assert len(found := {id(others(g)) for _ in range(100)}) == 5
    assert own not in found


def test_too_few_clips_for_babble(paths):
    with pytest.raises(CorpusError, match="there are 1 in all"):
        ClipPool(paths[:1])


def test_kept_features_hold_no_babble_of_another_folds_clips(paths, tmp_path):
    rows = pd.DataFrame({"path": [paths[0].name], "label": ["sad"]})
    how = Augmentation(babble_db=(0.0, 0.0), babble_share=1.0)

    def features(others, store):
        clips = ClipDataset(rows, store, ("sad",), wrap_encoder(tiny_network("whisper"), 3, None, False), how, 0)
        clips.others = ClipPool(others)
        return clips[ClipDraw(0, 0, 0.0)].features

    kept = FeatureStore(tmp_path, tmp_path / "kept")
    first, second = (features(others, kept) for others in (paths[:4], paths[2:]))
    assert not torch.equal(first, second)
    assert torch.equal(second, features(paths[2:], FeatureStore(tmp_path)))
    assert torch.equal(first, features(paths[:4], kept))
