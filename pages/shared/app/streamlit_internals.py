"""Hold every lean on what Streamlit, Starlette and plotly do not promise to keep.

Each was seen to work on Streamlit 1.67.0, Starlette 1.10.0 and plotly 7.1.0. After an update of one of these, run
`tests/pages/test_streamlit_internals.py` and the tests of privacy and of the browser, and look at the charts in the
dark theme. Nothing here is part of a public interface, so versions have an upper bound in the project's requirements.
"""

from collections.abc import Callable
from contextvars import copy_context

import streamlit as st
from starlette.formparsers import MultiPartParser
from streamlit import net_util
from streamlit.navigation.page import StreamlitPage
from streamlit.runtime.scriptrunner import get_script_run_ctx

__all__ = [
    "CHART_CSS",
    "HIDDEN_PRELOAD_CSS",
    "StreamlitPage",
    "draw_outside_cache",
    "hide_machine_address",
    "is_history_navigation",
    "keep_uploads_in_memory",
    "read_secrets",
]

# plotly 7: class names of the SVG that plotly.js draws; nothing in a figure says "the page's own colour of text".
# Charts are drawn for a white page, and saved so. Here the page's ground shows through, and axes, legends, values and
# rings take the page's own colour of text, as do text and intervals that lie on cells and bars of a run's charts.
CHART_CSS = """<style>
.js-plotly-plot .main-svg { background: transparent !important; }
.js-plotly-plot :is([class$="tick"], [class^="g-x"], [class^="g-y"]) text,
.js-plotly-plot :is(.legendtext, .bartext-outside, .annotation-text, .cbtitle text) { fill: currentColor !important; }
.js-plotly-plot .shapelayer path { stroke: currentColor !important; }
.js-plotly-plot .nsewdrag { cursor: pointer; }
[class*="st-key-figure-"]:not(.st-key-figure-outcomes) :is(.bartext-inside, .textpoint text) {
  fill: currentColor !important;
}
[class*="st-key-figure-"] .js-plotly-plot .errorbar path { stroke: currentColor !important; }
</style>"""

# Streamlit 1.67: a container's key becomes the class `st-key-KEY`; there is no hidden container.
HIDDEN_PRELOAD_CSS = "<style>.st-key-chart-ahead { position: absolute; visibility: hidden; }</style>"


def keep_uploads_in_memory() -> None:
    """Have Starlette hold every upload in memory: by default one above 1 MB passes through a temporary file.

    Starlette 1.10: the limit is the class attribute `MultiPartParser.spool_max_size`. Streamlit 1.67 makes the parser
    itself and passes no limit.
    """
    MultiPartParser.spool_max_size = (st.get_option("server.maxUploadSize") + 1) * 2**20


def hide_machine_address() -> None:
    """Keep Streamlit from looking up this machine's address.

    Streamlit 1.67: at each visit from a page of another origin, `net_util.get_external_ip` asks a server on the
    internet where we are. No setting turns that off.
    """
    net_util.get_external_ip = net_util.get_internal_ip = lambda: None


def is_history_navigation() -> bool:
    """Check whether a step back or forth in the browser started this run, so that the address says what to show.

    Streamlit 1.67: only the context of the script's run knows it.
    """
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def read_secrets() -> bool:
    """Read `secrets.toml`, and say whether there is one that can be read.

    Streamlit 1.67: `st.secrets` raises where there is no file; `load_if_toml_exists` is what Streamlit itself asks.
    """
    return st.secrets.load_if_toml_exists()


def draw_outside_cache(draw: Callable[..., object]) -> Callable[..., None]:
    """Make a function that draws from within a cached call, without the cache recording and replaying its elements.

    Streamlit 1.67: a cached function knows by a context variable that it runs, and records what is drawn meanwhile. In
    a context that was copied before the call that variable is not set.
    """
    outside = copy_context()

    def draw_outside(*arguments: object) -> None:
        outside.run(draw, *arguments)

    return draw_outside
