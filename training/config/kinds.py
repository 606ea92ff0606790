"""Kinds of values in settings, and the sentence about a value that is of another kind or out of its range."""

from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from typing import Annotated, Any, get_args, get_type_hints

from pydantic import BeforeValidator, ConfigDict, Field, Strict, ValidationError, WrapValidator
from pydantic_core import ErrorDetails

from segser_core.errors import SettingError

ONLY_KNOWN_NAMES = ConfigDict(extra="forbid")
_EXPECTED_BY_ERROR = {  # by pydantic's type of error
    "bool_type": "true or false",
    "dataclass_type": "settings by name",
    "dict_type": "values by name",
    "float_type": "a number",
    "greater_than": "above {gt:g}",
    "greater_than_equal": "{ge:g} or more",
    "int_type": "a whole number",
    "less_than": "below {lt:g}",
    "less_than_equal": "{le:g} or less",
    "list_type": "a list",
    "literal_error": "one of {expected}",
    "string_type": "text",
    "too_long": "{max_length} values",
    "too_short": "{min_length} or more of them",
    "tuple_type": "a pair of numbers",
}


def _as_given(value: Any, check: Any) -> Any:
    check(value)
    return value


def list_to_tuple(value: Any) -> Any:
    """Convert a list, as YAML has it, to a tuple; leave any other value as it is."""
    return tuple(value) if isinstance(value, list) else value


Flag = Annotated[bool, Strict()]
WholeNumber = Annotated[int, Strict()]
Number = Annotated[float, Strict(), WrapValidator(_as_given)]  # 20 stays 20, so that config.yaml repeats its source
Range = Annotated[tuple[Number, Number], BeforeValidator(list_to_tuple)]  # YAML knows no tuple
Share = Annotated[Number, Field(ge=0, le=1)]
ShareBelowOne = Annotated[Number, Field(ge=0, lt=1)]
Count = Annotated[WholeNumber, Field(ge=1)]
CountFromZero = Annotated[WholeNumber, Field(ge=0)]
Positive = Annotated[Number, Field(gt=0)]
PositiveRange = Annotated[tuple[Positive, Positive], BeforeValidator(list_to_tuple)]
NotNegative = Annotated[Number, Field(ge=0)]


def setting_error(error: ValidationError, settings: type) -> SettingError:
    """Say the first of pydantic's errors in one sentence: the setting, the value that was got, and the expected one.

    Args:
        error: from making `settings`.
        settings: the dataclass.
    """
    first = error.errors(include_url=False)[0]
    name = ".".join(map(str, first["loc"])) or "file"
    if first["type"] == "unexpected_keyword_argument":
        group = group_at(settings, first["loc"][:-1])
        known = ", ".join(sorted(field.name for field in fields(group)))
        return SettingError(f"the setting {name!r} is unknown; known are {known}")
    return SettingError(f"the setting {name} is {first['input']!r}; expected {expectation(first, settings)}")


def expectation(error: ErrorDetails, settings: type) -> str:
    """Describe the values that the setting of an error can have."""
    *groups, name = error["loc"] or [""]
    template = _EXPECTED_BY_ERROR.get(error["type"], error["msg"])
    text = template.format(**error.get("ctx", {})).replace("'", "")
    may_be_none = type(None) in get_args(get_type_hints(group_at(settings, groups)).get(str(name)))
    return f"{text}, or null" if may_be_none else text


def group_at(settings: Any, location: Iterable[object]) -> Any:
    """Follow the names of groups from a dataclass to the innermost dataclass."""
    for name in location:
        hint = get_type_hints(settings).get(str(name))
        settings = next((kind for kind in (hint, *get_args(hint)) if is_dataclass(kind)), settings)
    return settings
