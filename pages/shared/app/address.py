"""A page's address: it holds the page's choices, has one history entry a run, and restores choices on Back."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NoReturn, TypeVar

import streamlit as st

from pages.shared.app.streamlit_internals import is_history_navigation

Name = TypeVar("Name", bound=str)
RUN_KEYS, FILTER_KEY = "run-page-", "mistakes-filter"
ADDRESS_KEYS = {  # by page: how the keys of the session begin whose values the page's address holds
    "timeline": ("model", "aggregate-", "context"),
    "compare": ("subject", "context", RUN_KEYS),
    "recall": (RUN_KEYS, "recall-"),
    "embeddings": (RUN_KEYS, "map-what", "map-method", "map-fold-", "map-colour-", "map-points"),
    "mistakes": (RUN_KEYS, "mistakes-sort", "open-clip"),
}
_PENDING: ContextVar[dict[str, str | None] | None] = ContextVar("pending", default=None)


@contextmanager
def single_history_entry() -> Iterator[None]:
    """Write the address once, at the end of the block, so that Back undoes the whole run.

    A run that is broken off changes nothing. Where Streamlit runs a page's file by itself, at the first visit of all to
    a server, each value is an entry of its own.
    """
    pending: dict[str, str | None] = {}
    before = _PENDING.set(pending)
    try:
        yield
        _write(pending)
    finally:
        _PENDING.reset(before)


def stop_page() -> NoReturn:
    """Write the pending values to the address, and end the page here."""
    _write(_PENDING.get() or {})
    st.stop()


def restore_choices(page: str) -> None:
    """Take a page's choices from its address after a step back or forth, as if the page were opened afresh.

    An address without a word is that of a page as the menu opens it: with the runs that were chosen before.

    Args:
        page: its name, as in `ADDRESS_KEYS`.
    """
    if is_history_navigation():
        forget_choices(*(key for key in ADDRESS_KEYS.get(page, ()) if st.query_params or key != RUN_KEYS))


def forget_choices(*prefixes: str) -> None:
    """Remove the values of the session whose keys begin with one of the prefixes."""
    for key in [key for key in st.session_state if str(key).startswith(prefixes)]:
        del st.session_state[key]


def query_value(name: str) -> str:
    """Read a value of the address, empty where it has none; a bare + in an address reads as a space."""
    return st.query_params.get(name, "").replace(" ", "+")


def set_query_values(values: Mapping[str, str | None]) -> None:
    """Set values of the address by name; None removes one."""
    pending = _PENDING.get()
    if pending is None:
        _write(values)
    else:
        pending.update(values)


def bind_to_address(
    name: str, *, key: str, options: list[Name], default: Name, control: Callable[[list[Name], str], Name]
) -> Name:
    """Show a control whose value comes from the address at first, and is in the address unless it is the default.

    Args:
        name: in the address.
        key: of the control in the session.
        options: what can be chosen.
        default: where the address names none of these.
        control: shows the options under the key, and returns the chosen one.

    Returns:
        The chosen option.
    """
    if st.session_state.get(key) not in options:
        st.session_state[key] = query_value(name) if query_value(name) in options else default
    value = control(options, key)
    set_query_values({name: None if value == default else value})
    return value


def _write(values: Mapping[str, str | None]) -> None:
    now = st.query_params.to_dict()
    wanted = {name: value for name, value in {**now, **values}.items() if value is not None}
    if wanted != now:
        st.query_params.from_dict(wanted)
