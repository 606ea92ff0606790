"""Check and select the rows of the test split."""

from typing import TYPE_CHECKING

import numpy as np

from segser_core.errors import RunError

if TYPE_CHECKING:
    import pandas as pd


def select_test_rows(predictions: "pd.DataFrame") -> "pd.DataFrame":
    """Select the rows of the test split, with `seed` and `fold` (0 where the table has none).

    Raises:
        RunError: there is none, a clip occurs twice under one seed, or has two labels or speakers.
    """
    import pandas as pd

    rows = predictions[predictions["split"] == "test"] if "split" in predictions else predictions
    if rows.empty:
        raise RunError("there is no test utterance among the predictions; scores are of the test split alone")
    rows = rows.assign(**{column: 0 for column in ("seed", "fold") if column not in rows})
    clip, seed = pd.factorize(rows.utterance_id)[0], pd.factorize(rows.seed)[0]
    twice = pd.Index(clip * (seed.max() + 1) + seed).duplicated()
    if twice.any():
        raise RunError(
            f"utterance {rows.utterance_id[twice].iloc[0]} is tested twice under one seed; each must be once"
        )
    for column in (c for c in ("label", "speaker") if c in rows):
        value = pd.factorize(rows[column])[0]
        different = _last(clip, value)[clip] != value
        if different.any():
            raise RunError(
                f"utterance {rows.utterance_id[different].iloc[0]} has different {column}s in different rows"
            )
    return rows


def _last(clip: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Take the value of each clip's last row: (U,), from (N,) clips from 0 and values."""
    of_clip = np.empty(clip.max() + 1, dtype=value.dtype)
    of_clip[clip] = value
    return of_clip
