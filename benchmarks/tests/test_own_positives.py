"""The share of own positives, on a fold whose counts are known."""

import pandas as pd
import pytest

from benchmarks.own_positives import count_own_positives
from training.config.settings import Settings, replace_settings
from training.corpora.fold import Fold


def fold_of(sad: int, angry: int) -> Fold:
    """A fold whose training part has so many clips of each class."""
    labels = ["sad"] * sad + ["angry"] * angry
    train = [{"label": label, "speaker": "a", "split": "train"} for label in labels]
    other = [{"label": label, "speaker": s, "split": s} for s in ("dev", "test") for label in ("sad", "angry")]
    manifest = pd.DataFrame([*train, *other]).assign(duration_s=1.0)
    manifest["utterance_id"] = [f"clip-{i}" for i in range(len(manifest))]
    return Fold(0, ("sad", "angry"), manifest)


@pytest.fixture
def settings() -> Settings:
    """One batch an epoch, which holds all that an epoch draws."""
    return replace_settings(Settings(corpus="emodb", encoder="none"), batch_size=100, epochs=1)


def test_a_class_of_one_clip_meets_itself_alone(settings):
    """Ten clips are drawn, five a class: the one sad clip five times, whose positive is itself each time."""
    assert count_own_positives(fold_of(sad=1, angry=9), settings, seed=0) == (5, 10)


def test_classes_of_one_size_repeat_no_clip(settings):
    assert count_own_positives(fold_of(sad=5, angry=5), settings, seed=0) == (0, 10)
