"""Which runs a page shows, and under which rule of aggregation; the address carries it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import streamlit as st

from pages.shared.app.address import RUNS, carry
from pages.shared.text import common
from segser_core.errors import RunError
from segser_core.prediction.rules import Aggregate
from segser_core.runs import clip_table, reaggregate
from segser_core.runs.run import Run, Stamp, find_runs, read_run, runs_below, stamp_of
from segser_core.statistics import scores
from segser_core.statistics.scores import Comparison
from segser_core.systems import BASELINE, DEFAULT_SYSTEM

NONE = "none"
OWN = "own"
DEFAULTS = (DEFAULT_SYSTEM, BASELINE)  # the bundled pair, segments and triplets first
IN_ADDRESS = {"run": DEFAULTS[0], "other": NONE, "aggregate": OWN}
OTHER_FOLDER = "Folder with more runs"


@dataclass(frozen=True)
class Choice:
    """What is shown: a run, perhaps another one beside it, and the rule by which labels are found (None: its own)."""

    run: Run
    other: Run | None
    rule: Aggregate | None

    @property
    def both(self) -> tuple[Run, ...]:
        """The run, and the other one if there is one."""
        return (self.run,) if self.other is None else (self.run, self.other)


def choose(with_rule: bool = True) -> Choice | None:
    """The controls for run, other run and rule; None, with the reason shown, where the run cannot be read."""
    places = _places()
    with st.container(border=True):
        first, second, third = st.columns([4, 4, 4])
        with first:
            name = _named("run", "Run", list(places), DEFAULTS[0])
        with second:
            others = [NONE, *(place for place in places if place != name)]
            beside = _named("other", "Compared with", others, DEFAULTS[1] if name == DEFAULTS[0] else NONE)
        run, other = _read(places, name), _read(places, beside)
        if run is None:
            return None
        with third:
            rule = _choose_rule(run, other) if with_rule else None
        _more_runs()
    for each in (run, other):
        if each is not None and each.lacks:
            st.caption(common.plain(f"{each.name} has no {'; no '.join(each.lacks)}."))
    return Choice(run, other, rule)


def table_of(choice: Choice, explained: bool = True) -> pd.DataFrame:
    """The test clips of the chosen run beside the other one's, made once; see `clips.clip_table`."""
    return _table(key_of(choice.run), key_of(choice.other), choice.rule, explained, choice)


def predictions_of(run: Run, rule: Aggregate | None) -> pd.DataFrame:
    """A run's predictions under a rule, made once; its own rule where it is None."""
    return _predictions(key_of(run), rule or reaggregate.own_rule(run), run)


def compared(choice: Choice) -> Comparison:
    """The paired difference of the two chosen runs under the chosen rule, found once.

    Raises:
        RunError: nothing can be paired.
    """
    assert choice.other is not None
    return _compared(key_of(choice.run), key_of(choice.other), choice.rule, choice)


def swap() -> None:
    """Exchange the two chosen runs; for callbacks alone, since a control that is drawn is settled."""
    run, other = (f"{RUNS}{name}" for name in ("run", "other"))
    st.session_state[run], st.session_state[other] = st.session_state[other], st.session_state[run]


def chosen_names() -> dict[str, str]:
    """What is chosen now, by its name in the address."""
    return {name: st.session_state.get(f"{RUNS}{name}", default) for name, default in IN_ADDRESS.items()}


def _places() -> dict[str, Path]:
    """Name and folder of each run: those of a folder that was typed in, of `SEGSER_RUNS`, and the bundled ones."""
    typed = st.session_state.get("more-runs") or ""
    return dict(find_runs()) | (runs_below(Path(typed).expanduser()) if typed else {})


def _more_runs() -> None:
    with st.expander("More runs", icon=":material/folder_open:"):
        typed = st.text_input(
            OTHER_FOLDER,
            key="more-runs",
            persist_state="session",
            help="A folder on the computer that runs segser; every run below it can then be chosen. "
            "`SEGSER_RUNS` gives such folders from the start.",
        )
        if typed and not runs_below(Path(typed).expanduser()):
            st.error(common.plain(f"There is no run in {typed} or below: no folder there holds a run.json."))


def _read(places: dict[str, Path], name: str) -> Run | None:
    if name == NONE:
        return None
    try:
        return _run(str(places[name]), name, stamp_of(places[name]))
    except RunError as error:
        st.error(common.plain(f"{name}: {error}"), icon=":material/folder_off:")
        return None


def key_of(run: Run | None) -> tuple | None:
    """What tells a run from any other, and from what was read there before it was replaced; for caches."""
    return None if run is None else (str(run.path), run.name, run.stamp)


@st.cache_resource(max_entries=4, show_spinner="Reading the run …")
def _run(path: str, name: str, stamp: Stamp) -> Run:
    return read_run(path, name)


@st.cache_resource(max_entries=8, show_spinner="Reading the clips …")
def _table(run: tuple, other: tuple | None, rule: Aggregate | None, explained: bool, _choice: Choice) -> pd.DataFrame:
    return clip_table.clip_table(_choice.run, rule, _choice.other, explained)


@st.cache_resource(max_entries=8, show_spinner=False)
def _predictions(key: tuple, rule: Aggregate, _run: Run) -> pd.DataFrame:
    return reaggregate.under_rule(_run, rule)


@st.cache_resource(max_entries=16, show_spinner="Comparing the runs …")
def _compared(run: tuple, other: tuple, rule: Aggregate | None, _choice: Choice) -> Comparison:
    under = [replace(each, predictions=predictions_of(each, rule)) for each in _choice.both]
    return scores.compare_runs(*under)


def _choose_rule(run: Run, other: Run | None) -> Aggregate | None:
    """A rule that every shown run can be asked for; each run's own at first."""
    shared = [r for r in reaggregate.rules_of(run) if other is None or r in reaggregate.rules_of(other)]
    chosen = _named("aggregate", "Label from", [OWN, *shared], OWN, common.run_rule(run, other), help=common.RULE_HELP)
    return next((rule for rule in shared if rule == chosen), None)


def _named(
    name: str,
    label: str,
    options: list[str],
    default: str,
    format_func: Callable[[str], str] = str,
    help: str | None = None,
) -> str:
    """A choice by name that the address carries; a name that is not known is said to be so."""
    key, asked = f"{RUNS}{name}", st.query_params.get(name)
    if st.session_state.get(key) not in options:
        if asked is not None and _as_asked(asked, options) is None:
            st.warning(common.plain(f"The address asks for {asked} as “{label}”, which is not to be had here."))
        found = _as_asked(asked or "", options)
        st.session_state[key] = found or (default if default in options else options[0])
    value = st.selectbox(label, options, key=key, format_func=format_func, help=help, persist_state="session")
    carry({name: value})
    return value


def _as_asked(asked: str, options: list[str]) -> str | None:
    """The option that an address names; a bare + in an address reads as a space."""
    return next((o for o in options if o in (asked, asked.replace(" ", "+"))), None)
