"""The app's frame: shell, address, pickers, what leans on Streamlit's internals."""
