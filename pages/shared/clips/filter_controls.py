"""Controls of the filter of clips on the page Mistakes; the session keeps the filter, the address holds it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from pages.shared.app.address import FILTER_KEY, set_query_values
from pages.shared.app.streamlit_internals import is_history_navigation
from pages.shared.runs.filter_address import (
    ANY_OUTCOME,
    CONDITIONS,
    MAX_LINKED_IDS,
    filter_from_address,
    filter_link,
)
from pages.shared.runs.open_mistakes import HANDED_FILTER
from pages.shared.runs.run_choice import RunChoice
from pages.shared.text.common import escape_markdown
from segser_core.runs.clip_filter import WRONG, ClipFilter, distinct_values

DEFAULT_FILTER = ClipFilter(correct=False)
PREVIOUS_FILTER_KEY = f"{FILTER_KEY}-before"
CONDITION_TITLES = {
    "label": "true class",
    "predicted": "predicted class",
    "correct": "right or wrong",
    "wrong": "which run is wrong",
    "corpus": "corpus",
    "speaker": "speaker",
    "session": "session",
    "style": "style",
    "gender": "gender",
    "seed": "seed",
    "fold": "fold",
    "shortest_s": "shortest duration",
    "longest_s": "longest duration",
    "least_confidence": "least confidence",
    "most_confidence": "most confidence",
    "ids": "picked clips",
}
LIMIT_LABELS = {
    "shortest_s": "Duration from (s)",
    "longest_s": "Duration up to (s)",
    "least_confidence": "Confidence from",
    "most_confidence": "Confidence up to",
}
LIMIT_TEXTS = {
    "shortest_s": "{:g} s or longer",
    "longest_s": "{:g} s or shorter",
    "least_confidence": "confidence {:g} or more",
    "most_confidence": "confidence {:g} or less",
}
NAME_CONDITIONS = ("corpus", "speaker", "session", "style", "gender")
VISIBLE_CONDITIONS = ("label", "predicted", "correct", "wrong")  # which have a control that is always there


def choose_filter(table: pd.DataFrame, choice: RunChoice) -> ClipFilter:
    """Show the controls and chips of the filter, and return it; the address follows.

    Args:
        table: of `clip_table.clip_table`, all clips.
        choice: whose clips.
    """
    _take_over_filter()
    current = st.session_state[FILTER_KEY]
    with st.container(border=True):
        outcome, true, predicted = st.columns(3)
        with outcome:
            _choose_outcome(current, choice)
        for column, name in ((true, "label"), (predicted, "predicted")):
            with column:
                _choose_value(current, name, choice.run.labels)
        with st.container(horizontal=True, vertical_alignment="center"):
            _show_more_filters(table, current)
            _show_chips(current)
        if len(current.ids) > MAX_LINKED_IDS:
            st.caption(f"A link to this page cannot carry more than {MAX_LINKED_IDS} picked clips: it leaves them out.")
    set_query_values(dict.fromkeys(CONDITIONS) | filter_link(current))
    return current


def show_obstacles(obstacles: Sequence[str], current: ClipFilter) -> None:
    """Say which conditions leave no clip, and offer to remove them.

    Args:
        obstacles: names of the conditions.
        current: the filter.
    """
    conditions = ", ".join(f"**{escape_markdown(describe_condition(current, name))}**" for name in obstacles)
    st.info(f"No clip is left. What leaves none: {conditions}.", icon=":material/filter_alt_off:")
    with st.container(horizontal=True):
        st.button(
            "Take that away" if len(obstacles) == 1 else "Take these away",
            icon=":material/filter_alt_off:",
            on_click=_set_filter,
            args=(current.without(*obstacles),),
        )
        st.button("Clear all filters", on_click=_set_filter, args=(ClipFilter(),), key="clear-empty")


def describe_condition(current: ClipFilter, name: str) -> str:
    """Describe the condition of that name in a few words."""
    value = getattr(current, name)
    if name == "ids":
        return f"{len(value)} picked clip{'s' * (len(value) != 1)}"
    if name == "correct":
        return "right" if value else "wrong"
    if name == "wrong":
        return {"this": "only this run is wrong", "other": "only the other run is wrong"}.get(value, f"{value} wrong")
    return LIMIT_TEXTS[name].format(value) if name in LIMIT_TEXTS else f"{CONDITION_TITLES[name]} {value}"


def _take_over_filter() -> None:
    """Take the filter that another page handed over; else the session's; else the address's; else the wrong clips.

    After a step back or forth take the address's, unless it says what the session has: of many picked clips it says
    nothing.
    """
    handed = st.session_state.pop(HANDED_FILTER, None)
    asked = {name: st.query_params[name] for name in CONDITIONS if name in st.query_params}
    if handed is not None:
        _set_filter(handed)
    elif FILTER_KEY not in st.session_state:
        st.session_state[FILTER_KEY] = filter_from_address(asked) if asked else DEFAULT_FILTER
    elif is_history_navigation() and asked and asked != filter_link(st.session_state[FILTER_KEY]):
        _set_filter(filter_from_address(asked))


def _set_filter(new: ClipFilter) -> None:
    """Set another filter; the one before can be brought back."""
    st.session_state[PREVIOUS_FILTER_KEY] = st.session_state.get(FILTER_KEY)
    st.session_state[FILTER_KEY] = new


def _take_over_control(name: str, key: str) -> None:
    _set_filter(replace(st.session_state[FILTER_KEY], **{name: st.session_state[key]}))


def _choose_outcome(current: ClipFilter, choice: RunChoice) -> None:
    """Choose right, wrong, or wrong in one of two runs, in one control: they could only contradict each other."""
    titles = {ANY_OUTCOME: "all", "false": "wrong", "true": "right"}
    if choice.other is not None or current.wrong:
        first, second = choice.run.name, choice.other.name if choice.other else "the other run"
        titles |= {"this": f"only {first} is wrong", "other": f"only {second} is wrong"}
        titles |= {
            "both": "both runs are wrong",
            "either": "at least one run is wrong",
            "neither": "both runs are right",
        }
    correct = ANY_OUTCOME if current.correct is None else str(current.correct).lower()
    st.session_state["filter-which"] = current.wrong or correct
    st.selectbox(
        "Clips", list(titles), key="filter-which", format_func=titles.__getitem__, on_change=_take_over_outcome
    )


def _take_over_outcome() -> None:
    chosen = st.session_state["filter-which"]
    new = {"wrong": chosen if chosen in WRONG else None, "correct": {"true": True, "false": False}.get(chosen)}
    _set_filter(replace(st.session_state[FILTER_KEY], **new))


def _choose_value(current: ClipFilter, name: str, options: Sequence[Any]) -> None:
    """Choose one of some values, or any; a value of the filter that is none of them stays to be seen."""
    key, value = f"filter-{name}", getattr(current, name)
    st.session_state[key] = value
    st.selectbox(
        CONDITION_TITLES[name].capitalize(),
        list(options) if value is None or value in options else [*options, value],
        index=None,
        key=key,
        placeholder="any",
        on_change=_take_over_control,
        args=(name, key),
    )


def _show_more_filters(table: pd.DataFrame, current: ClipFilter) -> None:
    """Show the less common conditions, two in a line; those on columns with one value alone are not offered."""
    offered: dict[str, list] = {name: distinct_values(table, name) for name in NAME_CONDITIONS}
    offered |= {name: sorted(table[name].unique().tolist()) for name in ("seed", "fold")}
    offered = {
        name: values for name, values in offered.items() if len(values) > 1 or getattr(current, name) is not None
    }
    names = (*LIMIT_LABELS, *offered)
    with st.popover("More filters", icon=":material/tune:"):
        for line in zip(names[::2], (*names[1::2], None), strict=False):
            for column, name in zip(st.columns(2), line, strict=True):
                with column:
                    if name in LIMIT_LABELS:
                        _choose_limit(current, name, 1.0 if name.endswith("confidence") else None)
                    elif name is not None:
                        _choose_value(current, name, offered[name])


def _choose_limit(current: ClipFilter, name: str, largest: float | None) -> None:
    key = f"filter-{name}"
    st.session_state[key] = getattr(current, name)
    st.number_input(
        LIMIT_LABELS[name],
        min_value=0.0,
        max_value=largest,
        value=None,
        step=0.05 if largest else 1.0,
        key=key,
        placeholder="any",
        on_change=_take_over_control,
        args=(name, key),
    )


def _show_chips(current: ClipFilter) -> None:
    """Show the conditions without a visible control, each to be removed, and a way back from the last change."""
    hidden = [
        name for name in current.conditions if name not in VISIBLE_CONDITIONS or (name == "correct" and current.wrong)
    ]
    for name in hidden:
        label = escape_markdown(describe_condition(current, name))
        without = current.without(name)
        st.button(label, icon=":material/close:", key=f"chip-{name}", on_click=_set_filter, args=(without,))
    if current.conditions:
        icon = ":material/filter_alt_off:"
        st.button("Clear filters", icon=icon, type="tertiary", on_click=_set_filter, args=(ClipFilter(),))
    before = st.session_state.get(PREVIOUS_FILTER_KEY)
    if before not in (None, current):
        icon = ":material/undo:"
        st.button("Undo", icon=icon, type="tertiary", on_click=_set_filter, args=(before,), key="undo-filter")
