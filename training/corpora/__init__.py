"""Corpora by name. A loader is one module of this package with `load(root: Path, **options) -> Corpus`, named as its
corpus; its further arguments, each with a default, are what the corpus needs to be told."""

import inspect
import pkgutil
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from segser_core.errors import CorpusError
from training.corpora.corpus import COLUMNS, Corpus, Counts, LeftOut

__all__ = ["COLUMNS", "Corpus", "Counts", "LeftOut", "corpora", "load_corpus"]
_HELPERS = {"corpus", "join", "__main__"}


def corpora() -> tuple[str, ...]:
    """The names that `load_corpus` knows."""
    return tuple(sorted({module.name for module in pkgutil.iter_modules(__path__)} - _HELPERS))


def load_corpus(name: str, root: str | Path, options: Mapping[str, Any] | None = None) -> Corpus:
    """A corpus by its name, from the folder that holds it.

    Args:
        name: one of `corpora()`.
        root: the folder.
        options: what the corpus's loader is told, e.g. {"excited": "out"} for IEMOCAP.

    Raises:
        CorpusError: no corpus has that name, or no such option, or the folder holds nothing of it.
    """
    if name not in corpora():
        raise CorpusError(f"corpus {name!r} is unknown; choose one of {', '.join(corpora())}")
    load = import_module(f"{__name__}.{name}").load
    _, *known = inspect.signature(load).parameters
    if strange := sorted(set(options or {}) - set(known)):
        raise CorpusError(f"the option {strange[0]!r} is unknown for {name}; known: {', '.join(known) or 'none'}")
    return load(Path(root), **(options or {}))
