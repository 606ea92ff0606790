"""What the browser can fetch while the server still reads runs."""

from collections.abc import Iterator
from contextlib import contextmanager

import plotly.graph_objects as go
import streamlit as st

HIDDEN = "<style>.st-key-chart-ahead { position: absolute; visibility: hidden; }</style>"
FETCHED = "charts-fetched"


@contextmanager
def charts_fetched() -> Iterator[None]:
    """Have what draws charts fetched while the block runs, on a session's first page: it takes a browser a second."""
    slot = st.empty()  # always: what stands below keeps its place from run to run
    if st.session_state.get(FETCHED):
        yield
        return
    with slot.container(key="chart-ahead"):
        st.html(HIDDEN)
        st.plotly_chart(go.Figure(layout={"height": 10}), width=10)
    yield
    slot.empty()
    st.session_state[FETCHED] = True
