"""Training items of several clips of one speaker."""

import dataclasses
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from segser_core.errors import SettingError
from segser_core.network.layer_average import activation_statistics
from segser_core.network.model import SegmentEmotionModel
from tests.support.training import quick_settings
from training.config.settings import Joining
from training.features.batches import ClipDataset, ClipDraw
from training.features.datasets import draw_groups, make_datasets, speaker_shares, training_batches
from training.features.joined import SLOWEST, ClipsToJoin, JoinedBatches, JoinedDraw, join_waveforms
from training.features.store import FeatureStore

SPEAKERS = np.array(["a"] * 6 + ["b"] * 6 + ["c"] * 2)
LABELS = np.array([0, 0, 1, 1, 2, 2] * 2 + [0, 0])
DURATIONS_S = np.linspace(1, 4, 14)
HOW = Joining(share=0.5, clips=(2, 4), pause_s=(0.0, 0.4))


def clips(longest_s=30.0):
    return ClipsToJoin(SPEAKERS, LABELS, DURATIONS_S, longest_s)


def draws(n=200, **changes):
    return list(clips(**changes).draw(HOW, ["a", "b"] * n, np.random.default_rng(0)))


def test_an_item_is_of_one_speaker_and_its_neighbours_differ_in_emotion():
    for draw in draws():
        assert len(set(SPEAKERS[list(draw.clips)])) == 1
        assert all(LABELS[a] != LABELS[b] for a, b in zip(draw.clips, draw.clips[1:], strict=False))
        assert len(draw.pauses_s) == len(draw.clips) - 1
    assert {len(draw.clips) for draw in draws()} == {2, 3, 4}


def test_each_emotion_begins_as_often_as_the_next():
    first = Counter(LABELS[draw.clips[0]] for draw in draws(600))
    assert max(first.values()) / min(first.values()) < 1.3


def test_an_item_fits_into_the_window_even_when_it_is_slowed_down(caplog):
    found = draws(longest_s=8.0)
    assert max(DURATIONS_S[list(d.clips)].sum() for d in found) <= 8.0 * SLOWEST
    assert min(len(d.clips) for d in found) == 2
    assert "clips are longer than 3.0 s and not joined to others" in caplog.text


@pytest.mark.parametrize("speed", [1.0, 0.5])
def test_an_item_fits_into_the_window_with_its_pauses(speed):
    how = dataclasses.replace(HOW, pause_s=(0.0, 9.0))
    pool = dataclasses.replace(clips(30.0), speed=speed)
    found = list(pool.draw(how, ["a", "b"] * 200, np.random.default_rng(0)))
    lasts = [DURATIONS_S[list(d.clips)].sum() + sum(d.pauses_s) for d in found]
    assert max(lasts) <= 30.0 * speed + 1e-6
    assert {len(d.clips) for d in found} == {2, 3, 4}
    assert max(max(d.pauses_s) for d in found) > 5


def test_a_speaker_of_one_emotion_takes_no_part():
    assert list(clips().by_speaker()) == ["a", "b"]
    with pytest.raises(SettingError, match="no speaker has clips of two emotions"):
        ClipsToJoin(SPEAKERS[-2:], LABELS[-2:], DURATIONS_S[-2:], None).by_speaker()


def test_an_epoch_is_repeatable_and_differs_from_the_next():
    batches = JoinedBatches(clips(), HOW, 30, np.array([0.5, 0.5]), 8, seed=3)
    first, again, second = batches.of_epoch(0), batches.of_epoch(0), batches.of_epoch(1)
    assert first == again != second
    assert len(batches) == len(first) == 4
    assert sum(map(len, first)) == 30


def test_each_parts_time_ends_in_the_middle_of_the_pause():
    waveform, ends = join_waveforms([np.ones(16_000), np.ones(8_000)], [0.5])
    assert len(waveform) == 32_000
    assert ends.tolist() == [20_000, 32_000]
    assert waveform[16_000:24_000].abs().max() == 0


@pytest.fixture
def dataset(corpus) -> ClipDataset:
    """Training clips of the made-up corpus: noise is neutral, a tone is sad; neither is augmented."""
    fold, folder = corpus
    settings = quick_settings(folder, joined={"share": 0.5}, augmentation={"gain_db": 0.0})
    model = SegmentEmotionModel.from_encoder(settings.encoder, labels=list(fold.labels), system="seg+tri-w")
    return make_datasets(settings, fold, FeatureStore(folder), model, 0)[0]


