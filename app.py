"""segser in the browser: `streamlit run app.py`."""

from pages.shared.app import address
from pages.shared.app.shell import shell

with address.one_step():
    shell().run()
