"""Controls for the runs that a page shows and the rule of aggregation; the address holds them."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from pages.shared.app.address import RUN_KEYS, set_query_values
from pages.shared.runs.run_choice import RunChoice
from pages.shared.text import common
from segser_core.errors import RunError
from segser_core.prediction.rules import Aggregate
from segser_core.runs.reaggregate import available_rules
from segser_core.runs.run import Run, Stamp, find_runs, find_runs_below, folder_stamp, read_run
from segser_core.systems import BASELINE, DEFAULT_SYSTEM

NO_RUN = "none"
OWN_RULE = "own"
DEFAULT_RUNS = (DEFAULT_SYSTEM, BASELINE)  # the bundled pair, segments and triplets first
DEFAULT_VALUES = {"run": DEFAULT_RUNS[0], "other": NO_RUN, "aggregate": OWN_RULE}  # of the address
OTHER_FOLDER = "Folder with more runs"


def choose_runs(with_rule: bool = True) -> RunChoice | None:
    """Show the controls for run, other run and rule.

    Args:
        with_rule: whether the page asks for a rule.

    Returns:
        What is chosen; None, with the reason shown, where the run cannot be read.
    """
    folders = _run_folders()
    with st.container(border=True):
        first, second, third = st.columns([4, 4, 4])
        with first:
            name = _choose_name("run", label="Run", options=list(folders), default=DEFAULT_RUNS[0])
        with second:
            others = [NO_RUN, *(other for other in folders if other != name)]
            default = DEFAULT_RUNS[1] if name == DEFAULT_RUNS[0] else NO_RUN
            other_name = _choose_name("other", label="Compared with", options=others, default=default)
        run, other = _read_or_explain(folders, name), _read_or_explain(folders, other_name)
        if run is None:
            return None
        with third:
            rule = _choose_run_rule(run, other) if with_rule else None
        _ask_for_more_runs()
    choice = RunChoice(run=run, other=other, rule=rule)
    for each in choice.both:
        if each.missing_files:
            st.caption(common.escape_markdown(f"{each.name} has no {'; no '.join(each.missing_files)}."))
    return choice


def swap_runs() -> None:
    """Exchange the two chosen runs; for callbacks alone, since a control that is drawn is settled."""
    run, other = (f"{RUN_KEYS}{name}" for name in ("run", "other"))
    st.session_state[run], st.session_state[other] = st.session_state[other], st.session_state[run]


def chosen_run_values() -> dict[str, str]:
    """Return the names of the chosen runs and rule, as values of the address."""
    return {name: st.session_state.get(f"{RUN_KEYS}{name}", default) for name, default in DEFAULT_VALUES.items()}


def _run_folders() -> dict[str, Path]:
    """Find name and folder of each run: of a folder that was typed in, of `SEGSER_RUNS`, and the bundled ones."""
    typed = st.session_state.get("more-runs") or ""
    return dict(find_runs()) | (find_runs_below(Path(typed).expanduser()) if typed else {})


def _ask_for_more_runs() -> None:
    with st.expander("More runs", icon=":material/folder_open:"):
        typed = st.text_input(
            OTHER_FOLDER,
            key="more-runs",
            persist_state="session",
            help="A folder on the computer that runs segser; every run below it can then be chosen. "
            "`SEGSER_RUNS` gives such folders from the start.",
        )
        if typed and not find_runs_below(Path(typed).expanduser()):
            st.error(common.escape_markdown(f"There is no run in {typed} or below: no folder there holds a run.json."))


def _read_or_explain(folders: dict[str, Path], name: str) -> Run | None:
    if name == NO_RUN:
        return None
    try:
        return _read_cached(str(folders[name]), name, folder_stamp(folders[name]))
    except RunError as error:
        st.error(common.escape_markdown(f"{name}: {error}"), icon=":material/folder_off:")
        return None


@st.cache_resource(max_entries=4, show_spinner="Reading the run …")
def _read_cached(path: str, name: str, stamp: Stamp) -> Run:
    return read_run(path, name)


def _choose_run_rule(run: Run, other: Run | None) -> Aggregate | None:
    """Choose a rule that every shown run can be asked for; each run's own at first."""
    shared = [r for r in available_rules(run) if other is None or r in available_rules(other)]
    chosen = _choose_name(
        "aggregate",
        label="Label from",
        options=[OWN_RULE, *shared],
        default=OWN_RULE,
        format_func=common.run_rule_titles(run, other),
        help=common.RULE_HELP,
    )
    return next((rule for rule in shared if rule == chosen), None)


def _choose_name(
    name: str,
    *,
    label: str,
    options: list[str],
    default: str,
    format_func: Callable[[str], str] = str,
    help: str | None = None,
) -> str:
    """Choose an option that the address holds, and warn of one there that is not known."""
    key, asked = f"{RUN_KEYS}{name}", st.query_params.get(name)
    if st.session_state.get(key) not in options:
        if asked is not None and _find_option(asked, options) is None:
            warning = f"The address asks for {asked} as “{label}”, which is not to be had here."
            st.warning(common.escape_markdown(warning))
        found = _find_option(asked or "", options)
        st.session_state[key] = found or (default if default in options else options[0])
    value = st.selectbox(label, options, key=key, format_func=format_func, help=help, persist_state="session")
    set_query_values({name: value})
    return value


def _find_option(asked: str, options: list[str]) -> str | None:
    """Find the option that an address names; a bare + in an address reads as a space."""
    return next((o for o in options if o in (asked, asked.replace(" ", "+"))), None)