def test_a_frames_target_is_the_clip_that_is_heard(dataset):
    clip_of_noise, clip_of_tone = 0, 1
    item = dataset[JoinedDraw((clip_of_noise, clip_of_tone), (0.0,), 7, 0.0)]
    lengths = [len(dataset.store.waveform(dataset.clips[k])) for k in (clip_of_noise, clip_of_tone)]
    change = round(lengths[0] / 320)
    targets = item.targets.argmax(dim=1)
    assert item.label == -1
    assert len(targets) == len(item.features) == -(-sum(lengths) // 320)
    assert abs(int((targets == 0).sum()) - change) <= 1
    assert targets[0] == 0
    assert targets[-1] == 1
    # the sound itself changes there: a tone has a band that noise does not stand out in
    band = item.features[change + 5 :].mean(dim=0).argmax()
    assert item.features[change + 5 :, band].mean() > item.features[: change - 5, band].mean()


def test_speed_moves_the_change_along(dataset):
    dataset.how = dataclasses.replace(dataset.how, speed=(0.8, 0.80001))
    draw = JoinedDraw((0, 1), (0.0,), 7, 0.0)
    slowed, plain = dataset[draw], dataset[draw._replace(augmented=False)]
    assert len(slowed.features) == pytest.approx(len(plain.features) / 0.8, abs=2)
    change = [int((item.targets.argmax(dim=1) == 0).sum()) for item in (slowed, plain)]
    assert change[0] == pytest.approx(change[1] / 0.8, abs=2)


def test_a_corpus_is_drawn_by_its_weight():
    train = pd.DataFrame({"corpus": ["x"] * 8 + ["y"] * 6, "speaker": ["x/1"] * 8 + ["y/1", "y/2"] * 3})
    parts = [{"name": "ravdess", "alias": "x"}, {"name": "cremad", "alias": "y", "weight": 4}]
    settings = quick_settings(Path(), corpora=parts)
    targets = [0, 1] * 7
    groups, numbers = draw_groups(settings, train, targets)
    of_corpus = dict(zip(groups, train["corpus"], strict=True))
    assert Counter(of_corpus.values()) == {"x": 2, "y": 2}
    assert {(of_corpus[group], number) for group, number in numbers.items()} == {("x", 4), ("y", 12)}
    labels = np.array([0, 1, 0, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 1])
    pool = ClipsToJoin(train["speaker"].to_numpy(str), labels, np.ones(14), None)
    assert speaker_shares(settings, train, pool).tolist() == [0.25, 0.375, 0.375]


def test_the_labels_are_the_targets_where_there_are_no_others(dataset):
    draw = JoinedDraw((0, 1), (0.0,), 7, 0.0)
    expected, dataset.soft = dataset[draw], None
    found = dataset[draw]
    assert (found.targets == expected.targets).all()
    assert found.known.all()


def test_an_item_is_normalised_by_its_speaker_where_clips_are(corpus):
    fold, folder = corpus
    settings = quick_settings(folder, system="layer-average", normalization="speaker")
    model = SegmentEmotionModel.from_encoder(
        settings.encoder, labels=list(fold.labels), system="layer-average", normalization="speaker"
    )
    clips = make_datasets(settings, fold, FeatureStore(folder), model, 0)[0]
    clips.statistics = [activation_statistics([clips[ClipDraw(k, None, 0.0)].features]) for k in range(len(clips))]
    item = clips[JoinedDraw((0, 2), (0.0,), 7, 0.0, augmented=False)]
    own = len(clips[ClipDraw(0, None, 0.0)].features)
    assert item.features[: own - 10].mean().abs() < 0.3
    assert item.features[: own - 10].std() == pytest.approx(1.0, abs=0.3)


def test_a_share_too_small_for_one_item_leaves_single_clips(corpus):
    fold, folder = corpus
    rows = fold.split("train").assign(speaker="a")
    settings = quick_settings(folder, joined={"share": 0.001})
    model = SegmentEmotionModel.from_encoder(settings.encoder, labels=list(fold.labels), system="seg+tri-w")
    clips = make_datasets(settings, fold, FeatureStore(folder), model, 0)[0]
    batches = training_batches(settings, rows, clips, 0)
    assert batches.longest_s == rows["duration_s"].max()
    assert len(list(batches)) == len(batches.single)


def test_a_development_class_that_no_training_clip_of_its_corpus_has_is_known(corpus):
    fold, folder = corpus
    rows = fold.manifest.assign(corpus=np.where(np.arange(24) < 12, "x", "y"))
    rows = rows[~((rows["corpus"] == "y") & (rows["split"] == "train") & (rows["label"] == "sad"))]
    rows = rows.reset_index(drop=True)
    settings = quick_settings(folder, corpora=[{"name": "manifest", "alias": name} for name in "xy"])
    model = SegmentEmotionModel.from_encoder(settings.encoder, labels=list(fold.labels), system="seg+tri-w")
    made = make_datasets(settings, dataclasses.replace(fold, manifest=rows), FeatureStore(folder), model, 0)
    assert [clips.soft.known.all() for clips in made] == [False, True]
