"""A page's address: it says what is chosen there, grows by one step of history a run, and is followed back."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NoReturn, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

Name = TypeVar("Name", bound=str)
RUNS, FILTER = "run-page-", "mistakes-filter"
CHOSEN = {  # of each page, how the session's keys begin whose values its address has
    "timeline": ("model", "aggregate-", "context"),
    "compare": ("subject", "context", RUNS),
    "recall": (RUNS, "recall-"),
    "embeddings": (RUNS, "map-what", "map-method", "map-fold-", "map-colour-", "map-points"),
    "mistakes": (RUNS, "mistakes-sort", "open-clip"),
}
_TOLD: ContextVar[dict[str, str | None] | None] = ContextVar("told", default=None)


@contextmanager
def one_step() -> Iterator[None]:
    """Within, the address changes once, at the end of the run, so that Back undoes all of it.

    A run that is broken off changes nothing. Where Streamlit runs a page's file by itself, at the first visit of all to
    a server, each value is a step of its own.
    """
    told: dict[str, str | None] = {}
    before = _TOLD.set(told)
    try:
        yield
        _write(told)
    finally:
        _TOLD.reset(before)


def stop() -> NoReturn:
    """End the page here; the address has what was told so far."""
    _write(_TOLD.get() or {})
    st.stop()


def followed() -> bool:
    """Whether this run is a step back or forth in the browser: the address says what is to be shown."""
    run = get_script_run_ctx()
    return run is not None and run.is_history_navigation


def follow(page: str) -> None:
    """After a step back or forth, have what is chosen on a page come from its address, as if it were opened afresh.

    An address without a word is that of a page as the menu opens it: with the runs that were chosen before.
    """
    if followed():
        forget(*(key for key in CHOSEN.get(page, ()) if st.query_params or key != RUNS))


def forget(*beginnings: str) -> None:
    """Forget what was chosen, by how the session's keys begin."""
    for key in [key for key in st.session_state if str(key).startswith(beginnings)]:
        del st.session_state[key]


def asked(name: str) -> str:
    """What the address says of a name, empty where it says nothing; a bare + in an address reads as a space."""
    return st.query_params.get(name, "").replace(" ", "+")


def carry(values: Mapping[str, str | None]) -> None:
    """Have the address say these values by name; None: nothing of that name."""
    told = _TOLD.get()
    if told is None:
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
