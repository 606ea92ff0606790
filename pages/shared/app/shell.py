"""The frame around every page: its name, its menu, and what is imported once for all."""

import pandas  # noqa: F401  (two first visits at once have met it half imported)
import streamlit as st
from streamlit.navigation.page import StreamlitPage

from pages.shared.app.address import follow
from pages.shared.app.sign_in import ask_to_sign_in, keep_private, may_enter

PAGES = {
    "timeline": ("Timeline", ":material/graphic_eq:"),
    "compare": ("Compare", ":material/compare_arrows:"),
    "recall": ("Recall", ":material/bar_chart:"),
    "embeddings": ("Embeddings", ":material/scatter_plot:"),
    "mistakes": ("Mistakes", ":material/search:"),
    "tour": ("Tour", ":material/school:"),
    "about": ("About", ":material/info:"),
}


# A picture of our own: Streamlit would fetch the material icons from elsewhere for a browser's tab.
ICON = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#2A8CAB" stroke-width="3"
stroke-linecap="round"><path d="M3 10v4M7.5 7v10M12 3v18M16.5 7v10M21 10v4"/></svg>"""
# Charts are drawn for a white page, and saved so. Here the page's ground shows through, and axes, legends, values and
# rings take the page's own colour of text, as do text and intervals that lie on cells and bars of a run's charts.
CHART_TEXT = """<style>
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


def shell() -> StreamlitPage:
    """Set the page up and say which one the address asks for.

    Every page calls this first. On a fresh server Streamlit runs the file of a deep link by
    itself, without app.py, and would list the folder's files as its menu.
    """
    keep_private()
    st.set_page_config(page_title="segser", page_icon=ICON, layout="wide")
    st.html(CHART_TEXT)
    pages = [
        st.Page(f"pages/{stem}.py", title=title, icon=icon, url_path=stem, default=stem == "timeline")
        for stem, (title, icon) in PAGES.items()
    ]
    if not may_enter():
        st.navigation(pages, position="hidden")
        ask_to_sign_in()
    page = st.navigation(pages, position="top")
    follow(page.url_path or "timeline")
    return page
