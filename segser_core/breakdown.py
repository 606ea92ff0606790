"""The scores of runs as tables: recall by class and by group, and who was taken for whom.

A chart, its CSV and the list beside it all come from one of these tables. Groups are the clips of a
length, a speaker, or any column that the predictions have, alone or crossed.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from segser_core import metrics
from segser_core.bootstrap import FEWEST_SPEAKERS, NO_INTERVAL, wilson
from segser_core.calibration import Calibration
from segser_core.errors import SettingError
from segser_core.metrics import Scores
from segser_core.runs import Run
from segser_core.scores import Comparison, Summary, metrics_json
from segser_core.selection import Filter

if TYPE_CHECKING:
    import pandas as pd

LENGTH = "length"
COLUMNS = ("speaker", "session", "gender", "style")
WANTED_S = 10.0
FEWEST_ON_A_SIDE = 20
UNKNOWN = "not known"
SCORES = {"uar": "UAR", "accuracy": "accuracy", "macro_f1": "macro F1"}


def layer_table(run: Run) -> "pd.DataFrame | None":
    """What each layer weighs in the mix of `layer-average`: a row an activation, from the lowest up.

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


def length_edge(durations_s: np.ndarray, wanted_s: float = WANTED_S) -> tuple[float, str]:
    """Where to split clips by length, and why there.

    Args:
        durations_s: (N,) seconds, those that are NaN are passed over.
        wanted_s: the edge to take where it leaves `FEWEST_ON_A_SIDE` clips on each side.

    Returns:
        Seconds, clips of that length being short ones, and a sentence: empty where the edge is the one
        wanted, otherwise why it is the median, rounded to a tenth.

    Raises:
        SettingError: no duration is known.
    """
    known = np.asarray(durations_s, dtype=float)
    known = known[~np.isnan(known)]
    if not len(known):
        raise SettingError("no clip has a known duration, so clips cannot be split by length; it is column duration_s")
    longer = int((known > wanted_s).sum())
    if min(longer, len(known) - longer) >= FEWEST_ON_A_SIDE:
        return wanted_s, ""
    edge_s = float(np.round(np.median(known), 1))
    side = f"{longer} are longer" if longer < FEWEST_ON_A_SIDE else f"{len(known) - longer} are not longer"
    return edge_s, (
        f"Of {len(known)} clips {side} than {wanted_s:g} s, fewer than {FEWEST_ON_A_SIDE}: "
        f"they are split at their median, {edge_s:g} s."
    )


def few_on_a_side(durations_s: np.ndarray, edge_s: float) -> str:
    """A sentence where an edge leaves fewer than `FEWEST_ON_A_SIDE` clips on a side; empty otherwise.

    Args:
        durations_s: (N,) seconds.
        edge_s: in seconds; a clip of that length is a short one.
    """
    longer = int((durations_s > edge_s).sum())
    fewer, side = min((longer, "longer"), (int((durations_s <= edge_s).sum()), "not longer"))
    return f"Only {fewer} clips are {side} than {edge_s:g} s." if fewer < FEWEST_ON_A_SIDE else ""


def length_range(durations_s: np.ndarray) -> tuple[float, float]:
    """The least and the greatest length to split clips by, in tenths of a second; both leave a clip on either side.

    Args:
        durations_s: (N,) seconds, one known at least.
    """
    least, most = np.ceil(10 * np.nanmin(durations_s)), np.ceil(10 * np.nanmax(durations_s)) - 1
    return float(least / 10), float(most / 10)


def seconds_in(text: str, low_s: float, high_s: float) -> float | None:
    """The seconds that an address names; None where it is no number between the two."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if low_s <= value <= high_s else None


def groupings(table: "pd.DataFrame") -> tuple[str, ...]:
    """What a table's clips can be grouped by: `length` and those of `COLUMNS` that have two values or more."""
    known = [c for c in COLUMNS if c in table and table[c].nunique() > 1]
    has_length = "duration_s" in table and table.duration_s.notna().any()
    return ((LENGTH,) if has_length else ()) + tuple(known)


