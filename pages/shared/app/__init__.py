"""The frame of the app: shell, address, sign-in, pickers, and all that leans on Streamlit's internals."""
