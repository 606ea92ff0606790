"""Tabulate the scores of runs: by class, fold, seed and layer, confusions, and calibration.

A chart, its CSV and the list beside it all come from one of these tables.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from segser_core.errors import SettingError
from segser_core.runs.run import Run
from segser_core.statistics.bootstrap import FEWEST_SPEAKERS, NO_INTERVAL
from segser_core.statistics.calibration import Calibration
from segser_core.statistics.metrics import SCORES, Scores
from segser_core.statistics.scores import Comparison, ScoreSummary, summary_to_json

if TYPE_CHECKING:
    import pandas as pd


def layer_table(run: Run) -> "pd.DataFrame | None":
    """Tabulate each layer's weight in the mix of `layer-average`: a row an activation, from the lowest up.

    Returns:
        `layer` ("input" is what enters the first), `weight`, the mean over the run's models, `lowest` and
        `highest` of them; None where run.json holds no such weights.
    """
    import pandas as pd

    try:
        weights = np.array(run.meta.get("layer_weights", []), dtype=float)  # (models, L + 1)
    except (TypeError, ValueError):
        return None
    if weights.ndim != 2 or not weights.size or not np.isfinite(weights).all():
        return None
    names = ["input", *map(str, range(1, weights.shape[1]))]
    return pd.DataFrame(
        {"layer": names, "weight": weights.mean(axis=0), "lowest": weights.min(axis=0), "highest": weights.max(axis=0)}
    )


def score_table(summaries: Mapping[str, ScoreSummary]) -> "pd.DataFrame":
    """Tabulate UAR, accuracy and macro F1 of each run, as fractions.

    Returns:
        The columns `run`, `score`, `pooled`, `mean of folds`, and where there are several `fold K` and `seed S`,
        counted from 0.
    """
    import pandas as pd

    rows = []
    for name, of in summaries.items():
        for score, said in SCORES.items():
            found = summary_to_json(of)[score]
            row = {"run": name, "score": said, "pooled": found["pooled"], "mean of folds": found["mean_of_folds"]}
            for what in ("fold", "seed"):
                values = found[f"per_{what}"]
                row |= {f"{what} {i}": v for i, v in enumerate(values) if len(values) > 1}
            rows.append(row)
    return pd.DataFrame(rows)


def recall_table(summaries: Mapping[str, ScoreSummary], by_speaker: bool = False) -> "pd.DataFrame":
    """Tabulate recall by class of each run, a row each.

    Args:
        summaries: of the runs, by name.
        by_speaker: whether the interval is by speaker.

    Returns:
        `run`, `label`, `clips` (rows of the class: each seed counts), `recall`, `low`, `high`, `method`; NaN
        without a clip, and the interval also where there is none.
    """
    import pandas as pd

    rows = []
    for name, of in summaries.items():
        sure = of.by_speaker if by_speaker else of.intervals
        found = [None] * len(of.pooled.classes) if sure is None else sure.recall
        counts = of.pooled.confusion.sum(axis=1)
        for label, n, share, interval in zip(of.pooled.classes, counts, of.pooled.recall, found, strict=True):
            bounds = interval or NO_INTERVAL
            method = interval.method if interval else ""
            rows.append((name, label, int(n), float(share), bounds.low, bounds.high, method))
    return pd.DataFrame(rows, columns=["run", "label", "clips", "recall", "low", "high", "method"])


def difference_table(found: Comparison, by_speaker: bool = False) -> "pd.DataFrame":
    """Tabulate the paired difference of each class's recall, and the `method` of its interval.

    Returns:
        `label`, `difference`, `low`, `high`, `method`, and `p_holm`, adjusted for the number of classes; NaN where a
        class has no clip, or too few speakers.
    """
    import pandas as pd

    differences = found.by_speaker if by_speaker else found.differences
    adjusted = found.holm_by_speaker if by_speaker else found.holm
    if differences is None or adjusted is None:
        raise SettingError(f"an interval by speaker needs {FEWEST_SPEAKERS} speakers; there are {found.speakers}")
    each = zip(found.classes, differences.recall, adjusted, strict=True)
    rows = [(label, d.value, d.interval.low, d.interval.high, d.interval.method, p) for label, d, p in each]
    return pd.DataFrame(rows, columns=["label", "difference", "low", "high", "method", "p_holm"])


def confusion_table(scores: Scores) -> "pd.DataFrame":
    """Tabulate confusions: `label`, `predicted`, `clips`, and their `share` of the class, NaN without a clip."""
    import pandas as pd

    counts = scores.confusion
    whole = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, whole, out=np.full(counts.shape, np.nan), where=whole > 0)
    pairs = [(a, b) for a in scores.classes for b in scores.classes]
    return pd.DataFrame(pairs, columns=["label", "predicted"]).assign(clips=counts.ravel(), share=shares.ravel())


def overconfidence(of: Calibration) -> float:
    """Compute mean confidence minus accuracy over all clips, −1 to 1; NaN where there is none."""
    filled = [b for b in of.bins if b.count]
    counts = sum(b.count for b in filled)
    gap = sum(b.count * (b.mean_confidence - b.accuracy) for b in filled)
    return gap / counts if counts else float("nan")


def reliability_table(found: Mapping[str, Calibration]) -> "pd.DataFrame":
    """Tabulate the bins of each run that hold a clip: `run`, and the fields of a `ReliabilityBin`."""
    import pandas as pd

    return pd.DataFrame([{"run": name} | vars(b) for name, of in found.items() for b in of.bins if b.count])


def segment_group_table(found: Mapping[str, Calibration]) -> "pd.DataFrame":
    """Tabulate the groups by number of segments of each run: `run`, and the fields of a `SegmentGroup`."""
    import pandas as pd

    return pd.DataFrame([{"run": name} | vars(g) for name, of in found.items() for g in of.by_segments])
