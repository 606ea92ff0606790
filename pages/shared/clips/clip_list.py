"""The clips that a filter lets through as a table, and which of them is open; the address carries the open one."""

from functools import cache
from typing import Any

import pandas as pd
import streamlit as st

from pages.shared.app.address import carry, in_address
from pages.shared.runs.run_picker import Choice
from pages.shared.text import common
from segser_core.figures.style import text_on
from segser_core.labels import colour_of
from segser_core.runs.clip_filter import orders_of

SHOWN = 500  # rows that a browser is sent; the files for download have them all
OPEN, ROWS, SORT = "open-clip", "clip-rows", "mistakes-sort"
ORDER_NAMES = {
    "surest": "most confident first",
    "least-sure": "least confident first",
    "longest": "longest first",
    "shortest": "shortest first",
    "least-true": "fewest segments of the true class first",
    "late": "surest segment late in the clip first",
    "name": "by name",
}
EMOTIONS = ("label", "predicted", "other_predicted")
SHARES = {"true_share": 2, "decided_at": 2, "silent_share": 2}  # whole percents
FIRST = ("label", "predicted", "confidence", "other_predicted", "other_confidence", "duration_s", "true_share")
THEN = ("decided_at", "segments", "level_db", "silent_share", "utterance_id", "speaker", "session", "style", "gender")
LAST = ("text", "note", "tags")
Key = tuple[str, int]


def choose_order(table: pd.DataFrame) -> str:
    """In which order the clips come, in the table and under Previous and Next."""
    options = orders_of(table)
    return in_address("sort", SORT, options, options[0], _order)


def open_clip(run_seeds: tuple[int, ...]) -> Key | None:
    """The clip that is open, at first the one that the address names, with its seed."""
    if OPEN not in st.session_state:
        seed = st.query_params.get("clip_seed", "")
        named = st.query_params.get("clip")
        st.session_state[OPEN] = (named, int(seed) if seed.isdigit() else run_seeds[0]) if named else None
    now = st.session_state[OPEN]
    clip, seed = now or (None, None)
    carry({"clip": clip, "clip_seed": str(seed) if now and len(run_seeds) > 1 else None})
    return now


def show_list(shown: pd.DataFrame, choice: Choice, opened: Key | None) -> None:
    """The table; a click on a row opens its clip, another click closes it.

    Args:
        shown: of `clips.clip_table`, at most `SHOWN` rows, with notes and levels as known.
        choice: whose clips.
        opened: the clip whose row is marked.
    """
    keys = keys_of(shown)
    st.session_state[ROWS] = {"selection": {"rows": [keys.index(opened)] if opened in keys else [], "columns": []}}
    columns = columns_of(shown)
    emotions = [name for name in EMOTIONS if name in columns]
    st.dataframe(
        shown[columns].round(SHARES).style.map(_in_its_colour, subset=emotions),
        key=ROWS,
        hide_index=True,
        column_config=_columns(choice),
        on_select=lambda: _open_row(keys),
        selection_mode="single-row",
        placeholder="–",
        alt="The clips; the boxes at the left open one, and so do the buttons below",
    )


def keys_of(table: pd.DataFrame) -> list[Key]:
    """Utterance and seed of each row."""
    return list(zip(table.utterance_id.tolist(), table.seed.tolist(), strict=True))


def columns_of(table: pd.DataFrame) -> list[str]:
    """The columns to show, in order: those that say something, and what raters agreed on where it is known."""
    raters = [name for name in table if "agreement" in str(name).lower()]
    numbers = [name for name in ("seed", "fold") if table[name].nunique() > 1]
    wanted = [*FIRST, *THEN, *raters, *numbers, *LAST]
    return [name for name in wanted if name in table and _says_something(table[name])]


def step(keys: list[Key], opened: Key | None, by: int) -> Key | None:
    """The clip before or after the open one; the first one where none of these is open; None past either end."""
    if opened not in keys:
        return keys[0] if keys and by > 0 else None
    place = keys.index(opened) + by
    return keys[place] if 0 <= place < len(keys) else None


def place_of(keys: list[Key], opened: Key) -> int:
    """Which of the clips is open, counted from 1."""
    return keys.index(opened) + 1


def set_open(key: Key | None) -> None:
    """Open another clip, or none."""
    st.session_state[OPEN] = key


def _says_something(column: pd.Series) -> bool:
    return bool((column.notna() & (column.astype(str) != "")).any())


def _open_row(keys: list[Key]) -> None:
    rows = st.session_state[ROWS].selection.rows
    set_open(keys[rows[0]] if rows else None)


def _order(options: list[str], key: str) -> str:
    return st.selectbox("Order", options, key=key, format_func=ORDER_NAMES.__getitem__, persist_state="session")


@cache
def _in_its_colour(label: str | None) -> str:
    """An emotion's cell: its colour, and text that can be read on it."""
    if not isinstance(label, str):
        return ""
    return f"background-color: {colour_of(label)}; color: {text_on(colour_of(label))}"


def _columns(choice: Choice) -> dict[str, Any]:
    """Headings, units and what they mean."""
    own, other = (common.plain(run.name) for run in (choice.run, choice.other or choice.run))

    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    return {
        "label": text("true", width=100, help="The class that the corpus names"),
        "predicted": text("predicted", width=100, help=f"What {own} hears, under the chosen rule"),
        "confidence": number(format="%.2f", help="Probability of the predicted class, 0 to 1"),
        "other_predicted": text(other, width=100, help=f"What {other} hears, under the chosen rule"),
        "other_confidence": number("its confidence", format="%.2f", help=f"Of {other}, 0 to 1"),
        "duration_s": number("duration (s)", format="%.1f"),
        "true_share": number(
            "segments right", format="percent", help="Of the clip's segments, those that name the true class"
        ),
        "decided_at": number(
            "surest at",
            format="percent",
            help="Where the most confident segment lies: its centre, as a share of the clip's duration",
        ),
        "segments": number(format="%d", help="How many segments the clip has"),
        "level_db": number("level (dB)", format="%.0f", help="Level of the most confident segment below full scale"),
        "silent_share": number(
            "silent", format="percent", help="Of the most confident segment, what is 25 dB below the clip's loudest"
        ),
        "utterance_id": text("clip"),
        "text": text(width="medium"),
        "note": text(width="medium"),
    }
