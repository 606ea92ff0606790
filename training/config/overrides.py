"""What a command line says beyond a command's own options: `--name value`, or `--group.name value`."""

import argparse
from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Any, Literal, get_args, get_origin

import yaml

from segser_core.errors import SettingError


def pairs(rest: Sequence[str]) -> dict[str, str]:
    """Values by name, `-` in a name as `_` but in the systems that `--alpha.SYSTEM` names.

    Raises:
        SettingError: not `--name value` throughout.
    """
    names, values = rest[::2], rest[1::2]
    if len(names) != len(values) or not all(name.startswith("--") for name in names):
        raise SettingError(f"settings come as --name value; got {' '.join(rest)}")
    plain = [n[2:] if n.startswith("--alpha.") else n[2:].replace("-", "_") for n in names]
    return dict(zip(plain, values, strict=True))


def put_over(values: dict[str, Any], overrides: Mapping[str, str]) -> None:
    """Put values of the command line over those that are there; `a.b` is `b` in the group `a`.

    Raises:
        SettingError: `a` is no group.
    """
    for name, text in overrides.items():
        *groups, last = name.split(".")
        target = values
        for group in groups:
            if target.get(group) is None:
                target[group] = {}
            target = target[group]
            if not isinstance(target, dict):
                raise SettingError(f"the setting {name} is unknown: {group} is {target!r} and holds nothing")
        target[last] = parse_value(text)


def parse_value(text: str) -> Any:
    """A value of the command line: YAML, with 1e-4 read as the number that it is."""
    try:
        value = yaml.safe_load(text)
        return float(value) if isinstance(value, str) else value
    except (ValueError, yaml.YAMLError):
        return text


def corpus_options(rest: Sequence[str]) -> dict[str, Any]:
    """What a corpus's loader is told: `--corpus-options.excited out` → {"excited": "out"}.

    Raises:
        SettingError: anything else, or not `--name value` throughout.
    """
    values: dict[str, Any] = {"corpus_options": {}}
    put_over(values, pairs(rest))
    options = values.pop("corpus_options")
    if values or not isinstance(options, dict):
        raise SettingError(f"got {' '.join(rest)}; expected options of the corpus as --corpus-options.NAME VALUE")
    return options


def of_kind(value: Any, hint: Any) -> bool:
    """Whether a value is what a type hint says; a whole number is a float, too."""
    if isinstance(hint, UnionType):
        return any(of_kind(value, kind) for kind in get_args(hint))
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if get_origin(hint) is tuple:
        kinds = get_args(hint)
        return isinstance(value, tuple) and len(value) == len(kinds) and all(map(of_kind, value, kinds))
    kind = int | float if hint is float else get_origin(hint) or hint
    return isinstance(value, kind) and (hint is bool or not isinstance(value, bool))


def parse_args(parser: argparse.ArgumentParser, argv: list[str] | None) -> argparse.Namespace:
    """A command's own options, and those of the corpus as `corpus_options`; anything else is a wrong call."""
    asked, rest = parser.parse_known_args(argv)
    try:
        asked.corpus_options = corpus_options(rest)
    except SettingError as error:
        parser.error(str(error))
    return asked
