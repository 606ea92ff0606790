"""Which clips the page Mistakes shows: one filter, kept for the session, carried by the address, and its controls."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from pages.shared.app.address import FILTER, carry, followed
from pages.shared.clips.clip_list import set_open
from pages.shared.runs.run_picker import Choice, chosen_names
from pages.shared.text import common
from segser_core.runs.clip_filter import WRONG, Filter, values_of

DEFAULT = Filter(correct=False)
STATE, BEFORE = FILTER, f"{FILTER}-before"
NAMES = {
    "label": "true class",
    "predicted": "predicted class",
    "correct": "right or wrong",
    "wrong": "which run is wrong",
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
LIMITS = {
    "shortest_s": "Duration from (s)",
    "longest_s": "Duration up to (s)",
    "least_confidence": "Confidence from",
    "most_confidence": "Confidence up to",
}
NAMED = ("speaker", "session", "style", "gender")
IN_ROW = ("label", "predicted", "correct", "wrong")
ALL = "all"
LONGEST_LINK = 100  # picked clips; a longer address breaks on its way


def choose_filter(table: pd.DataFrame, choice: Choice) -> Filter:
    """The controls and chips of the filter, and what they say; the address follows."""
    _arrive()
    wanted = st.session_state[STATE]
    with st.container(border=True):
        which, true, predicted = st.columns(3)
        with which:
            _choose_which(wanted, choice)
        for column, name in ((true, "label"), (predicted, "predicted")):
            with column:
                _pick(wanted, name, choice.run.labels)
        with st.container(horizontal=True, vertical_alignment="center"):
            _more(table, wanted)
            _chips(wanted)
        if len(wanted.ids) > LONGEST_LINK:
            st.caption(f"A link to this page cannot carry more than {LONGEST_LINK} picked clips: it leaves them out.")
    carry(dict.fromkeys(NAMES) | _address(wanted))
    return wanted


def nothing_left(obstacles: Sequence[str], wanted: Filter) -> None:
    """Say which conditions leave nothing, and offer to take them away."""
    said = ", ".join(f"**{common.plain(said_of(wanted, name))}**" for name in obstacles)
    st.info(f"No clip is left. What leaves none: {said}.", icon=":material/filter_alt_off:")
    with st.container(horizontal=True):
        st.button(
            "Take that away" if len(obstacles) == 1 else "Take these away",
            icon=":material/filter_alt_off:",
            on_click=_set,
            args=(wanted.without(*obstacles),),
        )
        st.button("Clear all filters", on_click=_set, args=(Filter(),), key="clear-empty")


def open_mistakes(wanted: Filter) -> None:
    """Go to the page of mistakes with a filter, and with no clip open.

    Streamlit writes the new address below the old page first, as a step of its own; with what the old page said in it,
    that step shows the old page as it was.
    """
    st.session_state["filter"] = wanted
    set_open(None)
    here = {name: value for name, value in st.query_params.items() if name not in (*NAMES, "clip", "clip_seed")}
    st.switch_page("pages/mistakes.py", query_params=here | chosen_names() | _address(wanted))


def said_of(wanted: Filter, name: str) -> str:
    """A condition in a few words."""
    value = getattr(wanted, name)
    if name == "ids":
        return f"{len(value)} picked clip{'s' * (len(value) != 1)}"
    if name == "correct":
        return "right" if value else "wrong"
    if name == "wrong":
        return {"this": "only this run is wrong", "other": "only the other run is wrong"}.get(value, f"{value} wrong")
    ranges = {
        "shortest_s": "{:g} s or longer",
        "longest_s": "{:g} s or shorter",
        "least_confidence": "confidence {:g} or more",
        "most_confidence": "confidence {:g} or less",
    }
    return ranges[name].format(value) if name in ranges else f"{NAMES[name]} {value}"


def _arrive() -> None:
    """The filter that another page handed over; else the session's; else the address's; else the wrong clips.

    After a step back or forth the address's, unless it says what the session has: of many picked clips it says nothing.
    """
    handed = st.session_state.pop("filter", None)
    said = {name: st.query_params[name] for name in NAMES if name in st.query_params}
    if handed is not None:
        _set(handed)
    elif STATE not in st.session_state:
        st.session_state[STATE] = Filter.from_address(said) if said else DEFAULT
    elif followed() and said and said != _address(st.session_state[STATE]):
        _set(Filter.from_address(said))


def _set(wanted: Filter) -> None:
    """Another filter; what was there can be brought back."""
    st.session_state[BEFORE] = st.session_state.get(STATE)
    st.session_state[STATE] = wanted


def _change(name: str, key: str) -> None:
    """Take over one control."""
    _set(replace(st.session_state[STATE], **{name: st.session_state[key]}))


def _choose_which(wanted: Filter, choice: Choice) -> None:
    """Right, wrong, or wrong in one of two runs, as one choice: they could only contradict each other."""
    names = {ALL: "all", "false": "wrong", "true": "right"}
    if choice.other is not None or wanted.wrong:
        first, second = choice.run.name, choice.other.name if choice.other else "the other run"
        names |= {"this": f"only {first} is wrong", "other": f"only {second} is wrong"}
        names |= {
            "both": "both runs are wrong",
            "either": "at least one run is wrong",
            "neither": "both runs are right",
        }
    st.session_state["filter-which"] = wanted.wrong or (ALL if wanted.correct is None else str(wanted.correct).lower())
    st.selectbox("Clips", list(names), key="filter-which", format_func=names.__getitem__, on_change=_change_which)


def _change_which() -> None:
    chosen = st.session_state["filter-which"]
    new = {"wrong": chosen if chosen in WRONG else None, "correct": {"true": True, "false": False}.get(chosen)}
    _set(replace(st.session_state[STATE], **new))


def _pick(wanted: Filter, name: str, options: Sequence[Any]) -> None:
    """One of some values, or any; a value of the filter that is none of them stays to be seen."""
    key, value = f"filter-{name}", getattr(wanted, name)
    st.session_state[key] = value
    st.selectbox(
        NAMES[name].capitalize(),
        list(options) if value is None or value in options else [*options, value],
        index=None,
        key=key,
        placeholder="any",
        on_change=_change,
        args=(name, key),
    )


def _more(table: pd.DataFrame, wanted: Filter) -> None:
    """The less common conditions; those on columns that tell nothing apart are not offered."""
    offered = {name: values_of(table, name) for name in NAMED}
    offered |= {name: sorted(table[name].unique().tolist()) for name in ("seed", "fold")}
    offered = {name: values for name, values in offered.items() if len(values) > 1 or getattr(wanted, name) is not None}
    names = (*LIMITS, *offered)
    with st.popover("More filters", icon=":material/tune:"):
        for pair in zip(names[::2], (*names[1::2], None), strict=False):
            for column, name in zip(st.columns(2), pair, strict=True):
                with column:
                    if name in LIMITS:
                        _limit(wanted, name, 1.0 if name.endswith("confidence") else None)
                    elif name is not None:
                        _pick(wanted, name, offered[name])


def _limit(wanted: Filter, name: str, largest: float | None) -> None:
    key = f"filter-{name}"
    st.session_state[key] = getattr(wanted, name)
    st.number_input(
        LIMITS[name],
        min_value=0.0,
        max_value=largest,
        value=None,
        step=0.05 if largest else 1.0,
        key=key,
        placeholder="any",
        on_change=_change,
        args=(name, key),
    )


def _chips(wanted: Filter) -> None:
    """What is set and cannot be seen above, each to be taken away; and the way back from the last change."""
    hidden = [name for name in wanted.set if name not in IN_ROW or (name == "correct" and wanted.wrong)]
    for name in hidden:
        label = common.plain(said_of(wanted, name))
        st.button(label, icon=":material/close:", key=f"chip-{name}", on_click=_set, args=(wanted.without(name),))
    if wanted.set:
        icon = ":material/filter_alt_off:"
        st.button("Clear filters", icon=icon, type="tertiary", on_click=_set, args=(Filter(),))
    before = st.session_state.get(BEFORE)
    if before not in (None, wanted):
        st.button("Undo", icon=":material/undo:", type="tertiary", on_click=_set, args=(before,), key="undo-filter")


def _address(wanted: Filter) -> dict[str, str]:
    carried = wanted.without("ids") if len(wanted.ids) > LONGEST_LINK else wanted
    return carried.to_address() or {"correct": ALL}