def breakdown(
    table: "pd.DataFrame", labels: Sequence[str], by: Sequence[str], edge_s: float = WANTED_S
) -> "pd.DataFrame":
    """Recall of each class in each group of clips.

    Args:
        table: test rows, with `label`, `predicted` and what `by` asks for; `utterance_id` where there are seeds.
        labels: the classes, in order.
        by: columns, the groups being all their combinations that occur; `length` is duration_s split at `edge_s`.
        edge_s: seconds; a clip of that length is a short one.

    Returns:
        A row a group and class, in order: `group` (the values joined), `label`, `clips`, `found` (of these, the
        mean over seeds), `recall`, `low`, `high` (Wilson's 95 % interval of as many clips; NaN without a
        clip), and the columns of `by`.

    Raises:
        SettingError: the table lacks a column, or a label is no class.
    """
    import pandas as pd

    if isinstance(by, str) or not by:
        raise SettingError(f"clips are grouped by {by!r}; expected a list of columns, one at least")
    true = metrics.indices(table.label, labels)
    group, values = _groups(table, by, edge_s)
    cell, cells = group * len(labels) + true, len(values) * len(labels)
    rows = np.bincount(cell, minlength=cells)
    right = np.bincount(cell[table.predicted.to_numpy() == table.label.to_numpy()], minlength=cells)
    clips = rows
    if "seed" in table and table.seed.nunique() > 1:
        clips = np.bincount(cell[~table.utterance_id.duplicated().to_numpy()], minlength=cells)
    recall = np.divide(right, rows, out=np.full(cells, np.nan), where=rows > 0)
    sure = [wilson(r, n) if n else NO_INTERVAL for r, n in zip(recall.tolist(), clips.tolist(), strict=True)]
    columns = values.loc[values.index.repeat(len(labels))].reset_index(drop=True)
    found = {
        "group": columns.agg(", ".join, axis=1) if len(columns) else [],
        "label": list(labels) * len(values),
        "clips": clips,
        "found": np.where(clips > 0, recall * clips, 0.0),
        "recall": recall,
        "low": [i.low for i in sure],
        "high": [i.high for i in sure],
    }
    return pd.concat([pd.DataFrame(found), columns], axis=1)


def _groups(table: "pd.DataFrame", by: Sequence[str], edge_s: float) -> tuple[np.ndarray, "pd.DataFrame"]:
    """The group of each row: (N,) indices, and the groups' values, sorted."""
    import pandas as pd

    code, names = np.zeros(len(table), dtype=np.intp), []
    for column in by:
        place, values = _values(table, column, edge_s)
        code = code * len(values) + place
        names.append(values)
    present, group = np.unique(code, return_inverse=True)
    places = np.unravel_index(present, [len(v) for v in names])
    each = {c: np.asarray(v, dtype=object)[p] for c, v, p in zip(by, names, places, strict=True)}
    return group, pd.DataFrame(each, dtype=object)


def _values(table: "pd.DataFrame", column: str, edge_s: float) -> tuple[np.ndarray, list[str]]:
    """The value of each row as an index, and the values as text."""
    import pandas as pd

    needed = "duration_s" if column == LENGTH else column
    if needed not in table:
        raise SettingError(f"the clips have no column {needed}, so they cannot be grouped by {column}")
    if column == LENGTH:
        durations_s = table.duration_s.to_numpy(float)
        place = np.where(np.isnan(durations_s), 2, (durations_s > edge_s).astype(int))
        return place, [f"≤ {edge_s:g} s", f"> {edge_s:g} s", UNKNOWN]
    place, values = pd.factorize(table[column], sort=True)
    return np.where(place < 0, len(values), place), [*(str(v) or UNKNOWN for v in values), UNKNOWN]


