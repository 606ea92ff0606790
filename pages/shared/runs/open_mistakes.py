"""The way from a number to the clips behind it, on the page Mistakes."""

from dataclasses import dataclass

import streamlit as st

from pages.shared.runs.filter_address import CONDITIONS, filter_link
from pages.shared.runs.run_picker import chosen_run_values, swap_runs
from segser_core.runs.clip_filter import ClipFilter

# keys of the session
OPEN_CLIP = "open-clip"  # utterance and seed of the clip that is open in Mistakes, or None
HANDED_FILTER = "filter"  # which another page hands over to Mistakes
CLICKED_FILTER = "to-open"  # which a callback leaves for the run that follows it


@dataclass(frozen=True)
class ClipSelection:
    """The clips behind a bar, a cell or a row.

    Attributes:
        clip_filter: which clips.
        of_other_run: whether they are the other run's, so that the two chosen runs change places.
    """

    clip_filter: ClipFilter
    of_other_run: bool = False


def open_mistakes(clip_filter: ClipFilter) -> None:
    """Go to the page Mistakes with a filter, and with no clip open.

    Streamlit writes the new address below the old page first, as a step of its own; with the old page's values in it,
    that step shows the old page as it was.
    """
    st.session_state[HANDED_FILTER] = clip_filter
    st.session_state[OPEN_CLIP] = None
    here = {name: value for name, value in st.query_params.items() if name not in (*CONDITIONS, "clip", "clip_seed")}
    st.switch_page("pages/mistakes.py", query_params=here | chosen_run_values() | filter_link(clip_filter))


def remember_selection(selection: ClipSelection) -> None:
    """Remember in a callback which clips were clicked: a callback itself cannot change the page."""
    if selection.of_other_run:
        swap_runs()
    st.session_state[CLICKED_FILTER] = selection.clip_filter


def open_remembered_selection() -> None:
    """Open the clips that a callback remembered, if any."""
    if clicked := st.session_state.pop(CLICKED_FILTER, None):
        open_mistakes(clicked)
