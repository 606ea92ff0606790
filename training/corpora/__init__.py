"""Corpora by name: a file of this package that makes a `CorpusDefinition` declares one."""

import inspect
import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from segser_core.errors import UnknownCorpusError
from segser_core.runs.corpus_info import CorpusInfo
from training.corpora.corpus import COLUMNS, Corpus, Counts, LeftOut
from training.corpora.definition import CorpusDefinition, Protocol

__all__ = [
    "COLUMNS",
    "Corpus",
    "CorpusDefinition",
    "Counts",
    "LeftOut",
    "Protocol",
    "corpus_definitions",
    "corpus_title",
    "find_corpus_info",
    "find_definition",
    "load_corpus",
]


@cache
def corpus_definitions() -> dict[str, CorpusDefinition]:
    """Find the corpora of this package: their definitions by name, in order."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name != "__main__")
    values = (value for name in names for value in vars(import_module(f"{__name__}.{name}")).values())
    return {value.name: value for value in values if isinstance(value, CorpusDefinition)}


def corpus_title(name: str) -> str:
    """Return a corpus's name as people write it; a name that is not known stays as it is."""
    info = find_corpus_info(name)
    return info.title if info else name


def find_corpus_info(name: str) -> CorpusInfo | None:
    """Find the words about a corpus, or about several with + between their names; None where one is not known."""
    infos = [d.info if (d := corpus_definitions().get(part)) else None for part in name.split("+")]
    known = [info for info in infos if info]
    if len(known) < len(infos):
        return None
    if len(known) == 1:
        return known[0]
    heard = "; ".join(f"{info.title}: {info.training_data}" for info in known if info.training_data)
    counts = [info.sentences for info in known]
    sentences = None if None in counts else sum(filter(None, counts))
    return CorpusInfo(" + ".join(info.title for info in known), sentences, heard)


def find_definition(name: str) -> CorpusDefinition:
    """Find the definition of a corpus.

    Raises:
        UnknownCorpusError: no corpus has that name.
    """
    definitions = corpus_definitions()
    if name not in definitions:
        raise UnknownCorpusError(f"corpus {name!r} is unknown; choose one of {', '.join(definitions)}")
    return definitions[name]


def load_corpus(name: str, root: str | Path, options: Mapping[str, Any] | None = None) -> Corpus:
    """Load a corpus by its name from the folder that holds it.

    Args:
        name: one of `corpus_definitions()`.
        root: the folder.
        options: further arguments of the corpus's loader, e.g. {"excited": "out"} for IEMOCAP.

    Raises:
        UnknownCorpusError: no corpus has that name, or no such option.
        CorpusError: the folder holds nothing of it.
    """
    load = find_definition(name).load
    _, *known = inspect.signature(load).parameters
    if unknown := sorted(set(options or {}) - set(known)):
        raise UnknownCorpusError(
            f"the option {unknown[0]!r} is unknown for {name}; known: {', '.join(known) or 'none'}"
        )
    return load(Path(root), **(options or {}))
