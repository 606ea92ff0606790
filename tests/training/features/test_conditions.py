import math

import pytest
import torch

from segser_core.audio.loading import load_audio
from segser_core.errors import SettingError
from tests.support.paths import SAMPLE
from training.features.conditions import AS_RECORDED, TEST_CONDITIONS, degrade

SPEECH = torch.from_numpy(load_audio(SAMPLE))[:32_000]


def others(generator):
    return torch.randn(9000, generator=generator)


def ratio_db(condition):
    return 10 * math.log10(SPEECH.square().mean() / (degrade(SPEECH, condition, "a", others) - SPEECH).square().mean())


def test_every_condition_changes_a_clip_and_repeats():
    first, again = ({c: degrade(SPEECH, c, "a", others) for c in TEST_CONDITIONS} for _ in range(2))
    assert all(torch.equal(first[c], again[c]) and first[c].isfinite().all() for c in TEST_CONDITIONS)
    assert [c for c in TEST_CONDITIONS if torch.equal(first[c], SPEECH)] == [AS_RECORDED]


@pytest.mark.parametrize("condition", ["reverberation 0.5 s", "babble 10 dB", "noise 10 dB"])
def test_each_clip_has_its_own_chance(condition):
    assert not torch.equal(degrade(SPEECH, condition, "a", others), degrade(SPEECH, condition, "b", others))


@pytest.mark.parametrize("condition", ["babble 10 dB", "noise 10 dB"])
def test_the_ratios_are_those_of_the_names(condition):
    assert ratio_db(condition) == pytest.approx(10, abs=0.05)


def test_level_and_speed_are_those_of_the_names():
    quiet = degrade(SPEECH, "level −30 dB", "a", others)
    assert 20 * math.log10(quiet.norm() / SPEECH.norm()) == pytest.approx(-30, abs=1e-3)
    assert len(degrade(SPEECH, "speed 0.9", "a", others)) == pytest.approx(32_000 / 0.9, abs=2)
    assert len(degrade(SPEECH, "speed 1.1", "a", others)) == pytest.approx(32_000 / 1.1, abs=2)


def test_an_unknown_condition_is_refused():
    with pytest.raises(SettingError, match="'rain' is unknown; choose from as recorded, level"):
        degrade(SPEECH, "rain", "a", others)
