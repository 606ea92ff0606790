"""Group class indices by clip and seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from segser_core.statistics.bootstrap import FEWEST_SPEAKERS, MISSING, ResamplingUnits, group_speakers

if TYPE_CHECKING:
    import pandas as pd
from segser_core.runs.test_split import _last


@dataclass(frozen=True)
class ClipPredictions:
    """Class indices by clip.

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
        """Count the speakers, 0 where not known."""
        return 0 if self.speaker is None else int(self.speaker.max()) + 1

    def by_speaker(self, n_classes: int) -> ResamplingUnits | None:
        """Group the clips by speaker; None where there are too few speakers to be resampled."""
        if self.speaker is None or self.speakers < FEWEST_SPEAKERS:
            return None
        return group_speakers(self.true, self.models, self.speaker, n_classes)


def group_by_clip(rows: "pd.DataFrame", columns: Sequence[str]) -> ClipPredictions:
    """Group rows by clip and seed.

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
        return ClipPredictions(true, models, None)
    return ClipPredictions(true, models, _last(clip, pd.factorize(rows.speaker, sort=True)[0]))
