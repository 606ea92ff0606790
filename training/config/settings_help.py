"""List the settings of a training with their defaults, for the help of a command."""

import json
from dataclasses import MISSING
from typing import Any

from pydantic.fields import FieldInfo

from training.config.kinds import group_at
from training.config.settings import Settings

HEADING = "Settings and defaults (--NAME VALUE, --GROUP.NAME VALUE)"
GENERAL, EACH_CORPUS = "general", "corpora, each"


def default_settings() -> dict[str, dict[str, Any]]:
    """List the defaults of the settings by group, in the order of config.yaml; those outside of a group first.

    Returns:
        By group its settings and their defaults; a setting without a default has `dataclasses.MISSING`. The group of
        a list (`corpora`) holds what each of its entries can have.
    """
    groups: dict[str, dict[str, Any]] = {GENERAL: {}}
    for name, field in fields_of(Settings).items():
        kind = group_at(Settings, [name])
        if kind is Settings:
            groups[GENERAL][name] = default_of(field)
        else:
            groups[EACH_CORPUS if name == "corpora" else name] = {
                inner: default_of(of) for inner, of in fields_of(kind).items()
            }
    return groups


def fields_of(kind: Any) -> dict[str, FieldInfo]:
    """List the fields of one of pydantic's dataclasses by name."""
    return kind.__pydantic_fields__


def default_of(field: FieldInfo) -> Any:
    """Return a field's default; `dataclasses.MISSING` where it has none."""
    return MISSING if field.is_required() else field.get_default(call_default_factory=True)


def describe_settings() -> list[tuple[str, str]]:
    """Write each group of settings as a line of names with defaults, as YAML would have them."""
    return [
        (group, ", ".join(_with_default(name, value) for name, value in settings.items()))
        for group, settings in default_settings().items()
    ]


def _with_default(name: str, value: Any) -> str:
    if value is MISSING:
        return name
    return f"{name}={value if isinstance(value, str) else json.dumps(value)}"
