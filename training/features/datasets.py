"""Make the datasets and batches of a training from its settings and a fold."""

import numpy as np
import pandas as pd

from segser_core.network.model import SegmentEmotionModel
from segser_core.network.segments import FRAME_S
from training.config.settings import Settings
from training.corpora.combine import classes_by_corpus, clip_targets
from training.corpora.fold import Fold
from training.features.babble import ClipPool
from training.features.batches import BalancedBatches, ClipDataset, MixedBatches
from training.features.joined import ClipsToJoin, JoinedBatches, JoinedDraw
from training.features.store import FeatureStore

DEVELOPMENT_RECORDINGS = 120  # of several clips, on which share of time is measured in each epoch


def make_datasets(
    settings: Settings, fold: Fold, store: FeatureStore, model: SegmentEmotionModel, seed: int
) -> tuple[ClipDataset, ClipDataset]:
    """Make the datasets of a fold's training and development clips, with soft targets where settings ask for them."""
    train, dev = fold.split("train"), fold.split("dev")
    how, encoder = settings.augmentation, model.encoder
    clips, dev_clips = (
        ClipDataset(part, store, fold.labels, encoder, how, seed, settings.cut_s) for part in (train, dev)
    )
    if how.babble_db is not None:
        clips.others = ClipPool([clip.source(store.root) for clip in clips.clips], seed=seed)
    if settings.soft_targets:
        known = classes_by_corpus(train)
        votes = {part.key: part.votes for part in settings.corpora}
        clips.soft = clip_targets(train, fold.labels, known, votes)
        heard = classes_by_corpus(pd.concat([train, dev]))  # else a class that no training clip has would cost 10⁴
        dev_clips.soft = clip_targets(dev, fold.labels, heard, {})
    return clips, dev_clips


def training_batches(
    settings: Settings, train: pd.DataFrame, clips: ClipDataset, seed: int
) -> BalancedBatches | MixedBatches:
    """Make the batches of a training: of single clips, and of joined ones where settings ask for them."""
    durations_s, size = train["duration_s"].to_numpy(), settings.batch_size
    groups, per_epoch = draw_groups(settings, train, clips.targets)
    single = BalancedBatches(groups, durations_s, size, settings.augmentation.variants, seed, per_epoch)
    share = settings.joined.share
    if not share:
        return single
    number = round(share / (1 - share) * sum(single.per_epoch.values()))
    pool = clips_to_join(train, clips)
    joined = JoinedBatches(pool, settings.joined, number, speaker_shares(settings, train, pool), size, seed)
    return MixedBatches(single, joined)


def draw_groups(settings: Settings, train: pd.DataFrame, targets: list[int]) -> tuple[list[int], dict[int, int] | None]:
    """Group the clips of which an epoch draws equally many: the classes, in each corpus.

    Returns:
        The group of each clip, and how many clips of each group an epoch draws; None leaves that to the batches.
    """
    if not settings.corpora:
        # of one class, every clip is drawn once
        return (targets if settings.balanced else [0] * len(targets)), None
    classes = targets if settings.balanced else [0] * len(targets)
    keys = pd.Series(list(zip(train["corpus"], classes, strict=True)))
    groups, names = pd.factorize(keys, sort=True)
    weight = {part.key: part.weight for part in settings.corpora}
    clips, several = train["corpus"].value_counts(), pd.Series([corpus for corpus, _ in names]).value_counts()
    numbers = {
        k: max(1, round(weight[corpus] * clips[corpus] / several[corpus])) for k, (corpus, _) in enumerate(names)
    }
    return groups.tolist(), numbers


def clips_to_join(rows: pd.DataFrame, clips: ClipDataset) -> ClipsToJoin:
    """Tell which clips of a split may be joined."""
    longest = clips.encoder.max_frames
    longest_s = None if longest is None else longest * FRAME_S
    speed = min(1.0, *(clips.how.speed or (1.0,)))
    speakers, durations_s = rows["speaker"].to_numpy(str), rows["duration_s"].to_numpy()
    return ClipsToJoin(speakers, np.array(clips.targets), durations_s, longest_s, speed)


def speaker_shares(settings: Settings, train: pd.DataFrame, pool: ClipsToJoin) -> np.ndarray:
    """Compute how likely a joined item is of each speaker: a corpus by its clips and weight, its speakers alike."""
    speakers = list(pool.by_speaker())
    if not settings.corpora:
        return np.full(len(speakers), 1 / len(speakers))
    weight = {part.key: part.weight for part in settings.corpora}
    corpus_of = train.drop_duplicates("speaker").set_index("speaker")["corpus"][speakers]
    clips = train["corpus"].value_counts()
    shares = np.array([weight[c] * clips[c] / (corpus_of == c).sum() for c in corpus_of])
    return shares / shares.sum()


def joined_development(settings: Settings, dev: pd.DataFrame, clips: ClipDataset) -> list[JoinedDraw]:
    """Draw the development recordings of several emotions: the same in each epoch and training, as they are.

    Each corpus has the same number of them, each speaker of a corpus likewise, as far as it goes.
    """
    if "time" not in settings.best_by:
        return []
    pool, generator = clips_to_join(dev, clips), np.random.default_rng(0)
    corpus_of = dev.drop_duplicates("speaker").set_index("speaker").get("corpus")
    by_corpus: dict[str, list[str]] = {}
    for speaker in pool.by_speaker():
        by_corpus.setdefault("" if corpus_of is None else corpus_of[speaker], []).append(speaker)
    each = DEVELOPMENT_RECORDINGS // len(by_corpus)
    speakers = [names[k % len(names)] for names in by_corpus.values() for k in range(each)]
    return list(pool.draw(settings.joined, speakers, generator, augmented=False))
