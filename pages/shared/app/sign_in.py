"""Sign-in: who may see the app, and no trace of a visit on disk or elsewhere."""

from pathlib import Path

import streamlit as st

from pages.shared.app.streamlit_internals import hide_machine_address, keep_uploads_in_memory, read_secrets


def keep_visits_private() -> None:
    """Keep uploads in memory, and ask nobody outside for this machine's address."""
    keep_uploads_in_memory()
    hide_machine_address()


def may_enter() -> bool:
    """Check whether a visitor may see the app.

    Returns:
        True for anyone where `secrets.toml` names no provider of identity, and for who has signed in where it does;
        False for everyone where that file cannot be read.
    """
    if read_secrets():
        return "auth" not in st.secrets or bool(st.user.get("is_logged_in"))
    return not any(Path(file).exists() for file in st.get_option("secrets.files"))


def ask_to_sign_in() -> None:
    """Show a button to sign in, and end the page."""
    st.title("segser")
    st.button("Sign in", icon=":material/login:", on_click=st.login)
    st.stop()
