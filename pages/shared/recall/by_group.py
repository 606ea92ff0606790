"""Recall of each class in each group of clips: by length, speaker, or what else a run knows of them."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
import streamlit as st

from pages.shared.app.address import bind_to_address, query_value, set_query_values
from pages.shared.app.pickers import dropdown, segmented
from pages.shared.runs.cached_scores import grouped_recall, run_test_rows
from pages.shared.runs.charts import ClickableTable, cached_figure, lazy_expander, show_chart, show_table
from pages.shared.runs.open_mistakes import ClipSelection
from pages.shared.runs.run_choice import RunChoice
from pages.shared.text import recall as text
from pages.shared.text.common import escape_markdown
from segser_core.figures import grids
from segser_core.statistics import recall_by_group
from segser_core.statistics.recall_by_group import LENGTH, WANTED_S

THIS, OTHER, DIFFERENCE = "this", "other", "difference"
MAX_GRID_PX = 760  # a higher grid scrolls
MAX_CROSSED = 3
CELL_WIDTH_PX, GROUP_NAMES_PX = 120, 200
TABLE_COLUMNS = ("group", "label", "clips", "recall", "low", "high")


@dataclass(frozen=True)
class Grouping:
    """How clips are grouped, and whose recall is shown.

    Attributes:
        by: the properties by which clips are grouped, all crossed.
        shown: `this`, the run's recall; `other`, the other run's; `difference`.
        edge_s: above it a clip is long, in seconds.
    """

    by: tuple[str, ...]
    shown: str
    edge_s: float


@st.fragment
def show_recall_by_group(choice: RunChoice) -> None:
    """Show controls, a cell for each class and group, and a table that does what a click on a cell does."""
    properties = recall_by_group.available_groupings(run_test_rows(choice.run, choice.rule))
    if not properties:
        st.info("This run knows no length, speaker or other property of its clips, so they cannot be grouped.")
        return
    grouping = _choose_grouping(choice, properties)
    shown = choice.other if grouping.shown == OTHER and choice.other is not None else choice.run
    second = choice.other if grouping.shown == DIFFERENCE else None
    for run in (r for r in (shown, second) if r is not None):
        known = recall_by_group.available_groupings(run_test_rows(run, choice.rule))
        if lacking := sorted({*grouping.by} - {*known}):
            st.info(f"{escape_markdown(run.name)} does not tell the {' and '.join(lacking)} of its clips apart.")
            return
    table = grouped_recall(shown, choice.rule, grouping.by, grouping.edge_s)
    other = None if second is None else grouped_recall(second, choice.rule, grouping.by, grouping.edge_s)
    _show_grid(choice, grouping, table, other)


def _choose_grouping(choice: RunChoice, properties: tuple[str, ...]) -> Grouping:
    crossed = ["-".join(several) for n in range(1, MAX_CROSSED + 1) for several in combinations(properties, n)]
    titles = {THIS: escape_markdown(choice.run.name)}
    if choice.other is not None:
        titles[OTHER] = escape_markdown(choice.other.name)
        if set(choice.other.labels) == set(choice.run.labels):
            titles[DIFFERENCE] = DIFFERENCE
    with st.container(horizontal=True, vertical_alignment="bottom"):
        split = bind_to_address(
            "split",
            key="recall-split",
            options=crossed,
            default=crossed[0],
            control=dropdown("Clips by", lambda name: name.replace("-", " × "), width_px=240),
        )
        by = tuple(split.split("-"))
        shown = bind_to_address(
            "shown",
            key="recall-shown",
            options=list(titles),
            default=THIS,
            control=segmented("Recall of", titles.__getitem__),
        )
        clips = run_test_rows(choice.run, choice.rule)
        edge_s, note = _choose_length_edge(choice, clips) if LENGTH in by else (WANTED_S, "")
    if note:
        st.caption(note)
    return Grouping(by, shown, edge_s)


def _choose_length_edge(choice: RunChoice, clips: pd.DataFrame) -> tuple[float, str]:
    """Choose the length above which a clip is long; the address holds it once it was moved.

    Returns:
        Seconds, and a note: why it is not the usual edge, or how few clips it leaves on a side.
    """
    durations_s = clips.duration_s.to_numpy(float)
    default_s, reason = recall_by_group.length_edge(durations_s)
    low_s, high_s = recall_by_group.length_range(durations_s)
    if low_s >= high_s:
        return default_s, f"{reason} All clips are about as long."
    key = f"recall-edge-{choice.run.name}-{choice.corpus}"
    if key not in st.session_state:
        asked_s = parse_seconds(query_value("edge"), low_s=low_s, high_s=high_s)
        st.session_state[key] = default_s if asked_s is None else asked_s
    edge_s = st.slider(
        "Long is above", low_s, high_s, key=key, step=0.1, format="%.1f s", persist_state="session", width=320
    )
    moved = edge_s != default_s
    set_query_values({"edge": f"{edge_s:g}" if moved else None})
    return edge_s, recall_by_group.small_side_warning(durations_s, edge_s) if moved else reason


def parse_seconds(text: str, *, low_s: float, high_s: float) -> float | None:
    """Parse the seconds that an address names; None where it is no number between the two."""
    try:
        value_s = float(text)
    except ValueError:
        return None
    return value_s if low_s <= value_s <= high_s else None


def _show_grid(choice: RunChoice, grouping: Grouping, table: pd.DataFrame, other: pd.DataFrame | None) -> None:
    """Show recall as a grid of cells and as a table; with another run's table, the difference to it."""
    clips = run_test_rows(choice.run, choice.rule)
    durations_s = clips.duration_s.to_numpy(float) if "duration_s" in clips else np.empty(0)

    def cell_clips(row: pd.Series) -> ClipSelection:
        cell = recall_by_group.cell_filter(row.to_dict(), grouping.by, grouping.edge_s, durations_s)
        return ClipSelection(choice.narrow(cell), of_other_run=grouping.shown == OTHER)

    labels = list(dict.fromkeys(table.label))
    figure = cached_figure(("groups", choice, grouping), lambda: grids.recall_grid_figure(table, labels, other))
    with st.container(height=MAX_GRID_PX if figure.layout.height > MAX_GRID_PX else "content", border=False):
        show_chart(
            figure,
            key="groups",
            alt=f"Recall of each class by {' and '.join(grouping.by)}, with the number of clips",
            data=ClickableTable(table, cell_clips),
            width_px=GROUP_NAMES_PX + CELL_WIDTH_PX * len(labels),
        )
    unit = "percent of the clips found" if other is None else "points that the first run finds more or less"
    st.caption(f"In each cell: {unit}, and how many clips there are. {text.CLICK_CELL}")
    part = lazy_expander("As a table", "groups")
    if part.open:
        with part:
            show_table(ClickableTable(table, cell_clips, {name: name for name in TABLE_COLUMNS}), "groups")
