"""Recall of each class in each group of clips: by length, speaker, or what else a run knows of them."""

from dataclasses import dataclass
from itertools import combinations

import pandas as pd
import streamlit as st

from pages.shared.app.address import asked, carry, in_address
from pages.shared.runs import cached_scores, charts
from pages.shared.runs.run_picker import Choice
from pages.shared.text import common, recall
from segser_core.figures import grids
from segser_core.runs.clip_filter import Filter
from segser_core.statistics import recall_by_group

THIS, OTHER, DIFFERENCE = "this", "other", "difference"
TALL_PX = 760
MOST_CROSSED = 3
CELL_PX, NAMES_PX = 120, 200


@dataclass(frozen=True)
class Split:
    """How clips are grouped, whose recall is shown, and, where length counts, what is long."""

    by: tuple[str, ...]
    of: str
    edge_s: float


@st.fragment
def groups(choice: Choice) -> None:
    """The controls, a cell for each class and group, and a table that does what a click on a cell does."""
    known = recall_by_group.groupings(cached_scores.clips_of(choice.run, choice.rule))
    if not known:
        st.info("This run knows no length, speaker or other property of its clips, so they cannot be grouped.")
        return
    split = _choose_split(choice, known)
    shown = choice.other if split.of == OTHER else choice.run
    second = choice.other if split.of == DIFFERENCE else None
    for run in (r for r in (shown, second) if r is not None):
        if lacking := sorted({*split.by} - {*recall_by_group.groupings(cached_scores.clips_of(run, choice.rule))}):
            st.info(f"{common.plain(run.name)} does not tell the {' and '.join(lacking)} of its clips apart.")
            return
    table = cached_scores.breakdown_of(shown, choice.rule, split.by, split.edge_s)
    theirs = None if second is None else cached_scores.breakdown_of(second, choice.rule, split.by, split.edge_s)
    _show(choice, split, table, theirs)


def _choose_split(choice: Choice, known: tuple[str, ...]) -> Split:
    names = ["-".join(several) for n in range(1, MOST_CROSSED + 1) for several in combinations(known, n)]
    whose = {THIS: common.plain(choice.run.name)}
    if choice.other is not None:
        whose[OTHER] = common.plain(choice.other.name)
        if set(choice.other.labels) == set(choice.run.labels):
            whose[DIFFERENCE] = DIFFERENCE
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by = tuple(in_address("split", "recall-split", names, names[0], _by).split("-"))
        of = in_address("shown", "recall-shown", list(whose), THIS, lambda options, key: _whose(options, key, whose))
        clips = cached_scores.clips_of(choice.run, choice.rule)
        edge_s, why = _edge(choice, clips) if recall_by_group.LENGTH in by else (recall_by_group.WANTED_S, "")
    if why:
        st.caption(why)
    return Split(by, of, edge_s)


def _by(options: list[str], key: str) -> str:
    return st.selectbox(
        "Clips by", options, key=key, format_func=lambda n: n.replace("-", " × "), persist_state="session", width=240
    )


def _whose(options: list[str], key: str, said: dict[str, str]) -> str:
    return st.segmented_control(
        "Recall of", options, key=key, format_func=said.__getitem__, required=True, persist_state="session"
    )


def _edge(choice: Choice, clips: pd.DataFrame) -> tuple[float, str]:
    """Where short clips end, in seconds, which the address carries once it was moved; and why it is not 10 s."""
    durations_s = clips.duration_s.to_numpy(float)
    default_s, why = recall_by_group.length_edge(durations_s)
    low_s, high_s = recall_by_group.length_range(durations_s)
    if low_s >= high_s:
        return default_s, f"{why} All clips are about as long."
    key = f"recall-edge-{choice.run.name}"
    if key not in st.session_state:
        wanted_s = recall_by_group.seconds_in(asked("edge"), low_s, high_s)
        st.session_state[key] = default_s if wanted_s is None else wanted_s
    edge_s = st.slider(
        "Long is above", low_s, high_s, key=key, step=0.1, format="%.1f s", persist_state="session", width=320
    )
    moved = edge_s != default_s
    carry({"edge": f"{edge_s:g}" if moved else None})
    return edge_s, recall_by_group.few_on_a_side(durations_s, edge_s) if moved else why


def _show(choice: Choice, split: Split, table: pd.DataFrame, theirs: pd.DataFrame | None) -> None:
    clips = cached_scores.clips_of(choice.run, choice.rule)
    durations_s = clips.duration_s.to_numpy(float) if "duration_s" in clips else None

    def of_cell(row: int) -> tuple[Filter, bool]:
        cell = table.iloc[row].to_dict()
        return recall_by_group.cell_filter(cell, split.by, split.edge_s, durations_s), split.of == OTHER

    by = " and ".join(split.by)
    of = ("groups", *cached_scores.shown(choice), split)
    labels = list(dict.fromkeys(table.label))
    figure = charts.drawn(of, lambda: grids.breakdown_figure(table, labels, theirs))
    alt, width_px = f"Recall of each class by {by}, with the number of clips", NAMES_PX + CELL_PX * len(labels)
    with st.container(height=TALL_PX if figure.layout.height > TALL_PX else "content", border=False):
        charts.show(figure, "groups", alt, table, of_cell, width_px)
    what = "percent of the clips found" if theirs is None else "points that the first run finds more or less"
    st.caption(f"In each cell: {what}, and how many clips there are. {recall.CLICK_CELL}")
    part = charts.folded("As a table", "groups")
    if part.open:
        with part:
            charts.table(table[["group", "label", "clips", "recall", "low", "high"]], "groups", of_cell)
