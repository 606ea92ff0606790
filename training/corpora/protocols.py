"""Folds of a corpus under a protocol: one of its own (see its file), or `column:NAME`, which any corpus has.

Whatever a protocol does, a speaker, a recording or a copy of one that stands in two splits is refused.
"""

from collections.abc import Mapping

import pandas as pd

from segser_core.errors import CorpusError, UnknownCorpusError
from segser_core.labels import LABELS
from training.corpora import Corpus, Protocol, corpus_definitions
from training.corpora.fold import SPLITS, Fold, check_disjoint, check_sizes, leave_one_out
from training.corpora.leaks import check_copies, identical_files

COLUMN = "column:"
SPLIT_COLUMN = "column:split"


def folds(corpus: Corpus, protocol: str | None = None, *, partial: bool = False) -> list[Fold]:
    """Divide a corpus under a protocol, its own default where none is named.

    Args:
        corpus: from `load_corpus`.
        protocol: one of the corpus's own, or `column:NAME`.
        partial: take the corpus as it is; otherwise an incomplete one is refused, since its
            results stand beside nobody else's.

    Raises:
        UnknownCorpusError: no such protocol for this corpus.
        CorpusError: an incomplete corpus, an empty split, a training part
            without a class, or a shared speaker or recording.
    """
    name = protocol or default_protocol(corpus)
    own = own_protocols(corpus.name)
    if name not in own and not name.startswith(COLUMN):
        raise UnknownCorpusError(
            f"protocol {name!r} is unknown for {corpus.name}; choose one of {', '.join([*own, COLUMN + 'NAME'])}"
        )
    if not partial:
        check_complete(corpus, own.get(name))
    copies = identical_files(corpus.root, corpus.manifest["path"])
    divided = by_column(corpus, name.removeprefix(COLUMN)) if name.startswith(COLUMN) else own[name].divide(corpus)
    for fold in divided:
        check_copies(fold.manifest, copies, fold.index)
    if name in own and not partial:
        check_protocol_sizes(own[name], corpus, divided)
    return divided


def own_protocols(corpus: str) -> dict[str, Protocol]:
    """Return the protocols of a corpus by name; none where no corpus has that name."""
    definition = corpus_definitions().get(corpus)
    return {protocol.name: protocol for protocol in definition.protocols} if definition else {}


def protocol_name(corpus: str, protocol: str | None) -> str:
    """Name the protocol that a run records: the one that is asked for, else the corpus's default."""
    return protocol or next(iter(own_protocols(corpus)), SPLIT_COLUMN)


def default_protocol(corpus: Corpus) -> str:
    """Name the protocol that is meant where none is: the corpus's own, or its manifest's column `split`.

    Raises:
        CorpusError: there is neither.
    """
    name = protocol_name(corpus.name, None)
    if name == SPLIT_COLUMN and "split" not in corpus.manifest:
        raise CorpusError(
            f"{corpus.name} has no protocol of its own and no column split; name one with --protocol {COLUMN}NAME, "
            f"e.g. {COLUMN}speaker to leave one speaker out at a time"
        )
    return name


def by_column(corpus: Corpus, column: str) -> list[Fold]:
    """Make a fold of each group in a column, the next one (cyclic) validating; `split` makes the one that it says.

    Raises:
        UnknownCorpusError: no such column.
        CorpusError: words in `split` other than `SPLITS`, or as in `Fold` and `leave_one_out`.
    """
    if column not in corpus.manifest:
        raise UnknownCorpusError(f"{corpus.name} has no column {column!r}; it has {', '.join(corpus.manifest)}")
    present = set(corpus.manifest["label"])
    labels = (*(c for c in LABELS if c in present), *sorted(present - set(LABELS)))
    if column != "split":
        return leave_one_out(corpus.manifest.astype({column: str}), labels, column)
    if unknown := sorted(set(corpus.manifest["split"]) - set(SPLITS)):
        raise CorpusError(f"the column split holds {unknown[0]!r}; expected {', '.join(SPLITS)} alone")
    return [Fold(0, labels, corpus.manifest)]


def clips_of_split(
    corpus: Corpus, split: str, protocol: str | None = None, *, partial: bool = False, fold: int | None = None
) -> pd.DataFrame:
    """Select the clips of one split over all folds, each once, or of one fold.

    Where no protocol is named and the corpus has none of its own, its manifest's column `split` decides, which then
    need not hold every split.

    Raises:
        CorpusError: as in `folds`, no clip of that split, or one in that split of several folds.
    """
    if (protocol or default_protocol(corpus)) == SPLIT_COLUMN and "split" in corpus.manifest:
        check_disjoint(corpus.manifest)
        check_copies(corpus.manifest, identical_files(corpus.root, corpus.manifest["path"]))
        clips = corpus.manifest[corpus.manifest["split"] == split].reset_index(drop=True)
    else:
        divided = [f for f in folds(corpus, protocol, partial=partial) if fold in (None, f.index)]
        clips = pd.concat([f.split(split) for f in divided], ignore_index=True)
    if clips.empty:
        raise CorpusError(f"{corpus.name} in {corpus.root} has no clip of the split {split}; name another one")
    if clips["utterance_id"].duplicated().any():
        raise CorpusError(f"a clip of {corpus.name} is in the {split} split of several folds; ask for test")
    return clips


def check_complete(corpus: Corpus, protocol: Protocol | None = None) -> None:
    """Check that every label is as frequent as in the complete corpus, where that is known.

    Args:
        corpus: as it is on disk.
        protocol: one that uses a part of the corpus asks for that part alone.

    Raises:
        CorpusError: a label is there more or less often.
    """
    if not (differing := missing_counts(corpus, protocol)):
        return
    others = [p.name for p in own_protocols(corpus.name).values() if not missing_counts(corpus, p)]
    enough = f"; it is for {' and '.join(others)}" if others else ""
    raise CorpusError(
        f"{corpus.name} in {corpus.root} is not complete: {', '.join(differing)}{enough}; see what is left out with "
        f"`python -m training.corpora describe {corpus.name} --root {corpus.root}`, or take it so: --partial"
    )


def missing_counts(corpus: Corpus, protocol: Protocol | None = None) -> list[str]:
    """List the labels that are there more or less often than in the complete corpus, as far as a protocol uses them."""
    manifest = corpus.manifest
    expected: Mapping[str, int] = corpus.expected
    if protocol and protocol.style and expected:
        manifest, expected = manifest[manifest["style"] == protocol.style], protocol.expected
    if protocol and protocol.labels:
        expected = {label: n for label, n in expected.items() if label in protocol.labels}
    counts = manifest["label"].value_counts().to_dict()
    return [f"{label} {counts.get(label, 0)} of {n}" for label, n in expected.items() if counts.get(label, 0) != n]


def check_protocol_sizes(protocol: Protocol, corpus: Corpus, divided: list[Fold]) -> None:
    """Check that folds are as large and as many as a protocol makes of the complete corpus, where that is known.

    Raises:
        CorpusError: they are not.
    """
    if protocol.sizes:
        check_sizes(divided[0], protocol.sizes)
    if protocol.speakers and len(divided) != protocol.speakers:
        raise CorpusError(
            f"{corpus.name} in {corpus.root} has {len(divided)} speakers; expected {protocol.speakers}; complete the "
            "corpus, or take it so: --partial"
        )
