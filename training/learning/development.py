"""Score a model on development clips after each epoch: UAR by corpus, and share of time where the emotion changes."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from transformers import EvalPrediction

from segser_core.network.model import SegmentEmotionModel
from segser_core.network.segments import frame_means
from segser_core.statistics.metrics import count_confusions, uar
from training.features.batches import ClipDataset, collate
from training.features.joined import JoinedDraw

BATCH = 8


class DevelopmentScorer:
    """Scores by which the kept epoch is chosen.

    Args:
        model: under training.
        clips: of the development split.
        rows: the manifest of these clips.
        labels: the classes.
        joined: recordings of several of these clips; none where share of time is not asked for.
    """

    def __init__(
        self,
        model: SegmentEmotionModel,
        clips: ClipDataset,
        rows: pd.DataFrame,
        labels: Sequence[str],
        joined: Sequence[JoinedDraw],
    ):
        self.model, self.clips, self.classes, self.joined = model, clips, len(labels), list(joined)
        self.corpora = rows["corpus"].to_numpy(str) if "corpus" in rows else np.full(len(rows), "")

    def __call__(self, evaluated: EvalPrediction) -> dict[str, float]:
        """Compute `uar`, of several corpora their mean, and `share_of_time` and the mean of both where it is asked for.

        Args:
            evaluated: predicted classes (U,), and as `label_ids` the clips (U,) that they are of.
        """
        clips, predicted = np.asarray(evaluated.label_ids), np.asarray(evaluated.predictions)
        true = np.array(self.clips.targets)[clips]
        scores = {}
        for corpus in np.unique(self.corpora[clips]):
            rows = self.corpora[clips] == corpus
            scores[f"uar_{corpus}"] = float(uar(count_confusions(true[rows], predicted[rows], self.classes)))
        mean = float(np.mean(list(scores.values())))
        found = {"uar": mean} | (scores if len(scores) > 1 else {})
        if not self.joined:
            return found
        shares = self.shares_of_time()
        time = float(np.mean(list(shares.values())))
        by_corpus = {f"share_of_time_{c}": s for c, s in shares.items()} if len(shares) > 1 else {}
        return found | {"share_of_time": time} | by_corpus | {"uar+time": (mean + time) / 2}

    @torch.no_grad()
    def shares_of_time(self) -> dict[str, float]:
        """Compute by corpus the share of frames whose most probable class is that of the clip they are of."""
        right: dict[str, int] = {}
        total: dict[str, int] = {}
        for first in range(0, len(self.joined), BATCH):
            draws = self.joined[first : first + BATCH]
            batch = collate([self.clips[draw] for draw in draws])
            device = next(self.model.parameters()).device
            output = self.model(batch["features"].to(device), batch["lengths"].to(device))
            for k, draw in enumerate(draws):
                frames = int(batch["lengths"][k])
                p = output.segment_logits[k][output.segment_mask[k]].float().softmax(-1).cpu()
                named = frame_means(p, self.model.config.windows, frames).argmax(dim=1)
                corpus = str(self.corpora[draw.clips[0]])
                correct = named == batch["targets"][k, :frames].argmax(dim=1)
                right[corpus] = right.get(corpus, 0) + int(correct.sum())
                total[corpus] = total.get(corpus, 0) + frames
        return {corpus: right[corpus] / n for corpus, n in total.items()}
