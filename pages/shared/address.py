"""A page's address: it says what is chosen there, grows by one step of history a run, and is followed back."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import StopException, get_script_run_ctx

Name = TypeVar("Name", bound=str)
CHOSEN = (  # how the session's keys begin of which an address speaks
    *("model", "aggregate-", "context", "subject", "run-page-", "mistakes-", "open-clip", "recall-"),
    *("map-what", "map-method", "map-fold-", "map-colour-", "map-points", "map-picked", "map-clip", "map-plays"),
)
_TOLD: ContextVar[dict[str, str | None] | None] = ContextVar("told", default=None)


@contextmanager
def one_step() -> Iterator[None]:
    """Within, the address changes once, at the end: Back then undoes all of it. Not where the run is broken off."""
    told: dict[str, str | None] = {}
    before = _TOLD.set(told)
    try:
        try:
            yield
        except StopException:
            _write(told)
            raise
        _write(told)
    finally:
        _TOLD.reset(before)


def follow() -> None:
    """After a step back or forth in the browser: what the address says is chosen, as if it had been opened afresh."""
    run = get_script_run_ctx()
    if run is not None and run.is_history_navigation and st.query_params:
        forget()


def forget() -> None:
    """Forget what was chosen on all pages, so that an address alone says it."""
    for key in [key for key in st.session_state if str(key).startswith(CHOSEN)]:
        del st.session_state[key]


def asked(name: str) -> str:
    """What the address says of a name, empty where it says nothing; a bare + in an address reads as a space."""
    return st.query_params.get(name, "").replace(" ", "+")


def carry(values: Mapping[str, str | None]) -> None:
    """Have the address say these values by name; None: nothing of that name."""
    told = _TOLD.get()
    if told is None:  # a fragment runs alone
        _write(values)
    else:
        told.update(values)


def in_address(
    name: str, key: str, options: list[Name], default: Name, control: Callable[[list[Name], str], Name]
) -> Name:
    """A control's value, taken from the address at first and written back to it where it is not the default."""
    if st.session_state.get(key) not in options:
        st.session_state[key] = asked(name) if asked(name) in options else default
    value = control(options, key)
    carry({name: None if value == default else value})
    return value


def _write(values: Mapping[str, str | None]) -> None:
    now = st.query_params.to_dict()
    wanted = {name: value for name, value in (now | values).items() if value is not None}
    if wanted != now:
        st.query_params.from_dict(wanted)
