"""Who may see the app, and what Streamlit would do by itself with uploads and addresses and does not do here."""

from pathlib import Path

import streamlit as st
from starlette.formparsers import MultiPartParser
from streamlit import config, net_util


def keep_private() -> None:
    """Keep uploads in memory, and ask nobody outside for this machine's address.

    Otherwise those above 1 MB would pass through a file, and each visit from a page of another
    origin would ask a server on the internet where we are.
    """
    MultiPartParser.spool_max_size = (config.get_option("server.maxUploadSize") + 1) * 2**20
    net_util.get_external_ip = net_util.get_internal_ip = lambda: None


def may_enter() -> bool:
    """Whether a visitor sees the app: anyone, or who has signed in where `secrets.toml` names a provider of identity.

    Where that file cannot be read, nobody.
    """
    if st.secrets.load_if_toml_exists():
        return "auth" not in st.secrets or bool(st.user.get("is_logged_in"))
    return not any(Path(file).exists() for file in config.get_option("secrets.files"))


def ask_to_sign_in() -> None:
    """All that is shown to those who have not."""
    st.title("segser")
    st.button("Sign in", icon=":material/login:", on_click=st.login)
    st.stop()
