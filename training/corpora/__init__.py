"""Corpora by name. A loader is one module of this package with `load(root: Path) -> Corpus`, named as its corpus."""

import pkgutil
from importlib import import_module
from pathlib import Path

from segser_core.errors import CorpusError
from training.corpora.corpus import COLUMNS, Corpus, LeftOut

__all__ = ["COLUMNS", "Corpus", "LeftOut", "corpora", "load_corpus"]
_HELPERS = {"corpus", "join", "__main__"}


def corpora() -> tuple[str, ...]:
    """The names that `load_corpus` knows."""
    return tuple(sorted({module.name for module in pkgutil.iter_modules(__path__)} - _HELPERS))


def load_corpus(name: str, root: str | Path) -> Corpus:
    """A corpus by its name, from the folder that holds it.

    Raises:
        CorpusError: no corpus has that name, or the folder holds nothing of it.
    """
    if name not in corpora():
        raise CorpusError(f"corpus {name!r} is unknown; choose one of {', '.join(corpora())}")
    return import_module(f"{__name__}.{name}").load(Path(root))
