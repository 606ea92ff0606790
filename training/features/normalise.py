"""By what statistics `layer-average` normalises the clips of a fold."""

import sys
from collections.abc import Iterable, Iterator

import pandas as pd
from torch import Tensor
from tqdm import tqdm

from segser_core.network.layer_average import IDENTITY_STATISTICS, LayerAverage, activation_statistics
from training.features.batches import Clips, Draw


def normalise(encoder: LayerAverage, *parts: tuple[Clips, pd.Series, int | None]) -> None:
    """Give an encoder the statistics of a training part, or, by speaker, each clip those of its speaker.

    Args:
        encoder: normalises in either way.
        parts: the clips of the training part, then of others; who speaks in each; the variant to measure.
    """
    if not encoder.by_speaker:
        clips, _, variant = parts[0]
        encoder.set_statistics(activation_statistics(clip_features(clips, range(len(clips)), variant)))
        return
    encoder.known = IDENTITY_STATISTICS  # so features are kept
    for clips, speakers, variant in parts:
        rows = pd.Series(range(len(clips))).groupby(list(speakers))
        found = {speaker: activation_statistics(clip_features(clips, of, variant)) for speaker, of in rows}
        clips.statistics = [found[speaker] for speaker in speakers]


def clip_features(clips: Clips, rows: Iterable[int], variant: int | None) -> Iterator[Tensor]:
    """Features (T, F) of some clips, one at a time."""
    for row in tqdm(rows, desc="measuring activations", unit="clip", file=sys.stderr):
        yield clips[Draw(row, variant, 0.0)].features
