"""Preload plotly.js in the browser while the server reads runs."""

from collections.abc import Iterator
from contextlib import contextmanager

import plotly.graph_objects as go
import streamlit as st

from pages.shared.app.streamlit_internals import HIDDEN_PRELOAD_CSS

PRELOADED = "charts-fetched"


@contextmanager
def preload_plotly() -> Iterator[None]:
    """Have a session's first page fetch plotly.js while the block runs: it takes a browser a second."""
    slot = st.empty()  # always: what stands below keeps its place from run to run
    if st.session_state.get(PRELOADED):
        yield
        return
    with slot.container(key="chart-ahead"):
        st.html(HIDDEN_PRELOAD_CSS)
        st.plotly_chart(go.Figure(layout={"height": 10}), width=10)
    yield
    slot.empty()
    st.session_state[PRELOADED] = True
