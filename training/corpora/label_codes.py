"""What labels stand for: the option `labels` of loaders, and labels that no table has, named with their counts."""

import logging
from collections.abc import Iterable, Mapping

import pandas as pd

from segser_core.errors import UnknownCorpusError
from segser_core.formatting import one_line
from segser_core.labels import CORPUS_CODES, LABELS, is_valid_label, label_key, normalise_label

MOST_NAMED_LABELS = 12
LABELS_OPTION = "--corpus-options.labels '{Wut: angry}'"
_log = logging.getLogger(__name__)


def read_label_codes(labels: object) -> dict[str, str]:
    """Read the option `labels` of a loader: a mapping from spelling to label, or a corpus whose codes are meant.

    Args:
        labels: e.g. {"Wut": "angry"}, or "emodb"; None for no further spelling. A spelling that stands for nothing
            (None) is no label.

    Raises:
        UnknownCorpusError: it is neither, a label is none, or two spellings that are read alike differ in meaning.
    """
    if labels is None:
        return {}
    if isinstance(labels, str) and labels in CORPUS_CODES:
        return CORPUS_CODES[labels]
    if not isinstance(labels, Mapping):
        raise UnknownCorpusError(
            f"labels is {one_line(labels)!r}; expected what spellings stand for, e.g. {LABELS_OPTION}, or the corpus "
            f"whose codes are meant: {', '.join(CORPUS_CODES)}"
        )
    codes = {str(code).strip(): "" if label is None else str(label).strip() for code, label in labels.items()}
    if wrong := [label for label in codes.values() if label and not is_valid_label(label)]:
        raise UnknownCorpusError(f"labels has {one_line(wrong[0])!r}; expected names of 1 to 40 letters, no < or >")
    by_key: dict[str, str] = {}
    for code, label in codes.items():
        if by_key.setdefault(label_key(code), label) != label:
            raise UnknownCorpusError(f"labels has {code} twice, as {by_key[label_key(code)]} and as {label}; keep one")
    return codes


def read_labels(column: pd.Series, codes: Mapping[str, str]) -> pd.Series:
    """Spell a column of labels as the project does, and say in a warning what was read as what.

    Args:
        column: (N,) labels as the corpus writes them.
        codes: what further spellings stand for.

    Returns:
        (N,) labels in the project's spelling, others in small letters, empty where there is none.
    """
    by_spelling = {spelling: normalise_label(spelling, codes) for spelling in column.unique()}
    labels = unify_own_labels(column.map(by_spelling))
    spellings: dict[str, list[str]] = {}
    for spelling, label in dict(zip(column, labels, strict=True)).items():
        spellings.setdefault(label, []).append(spelling)
    said = [
        f"{', '.join(map(one_line, sorted(written)))} as {one_line(label)}"
        for label, written in sorted(spellings.items())
        if label and (len(written) > 1 or label_key(written[0]) != label_key(label))
    ]
    if said:
        _log.warning("labels are read so: %s", "; ".join(said))
    if unused := [] if codes in CORPUS_CODES.values() else unused_codes(codes, column):
        _log.warning("no label is spelled %s, which `labels` names", ", ".join(map(one_line, unused)))
    return labels


def unused_codes(codes: Iterable[str], column: pd.Series) -> list[str]:
    """List the codes as which no label of a column is read."""
    present = {label_key(label) for label in column.unique()}
    return [code for code in codes if label_key(code) not in present]


def unify_own_labels(labels: pd.Series) -> pd.Series:
    """Give labels that differ in accents, blanks, _ and - alone the spelling that is the most frequent."""
    frequent: dict[str, str] = {}
    for label in labels.value_counts().sort_index().sort_values(ascending=False, kind="stable").index:
        frequent.setdefault(label_key(label), label)
    return labels.map(lambda label: frequent[label_key(label)])


def own_labels(labels: Iterable[str]) -> list[str]:
    """List the labels that are none of the project's, in order."""
    return sorted({label for label in labels if label} - set(LABELS))


def count_labels(labels: pd.Series) -> str:
    """Name labels with their counts, the most frequent first.

    Example:
        >>> count_labels(pd.Series(["wut", "freude", "wut"]))
        'wut 2, freude 1'
    """
    counts = labels.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    named = [f"{one_line(label)} {n}" for label, n in counts.items()]
    more = [f"{len(named) - MOST_NAMED_LABELS} more labels"] if len(named) > MOST_NAMED_LABELS else []
    return ", ".join([*named[:MOST_NAMED_LABELS], *more])


def warn_of_own_labels(labels: pd.Series) -> None:
    """Name labels that are in no table, with their counts: each is a class of its own."""
    if own := own_labels(labels):
        _log.warning(
            "labels that segser's table does not know are classes of their own: %s; say what they stand for with %s",
            count_labels(labels[labels.isin(own)]),
            LABELS_OPTION,
        )
