"""segser in the browser: `streamlit run app.py`."""

from pages.shared import address
from pages.shared.shell import shell

with address.one_step():
    shell().run()
