"""A filter of clips as values of an address, and back."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_type_hints
from urllib.parse import quote, unquote

import numpy as np
from pydantic import ConfigDict, TypeAdapter, ValidationError

from segser_core.runs.clip_filter import WRONG, ClipFilter

MAX_LINKED_IDS = 100  # picked clips; a longer address breaks on its way
ANY_OUTCOME = "all"
CONDITIONS = tuple(field.name for field in fields(ClipFilter))
_ADAPTERS: dict[str, TypeAdapter] = {
    name: TypeAdapter(kind, config=ConfigDict(allow_inf_nan=False)) for name, kind in get_type_hints(ClipFilter).items()
}


def filter_to_address(clip_filter: ClipFilter) -> dict[str, str]:
    """Write the conditions of a filter as values of an address, by name; `ids` are quoted and joined by blanks."""
    return {name: _write(getattr(clip_filter, name)) for name in clip_filter.conditions}


def filter_from_address(address: Mapping[str, str]) -> ClipFilter:
    """Read a filter from the values of an address; what cannot be read there is passed over."""
    values = {name: _read(name, address[name]) for name in CONDITIONS if address.get(name)}
    return ClipFilter(**{name: value for name, value in values.items() if value is not None})


def filter_link(clip_filter: ClipFilter) -> dict[str, str]:
    """Write a filter for a link to the page Mistakes.

    As `filter_to_address`, without more than `MAX_LINKED_IDS` picked clips; no condition at all is `correct=all`, since
    an address without a word stands for the filter that the page opens with.
    """
    linked = clip_filter.without("ids") if len(clip_filter.ids) > MAX_LINKED_IDS else clip_filter
    return filter_to_address(linked) or {"correct": ANY_OUTCOME}


def _write(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(quote(one, safe="/:") for one in value)
    return str(value).lower() if isinstance(value, bool | np.bool_) else str(value)


def _read(name: str, text: str) -> Any:
    """Read the value of a condition; None where it makes no sense."""
    if name == "wrong" and text not in WRONG:
        return None
    value = tuple(unquote(one) for one in text.split()) if name == "ids" else text
    try:
        return _ADAPTERS[name].validate_python(value)
    except ValidationError:
        return None
