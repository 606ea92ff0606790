"""Settings and corpus options on a command line, beside a command's own: `--name value`, or `--group.name value`."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from segser_core.errors import SettingError


def parse_overrides(arguments: Sequence[str]) -> dict[str, str]:
    """Read values by name, `-` in a name as `_` but in the systems that `--alpha.SYSTEM` names.

    Raises:
        SettingError: not `--name value` throughout.
    """
    names, values = arguments[::2], arguments[1::2]
    if len(names) != len(values) or not all(name.startswith("--") for name in names):
        raise SettingError(f"settings come as --name value; got {' '.join(arguments)}")
    keys = [name[2:] if name.startswith("--alpha.") else name[2:].replace("-", "_") for name in names]
    return dict(zip(keys, values, strict=True))


def apply_overrides(values: dict[str, Any], overrides: Mapping[str, str]) -> None:
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


class LoaderWithNames(yaml.SafeLoader):
    """YAML loader that keeps the keys of mappings as they are written: 01 and no are names, and no number or truth."""

    def construct_mapping(self, node, deep=False):
        """Construct a mapping whose keys are text."""
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                key.tag = "tag:yaml.org,2002:str"
        return super().construct_mapping(node, deep)


def parse_value(text: str) -> Any:
    """Parse a value of the command line: YAML, with 1e-4 as the number that it is."""
    try:
        value = yaml.load(text, LoaderWithNames)  # a SafeLoader
        return float(value) if isinstance(value, str) else value
    except (ValueError, yaml.YAMLError):
        return text


def corpus_options(arguments: Sequence[str]) -> dict[str, Any]:
    """Read the options of a corpus's loader: `--corpus-options.excited out` → {"excited": "out"}.

    Raises:
        SettingError: anything else, or not `--name value` throughout.
    """
    values: dict[str, Any] = {"corpus_options": {}}
    apply_overrides(values, parse_overrides(arguments))
    options = values.pop("corpus_options")
    if values or not isinstance(options, dict):
        raise SettingError(f"got {' '.join(arguments)}; expected options of the corpus as --corpus-options.NAME VALUE")
    return options
