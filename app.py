"""Start segser in the browser: `streamlit run app.py`."""

from pages.shared.app.address import single_history_entry
from pages.shared.app.shell import set_up_page

with single_history_entry():
    set_up_page().run()
