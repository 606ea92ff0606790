"""The rows of predictions.parquet as they are scored: checked, in class indices, and by clip.

They hold `utterance_id`, `label`, `predicted`, and as known `seed`, `fold`, `split`, `speaker` (`run_files.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from segser_core.statistics import metrics
from segser_core.statistics.bootstrap import FEWEST_SPEAKERS, MISSING, Kinds, speakers

if TYPE_CHECKING:
    import pandas as pd
from segser_core.runs.test_split import _last

CODES = {"true": "label", "code": "predicted"}


def coded(rows: "pd.DataFrame", labels: Sequence[str]) -> "pd.DataFrame":
    """The rows with class indices of the label (`true`) and of the prediction (`code`)."""
    of = {name: metrics.indices(rows[column], labels) for name, column in CODES.items()}
    return rows.assign(**of)


@dataclass(frozen=True)
class Clips:
    """A row a clip.

    Attributes:
        true: (U,) class indices.
        models: of each model, (U, S) class indices by seed, `MISSING` where there is none.
        speaker: (U,) indices from 0; None where one clip's or more is not known.
    """

    true: np.ndarray
    models: list[np.ndarray]
    speaker: np.ndarray | None

    @property
    def speakers(self) -> int:
        """How many there are, 0 where not known."""
        return 0 if self.speaker is None else int(self.speaker.max()) + 1

    def by_speaker(self, n_classes: int) -> Kinds | None:
        """The clips grouped by speaker; None where there are too few speakers to be resampled."""
        if self.speaker is None or self.speakers < FEWEST_SPEAKERS:
            return None
        return speakers(self.true, self.models, self.speaker, n_classes)


def clips_of(rows: "pd.DataFrame", columns: Sequence[str]) -> Clips:
    """Rows by clip and seed as `Clips`.

    Args:
        rows: with `utterance_id`, `seed`, `true`, and `speaker` as known.
        columns: those that hold a model's class indices.
    """
    import pandas as pd

    clip, ids = pd.factorize(rows.utterance_id)
    seed, seeds = pd.factorize(rows.seed)
    true, models = _last(clip, rows.true.to_numpy()), []
    for column in columns:
        wide = np.full((len(ids), len(seeds)), MISSING)
        wide[clip, seed] = rows[column].to_numpy()
        models.append(wide)
    if "speaker" not in rows or (rows.speaker.isna() | (rows.speaker == "")).any():
        return Clips(true, models, None)
    return Clips(true, models, _last(clip, pd.factorize(rows.speaker, sort=True)[0]))
