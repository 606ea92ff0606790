"""Which model, which rule and which context: controls that the address carries along."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from pages.shared.app.address import carry, in_address
from pages.shared.text import common
from segser_core.inference.models import ModelInfo
from segser_core.prediction.prediction import CONTEXTS, Context
from segser_core.prediction.rules import AGGREGATES, Aggregate
from segser_core.systems import DEFAULT_SYSTEM, system_of


def choose_model(models: Sequence[ModelInfo]) -> ModelInfo:
    """One of the bundled models, `seg+tri-w` unless the address says otherwise."""
    known = {info.name: info for info in models}
    default = DEFAULT_SYSTEM if DEFAULT_SYSTEM in known else next(iter(known))
    name = in_address("model", "model", list(known), default, segmented("Model", lambda n: common.system(known[n])))
    return known[name]


def choose_rule(system: str) -> Aggregate:
    """How the recording's label is found; a system's own rule comes first."""

    def control(options: list[Aggregate], key: str) -> Aggregate:
        return st.selectbox(
            "Label from",
            options,
            key=key,
            format_func=lambda rule: common.rule(rule, system),
            help=common.RULE_HELP,
            persist_state="session",
        )

    own = system_of(system).rule
    return in_address("aggregate", f"aggregate-{own}", [own, *(r for r in AGGREGATES if r != own)], own, control)


def choose_context() -> Context:
    """Whether a segment is heard as part of the recording, or alone."""
    control = segmented("Segments", common.CONTEXTS.get, help=common.CONTEXT_HELP)
    return in_address("context", "context", list(CONTEXTS), CONTEXTS[0], control)


def choose_subject() -> str:
    """What the page Compare compares: both models on a recording, or two runs, as a link to runs wants."""
    if "run" in st.query_params and "subject" not in st.session_state:
        st.session_state["subject"] = "runs"
    control = segmented("Compare", common.SUBJECTS.get)
    subject = in_address("subject", "subject", list(common.SUBJECTS), "recording", control)
    if subject == "recording":
        carry({"run": None, "other": None})
    return subject


def segmented(label: str, format_func: Callable, help: str | None = None) -> Callable[[list[Any], str], Any]:
    """A control of a few options side by side, for `in_address`."""
    return lambda options, key: st.segmented_control(
        label, options, key=key, format_func=format_func, help=help, required=True, persist_state="session"
    )
