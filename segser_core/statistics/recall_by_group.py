"""Compute recall by class in groups of clips: by length, speaker, or any column of the predictions.

Groups stand alone or are crossed; a chart, its CSV and the list beside it come from one table.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from segser_core.errors import SettingError
from segser_core.runs.class_indices import add_class_indices
from segser_core.runs.clip_filter import ClipFilter
from segser_core.statistics.bootstrap import NO_INTERVAL, wilson_interval

if TYPE_CHECKING:
    import pandas as pd


LENGTH = "length"
GROUP_COLUMNS = ("corpus", "speaker", "session", "gender", "style")
WANTED_S = 10.0
FEWEST_ON_A_SIDE = 20
UNKNOWN = "not known"


def length_edge(durations_s: np.ndarray, wanted_s: float = WANTED_S) -> tuple[float, str]:
    """Choose the length at which clips are split, and explain the choice.

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


def small_side_warning(durations_s: np.ndarray, edge_s: float) -> str:
    """Warn where an edge leaves fewer than `FEWEST_ON_A_SIDE` clips on a side; empty otherwise.

    Args:
        durations_s: (N,) seconds.
        edge_s: in seconds; a clip of that length is a short one.
    """
    longer = int((durations_s > edge_s).sum())
    fewer, side = min((longer, "longer"), (int((durations_s <= edge_s).sum()), "not longer"))
    return f"Only {fewer} clips are {side} than {edge_s:g} s." if fewer < FEWEST_ON_A_SIDE else ""


def length_range(durations_s: np.ndarray) -> tuple[float, float]:
    """Find the least and the greatest length to split clips by, in tenths of a second, with clips on both sides.

    Args:
        durations_s: (N,) seconds, one known at least.
    """
    least, most = np.ceil(10 * np.nanmin(durations_s)), np.ceil(10 * np.nanmax(durations_s)) - 1
    return float(least / 10), float(most / 10)


def available_groupings(table: "pd.DataFrame") -> tuple[str, ...]:
    """List the columns that clips can be grouped by: `length`, and those of `GROUP_COLUMNS` with two values or more."""
    known = [c for c in GROUP_COLUMNS if c in table and table[c].nunique() > 1]
    has_length = "duration_s" in table and table.duration_s.notna().any()
    return ((LENGTH,) if has_length else ()) + tuple(known)


def recall_by_group(
    table: "pd.DataFrame", labels: Sequence[str], by: Sequence[str], edge_s: float = WANTED_S
) -> "pd.DataFrame":
    """Compute recall of each class in each group of clips.

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
    true = add_class_indices(table, labels).true.to_numpy()
    group, values = _groups(table, by, edge_s)
    cell, cells = group * len(labels) + true, len(values) * len(labels)
    rows = np.bincount(cell, minlength=cells)
    right = np.bincount(cell[table.predicted.to_numpy() == table.label.to_numpy()], minlength=cells)
    clips = rows
    if "seed" in table and table.seed.nunique() > 1:
        clips = np.bincount(cell[~table.utterance_id.duplicated().to_numpy()], minlength=cells)
    recall = np.divide(right, rows, out=np.full(cells, np.nan), where=rows > 0)
    sure = [wilson_interval(r, n) if n else NO_INTERVAL for r, n in zip(recall.tolist(), clips.tolist(), strict=True)]
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
    """Group each row: (N,) indices, and the groups' values, sorted."""
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
    """Convert a column to indices and its values as text."""
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


def cell_filter(row: Mapping[str, Any], by: Sequence[str], edge_s: float, durations_s: np.ndarray) -> ClipFilter:
    """Filter the wrong clips of one row of `recall_by_group`; above the edge begins with the next length that occurs.

    Args:
        row: the row, by column.
        by, edge_s: as `recall_by_group` had them.
        durations_s: (N,) of the clips, in seconds.
    """
    wanted: dict[str, Any] = {c: row[c] for c in by if c != LENGTH and row[c] != UNKNOWN}
    if str(row.get(LENGTH, "")).startswith("≤"):
        wanted["longest_s"] = edge_s
    elif str(row.get(LENGTH, "")).startswith(">"):
        wanted["shortest_s"] = float(durations_s[durations_s > edge_s].min())
    return ClipFilter(label=row["label"], correct=False, **wanted)