def cell_filter(row: Mapping[str, Any], by: Sequence[str], edge_s: float, durations_s: np.ndarray) -> Filter:
    """The wrong clips of one row of `breakdown`; the clips above the edge begin with the next length that occurs.

    Args:
        row: the row, by column.
        by, edge_s: as `breakdown` had them.
        durations_s: (N,) of the clips, in seconds.
    """
    wanted: dict[str, Any] = {c: row[c] for c in by if c != LENGTH and row[c] != UNKNOWN}
    if str(row.get(LENGTH, "")).startswith("≤"):
        wanted["longest_s"] = edge_s
    elif str(row.get(LENGTH, "")).startswith(">"):
        wanted["shortest_s"] = float(durations_s[durations_s > edge_s].min())
    return Filter(label=row["label"], correct=False, **wanted)


def score_table(summaries: Mapping[str, Summary]) -> "pd.DataFrame":
    """UAR, accuracy and macro F1 of each run: `run`, `score`, `pooled`, `mean of folds`, and as there are several,
    `fold K` and `seed S`, counted from 0; fractions."""
    import pandas as pd

    rows = []
    for name, of in summaries.items():
        for score, said in SCORES.items():
            found = metrics_json(of)[score]
            row = {"run": name, "score": said, "pooled": found["pooled"], "mean of folds": found["mean_of_folds"]}
            for what in ("fold", "seed"):
                values = found[f"per_{what}"]
                row |= {f"{what} {i}": v for i, v in enumerate(values) if len(values) > 1}
            rows.append(row)
    return pd.DataFrame(rows)


def recall_table(summaries: Mapping[str, Summary], by_speaker: bool = False) -> "pd.DataFrame":
    """Recall by class of each run, a row each.

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
    """The paired difference of each class's recall, first run minus second: `label`, `difference`, `low`, `high`,
    `p_holm`, adjusted for the number of classes; NaN where a class has no clip, or too few speakers."""
    import pandas as pd

    differences = found.by_speaker if by_speaker else found.differences
    adjusted = found.holm_by_speaker if by_speaker else found.holm
    if differences is None or adjusted is None:
        raise SettingError(f"an interval by speaker needs {FEWEST_SPEAKERS} speakers; there are {found.speakers}")
    each = zip(found.classes, differences.recall, adjusted, strict=True)
    rows = [(label, d.value, d.interval.low, d.interval.high, p) for label, d, p in each]
    return pd.DataFrame(rows, columns=["label", "difference", "low", "high", "p_holm"])


def confusion_table(scores: Scores) -> "pd.DataFrame":
    """Who was taken for whom: `label`, `predicted`, `clips`, and their `share` of the class, NaN without a clip."""
    import pandas as pd

    counts = scores.confusion
    whole = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, whole, out=np.full(counts.shape, np.nan), where=whole > 0)
    pairs = [(a, b) for a in scores.classes for b in scores.classes]
    return pd.DataFrame(pairs, columns=["label", "predicted"]).assign(clips=counts.ravel(), share=shares.ravel())


def overconfidence(of: Calibration) -> float:
    """Mean confidence minus accuracy over all clips, −1 to 1; NaN where there is none."""
    filled = [b for b in of.bins if b.count]
    counts = sum(b.count for b in filled)
    gap = sum(b.count * (b.mean_confidence - b.accuracy) for b in filled)
    return gap / counts if counts else float("nan")


def reliability_table(found: Mapping[str, Calibration]) -> "pd.DataFrame":
    """The bins of each run that hold a clip: `run`, and what a `Bin` has."""
    import pandas as pd

    return pd.DataFrame([{"run": name} | vars(b) for name, of in found.items() for b in of.bins if b.count])


def segments_table(found: Mapping[str, Calibration]) -> "pd.DataFrame":
    """The groups by number of segments of each run: `run`, and what a `SegmentGroup` has."""
    import pandas as pd

    return pd.DataFrame([{"run": name} | vars(g) for name, of in found.items() for g in of.by_segments])
