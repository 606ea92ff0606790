"""The clips that a filter selects, as a table, and which of them is open; the address holds the open one."""

from functools import cache
from typing import Any

import pandas as pd
import streamlit as st

from pages.shared.app.address import bind_to_address, set_query_values
from pages.shared.app.pickers import dropdown
from pages.shared.runs.open_mistakes import OPEN_CLIP
from pages.shared.runs.run_choice import RunChoice
from pages.shared.text.common import escape_markdown
from segser_core.figures.style import contrasting_text_colour
from segser_core.labels import emotion_colour
from segser_core.runs.clip_filter import available_orders

MAX_ROWS = 500  # which a browser is sent; the files for download have them all
CLIP_TABLE_KEY, ORDER_KEY = "clip-rows", "mistakes-sort"
ORDER_TITLES = {
    "surest": "most confident first",
    "least-sure": "least confident first",
    "longest": "longest first",
    "shortest": "shortest first",
    "least-true": "fewest segments of the true class first",
    "late": "surest segment late in the clip first",
    "name": "by name",
}
EMOTION_COLUMNS = ("label", "predicted", "other_predicted")
DECIMALS = {"true_share": 2, "decided_at": 2, "silent_share": 2}  # whole percents
COLUMNS_BEFORE_RATERS = (
    *("label", "predicted", "confidence", "other_predicted", "other_confidence", "duration_s", "true_share"),
    *("decided_at", "segments", "level_db", "silent_share", "utterance_id"),
    *("corpus", "speaker", "session", "style", "gender"),
)
COLUMNS_AT_END = ("text", "note", "tags")
ClipKey = tuple[str, int]  # utterance, seed


def choose_order(table: pd.DataFrame) -> str:
    """Choose in which order the clips come, in the table and under Previous and Next."""
    options = list(available_orders(table))
    control = dropdown("Order", ORDER_TITLES.__getitem__)
    return bind_to_address("sort", key=ORDER_KEY, options=options, default=options[0], control=control)


def addressed_clip(run_seeds: tuple[int, ...]) -> ClipKey | None:
    """Return the clip that is open, at first the one that the address names, and have the address name it."""
    if OPEN_CLIP not in st.session_state:
        asked_seed, named = st.query_params.get("clip_seed", ""), st.query_params.get("clip")
        first_seed = int(asked_seed) if asked_seed.isdigit() else run_seeds[0]
        st.session_state[OPEN_CLIP] = (named, first_seed) if named else None
    opened = st.session_state[OPEN_CLIP]
    clip, seed = opened or (None, None)
    set_query_values({"clip": clip, "clip_seed": str(seed) if opened and len(run_seeds) > 1 else None})
    return opened


def show_clip_list(clips: pd.DataFrame, choice: RunChoice, opened: ClipKey | None) -> None:
    """Show the table; a click on a row opens its clip, another click closes it.

    Args:
        clips: of `clip_table.clip_table`, at most `MAX_ROWS` rows, with notes and levels as known.
        choice: whose clips.
        opened: the clip whose row is marked.
    """
    keys = clip_keys(clips)
    marked = [keys.index(opened)] if opened in keys else []
    st.session_state[CLIP_TABLE_KEY] = {"selection": {"rows": marked, "columns": []}}
    columns = shown_columns(clips)
    emotions = [name for name in EMOTION_COLUMNS if name in columns]
    st.dataframe(
        clips[columns].round(DECIMALS).style.map(_emotion_style, subset=emotions),
        key=CLIP_TABLE_KEY,
        hide_index=True,
        column_config=_column_config(choice),
        on_select=lambda: _open_chosen_row(keys),
        selection_mode="single-row",
        placeholder="–",
        alt="The clips; the boxes at the left open one, and so do the buttons below",
    )


def clip_keys(table: pd.DataFrame) -> list[ClipKey]:
    """List utterance and seed of each row."""
    return list(zip(table.utterance_id.tolist(), table.seed.tolist(), strict=True))


def shown_columns(table: pd.DataFrame) -> list[str]:
    """List the columns that say something, in order, and what raters agreed on where it is known."""
    raters = [name for name in table if "agreement" in str(name).lower()]
    numbers = [name for name in ("seed", "fold") if table[name].nunique() > 1]
    names = [*COLUMNS_BEFORE_RATERS, *raters, *numbers, *COLUMNS_AT_END]
    return [name for name in names if name in table and _says_something(table[name])]


def neighbour_clip(keys: list[ClipKey], opened: ClipKey | None, step: int) -> ClipKey | None:
    """Find the clip before or after the open one.

    Args:
        keys: of all clips, in order.
        opened: the open clip.
        step: 1 or −1.

    Returns:
        The clip; the first one where none of these is open; None past either end.
    """
    if opened not in keys:
        return keys[0] if keys and step > 0 else None
    index = keys.index(opened) + step
    return keys[index] if 0 <= index < len(keys) else None


def open_clip(key: ClipKey | None) -> None:
    """Open another clip, or none."""
    st.session_state[OPEN_CLIP] = key


def _says_something(column: pd.Series) -> bool:
    return bool((column.notna() & (column.astype(str) != "")).any())


def _open_chosen_row(keys: list[ClipKey]) -> None:
    rows = st.session_state[CLIP_TABLE_KEY].selection.rows
    open_clip(keys[rows[0]] if rows else None)


@cache
def _emotion_style(label: str | None) -> str:
    """Style an emotion's cell: its colour, and text that can be read on it."""
    if not isinstance(label, str):
        return ""
    return f"background-color: {emotion_colour(label)}; color: {contrasting_text_colour(emotion_colour(label))}"


def _column_config(choice: RunChoice) -> dict[str, Any]:
    """Configure headings and units of the columns, and explain them."""
    own, other = (escape_markdown(run.name) for run in (choice.run, choice.other or choice.run))
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
