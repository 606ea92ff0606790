"""Measure the statistics by which `layer-average` normalises the clips of a fold."""

import sys
from collections.abc import Iterable, Iterator

import pandas as pd
from torch import Tensor
from tqdm import tqdm

from segser_core.network.layer_average import LayerAverage, activation_statistics
from training.features.batches import ClipDataset, ClipDraw


def set_normalisation(encoder: LayerAverage, *parts: tuple[ClipDataset, pd.Series, int | None]) -> None:
    """Set an encoder's global statistics, those of a training part, or, by speaker, each clip's statistics.

    Args:
        encoder: normalises in either way.
        parts: the clips of the training part, then of others; the speaker of each; the variant to measure.
    """
    if not encoder.by_speaker:
        clips, _, variant = parts[0]
        encoder.set_statistics(activation_statistics(clip_features(clips, range(len(clips)), variant)))
        return
    for clips, speakers, variant in parts:
        rows = pd.Series(range(len(clips))).groupby(list(speakers))
        by_speaker = {s: activation_statistics(clip_features(clips, indices, variant)) for s, indices in rows}
        clips.statistics = [by_speaker[speaker] for speaker in speakers]


def clip_features(clips: ClipDataset, indices: Iterable[int], variant: int | None) -> Iterator[Tensor]:
    """Yield the features (T, F) of some clips, one clip at a time."""
    for index in tqdm(indices, desc="measuring activations", unit="clip", file=sys.stderr):
        yield clips[ClipDraw(index, variant, 0.0)].features
