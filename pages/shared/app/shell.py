"""The frame around every page: its title, its menu, and what is imported once for all."""

import pandas  # noqa: F401  (two first visits at once have met it half imported)
import streamlit as st

from pages.shared.app.address import restore_choices
from pages.shared.app.sign_in import ask_to_sign_in, keep_visits_private, may_enter
from pages.shared.app.streamlit_internals import CHART_CSS, StreamlitPage

MENU = {
    "timeline": ("Timeline", ":material/graphic_eq:"),
    "compare": ("Compare", ":material/compare_arrows:"),
    "recall": ("Recall", ":material/bar_chart:"),
    "embeddings": ("Embeddings", ":material/scatter_plot:"),
    "mistakes": ("Mistakes", ":material/search:"),
    "tour": ("Tour", ":material/school:"),
    "about": ("About", ":material/info:"),
}


# A picture of our own: Streamlit would fetch the material icons from elsewhere for a browser's tab.
TAB_ICON = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#2A8CAB" stroke-width="3"
stroke-linecap="round"><path d="M3 10v4M7.5 7v10M12 3v18M16.5 7v10M21 10v4"/></svg>"""


def set_up_page() -> StreamlitPage:
    """Set up the page and the menu, and return the page that the address asks for.

    Every page calls this first. On a fresh server Streamlit runs the file of a deep link by
    itself, without app.py, and would list the folder's files as its menu.
    """
    keep_visits_private()
    st.set_page_config(page_title="segser", page_icon=TAB_ICON, layout="wide")
    st.html(CHART_CSS)
    pages = [
        st.Page(f"pages/{stem}.py", title=title, icon=icon, url_path=stem, default=stem == "timeline")
        for stem, (title, icon) in MENU.items()
    ]
    if not may_enter():
        st.navigation(pages, position="hidden")
        ask_to_sign_in()
    page = st.navigation(pages, position="top")
    restore_choices(page.url_path or "timeline")
    return page
