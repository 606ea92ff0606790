"""Controls for model, rule and context, whose values the address holds."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from pages.shared.app.address import bind_to_address, set_query_values
from pages.shared.text import common
from segser_core.inference.models import ModelInfo
from segser_core.prediction.prediction import CONTEXTS, Context
from segser_core.prediction.rules import AGGREGATES, Aggregate
from segser_core.systems import DEFAULT_MIN_SPEECH, DEFAULT_SYSTEM, find_system

MIN_SPEECH_SHARES = ["0", "0.1", "0.2", "0.3", "0.5", "0.7", "0.9"]  # as the address has them
Control = Callable[[list[Any], str], Any]  # options, key of the session → the chosen option


def choose_model(models: Sequence[ModelInfo]) -> ModelInfo:
    """Choose one of the bundled models: `seg+tri-w`, unless the address names another."""
    known = {info.name: info for info in models}
    name: str = bind_to_address(
        "model",
        key="model",
        options=list(known),
        default=DEFAULT_SYSTEM if DEFAULT_SYSTEM in known else next(iter(known)),
        control=segmented("Model", lambda n: common.system_title(known[n])),
    )
    return known[name]


def choose_rule(system: str) -> Aggregate:
    """Choose the rule of aggregation; a system's own rule comes first."""
    own = find_system(system).rule
    return bind_to_address(
        "aggregate",
        key=f"aggregate-{own}",
        options=[own, *(r for r in AGGREGATES if r != own)],
        default=own,
        control=dropdown("Label from", lambda rule: common.rule_title(rule, system), help=common.RULE_HELP),
    )


def choose_context() -> Context:
    """Choose whether the encoder is given the whole recording or each segment alone."""
    control = segmented("Segments", common.CONTEXT_NAMES.get, help=common.CONTEXT_HELP)
    return bind_to_address("context", key="context", options=list(CONTEXTS), default=CONTEXTS[0], control=control)


def choose_min_speech() -> float:
    """Choose the share of a segment that has to be speech; 0 keeps all segments."""
    control = dropdown(common.MIN_SPEECH, common.min_speech_title, help=common.MIN_SPEECH_HELP)
    return float(
        bind_to_address(
            "min_speech", key="min_speech", options=MIN_SPEECH_SHARES, default=str(DEFAULT_MIN_SPEECH), control=control
        )
    )


def choose_subject() -> str:
    """Choose what the page Compare compares: both models on a recording, or two runs, as a link to runs wants."""
    if "run" in st.query_params and "subject" not in st.session_state:
        st.session_state["subject"] = "runs"
    control = segmented("Compare", common.SUBJECTS.get)
    subject = bind_to_address(
        "subject", key="subject", options=list(common.SUBJECTS), default="recording", control=control
    )
    if subject == "recording":
        set_query_values({"run": None, "other": None})
    return subject


def segmented(label: str, format_func: Callable, help: str | None = None) -> Control:
    """Make a control of a few options side by side, for `bind_to_address`."""
    return lambda options, key: st.segmented_control(
        label, options, key=key, format_func=format_func, help=help, required=True, persist_state="session"
    )


def pills(label: str, format_func: Callable) -> Control:
    """Make a control of several options in a line that wraps, for `bind_to_address`."""
    return lambda options, key: st.pills(
        label, options, key=key, format_func=format_func, required=True, persist_state="session"
    )


def dropdown(label: str, format_func: Callable = str, help: str | None = None, width_px: int | None = None) -> Control:
    """Make a control that lists its options when it is opened, for `bind_to_address`."""
    return lambda options, key: st.selectbox(
        label,
        options,
        key=key,
        format_func=format_func,
        help=help,
        persist_state="session",
        width=width_px or "stretch",
    )
