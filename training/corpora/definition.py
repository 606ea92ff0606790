"""Declaration of a corpus in its file: its loader, its protocols and the words about it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from segser_core.runs.corpus_info import CorpusInfo
from training.corpora.corpus import Corpus
from training.corpora.fetching.source import CorpusSource
from training.corpora.fold import Fold


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """A named division of a corpus into folds.

    Attributes:
        name: as settings and runs write it, `CORPUS-…`.
        divide: from the corpus to its folds.
        sizes: utterances of each split of the first fold of the complete corpus; empty where they are not known.
        speakers: of the complete corpus, where only their number is known and each makes a fold.
        style: the one that it uses, e.g. speech; all where it is empty.
        expected: utterances of each label of that style in the complete corpus.
        labels: the ones that it uses, as the corpus has them; all where it is empty.
    """

    name: str
    divide: Callable[[Corpus], list[Fold]]
    sizes: Mapping[str, int] | None = None
    speakers: int | None = None
    style: str = ""
    expected: Mapping[str, int] = field(default_factory=dict)
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CorpusDefinition:
    """A corpus as its file in `training/corpora` declares it; the package finds it there.

    Attributes:
        name: as settings, runs and the command line write it.
        info: what pages and tables say of it.
        load: from the corpus's folder to the corpus; further parameters, each with a default, are its options.
        protocols: its own; the first is the default.
        run_columns: columns of its manifest that a run keeps beside those of every corpus.
        source: where `segser corpora get` fetches it; None where it cannot be fetched by a command.
    """

    name: str
    info: CorpusInfo
    load: Callable[..., Corpus]
    protocols: tuple[Protocol, ...] = ()
    run_columns: tuple[str, ...] = ()
    source: CorpusSource | None = None

    @property
    def default_protocol(self) -> str | None:
        """The protocol that is meant where none is named; None where the corpus has none of its own."""
        return self.protocols[0].name if self.protocols else None
