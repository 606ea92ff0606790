"""segser in the browser: `streamlit run app.py`."""

from pages.shared.shell import shell

shell().run()
