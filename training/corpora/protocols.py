"""Protocols: from a corpus to folds of train, dev and test that share no speaker.

A protocol is a function from corpus to folds, listed in `PROTOCOLS` under its name; `column:NAME` groups any corpus
by a column of its manifest. Whatever it does, each `Fold` refuses a speaker that stands in two splits.
"""

from collections.abc import Callable

import pandas as pd

from segser_core.errors import CorpusError
from segser_core.labels import LABELS
from training.corpora import Corpus
from training.corpora.fold import SPLITS, Fold, by_speaker, check_disjoint, check_sizes, leave_one_out

RAVDESS_PAPER_LABELS = ("neutral", "happy", "sad", "angry", "fearful", "disgust", "surprised")
RAVDESS_LABELS = ("neutral", "calm", *RAVDESS_PAPER_LABELS[1:])
EMODB_LABELS = ("neutral", "happy", "sad", "angry", "fearful", "disgust", "bored")
RAVDESS_PAPER_SIZES = {"train": 2036, "dev": 208, "test": 208}
EMOBOX_TEST_ACTORS = (
    ("01", "11", "20", "21"),
    ("04", "10", "12", "14"),
    ("08", "09", "19", "23"),
    ("03", "05", "07", "24"),
    ("02", "15", "16", "18"),
    ("06", "13", "17", "22"),
)
IEMOCAP_LABELS = ("neutral", "happy", "sad", "angry")
FESC_LABELS = ("neutral", "happy", "sad", "angry", "tender")
FESC_SPEAKERS = 9
COLUMN = "column:"
OWN_SPLIT = "column:split"
DEFAULTS = {
    "ravdess": "ravdess-paper",
    "emodb": "emodb-speaker",
    "iemocap": "iemocap-session",
    "fesc": "fesc-speaker",
}


def folds(corpus: Corpus, protocol: str | None = None, *, partial: bool = False) -> list[Fold]:
    """The folds of a corpus under a protocol; the corpus's own default where none is named.

    Args:
        corpus: from `load_corpus`.
        protocol: a name of `PROTOCOLS`, or `column:NAME`.
        partial: take the corpus as it is; otherwise an incomplete one is refused, since its
            results stand beside nobody else's.

    Raises:
        CorpusError: no such protocol for this corpus, an incomplete corpus, an empty split, a training part
            without a class, or a shared speaker.
    """
    name = protocol or default_protocol(corpus)
    known = [p for p in PROTOCOLS if p.startswith(f"{corpus.name}-")]
    if name not in known and not name.startswith(COLUMN):
        raise CorpusError(
            f"protocol {name!r} is unknown for {corpus.name}; choose one of {', '.join([*known, COLUMN + 'NAME'])}"
        )
    if not partial:
        check_complete(corpus)
    if name.startswith(COLUMN):
        return by_column(corpus, name.removeprefix(COLUMN))
    divided = PROTOCOLS[name](corpus)
    if name == "ravdess-paper" and not partial:
        check_sizes(divided[0], RAVDESS_PAPER_SIZES)
    if name == "fesc-speaker" and not partial and len(divided) != FESC_SPEAKERS:
        raise CorpusError(
            f"fesc in {corpus.root} has {len(divided)} speakers; expected {FESC_SPEAKERS}; complete the corpus, "
            "or take it so: --partial"
        )
    return divided


def name_of(corpus: str, protocol: str | None) -> str:
    """What a run calls its protocol: the one that is named, else the corpus's own."""
    return protocol or DEFAULTS.get(corpus, OWN_SPLIT)


def default_protocol(corpus: Corpus) -> str:
    """The protocol that is meant where none is named: the corpus's own, or what its manifest's column `split` says.

    Raises:
        CorpusError: there is neither.
    """
    if corpus.name in DEFAULTS:
        return DEFAULTS[corpus.name]
    if "split" not in corpus.manifest:
        raise CorpusError(
            f"{corpus.name} has no protocol of its own and no column split; name one with --protocol {COLUMN}NAME, "
            f"e.g. {COLUMN}speaker to leave one speaker out at a time"
        )
    return OWN_SPLIT


def by_column(corpus: Corpus, column: str) -> list[Fold]:
    """A fold a group of a column, the next one (cyclic) validates; of the column `split`, the one fold that it says.

    Raises:
        CorpusError: no such column, words in `split` other than `SPLITS`, or as in `Fold` and `leave_one_out`.
    """
    if column not in corpus.manifest:
        raise CorpusError(f"{corpus.name} has no column {column!r}; it has {', '.join(corpus.manifest)}")
    found = set(corpus.manifest["label"])
    labels = (*(c for c in LABELS if c in found), *sorted(found - set(LABELS)))
    if column != "split":
        return leave_one_out(corpus.manifest.astype({column: str}), labels, column)
    if strange := sorted(set(corpus.manifest["split"]) - set(SPLITS)):
        raise CorpusError(f"the column split holds {strange[0]!r}; expected {', '.join(SPLITS)} alone")
    return [Fold(0, labels, corpus.manifest)]


def clips_of_split(
    corpus: Corpus, split: str, protocol: str | None = None, *, partial: bool = False, fold: int | None = None
) -> pd.DataFrame:
    """The clips of one split over all folds, each once, or of one fold.

    Where no protocol is named and the corpus has none of its own, its manifest's column `split` decides, which then
    need not hold every split.

    Raises:
        CorpusError: as in `folds`, no clip of that split, or one in that split of several folds.
    """
    if (protocol or default_protocol(corpus)) == OWN_SPLIT and "split" in corpus.manifest:
        check_disjoint(corpus.manifest)
        clips = corpus.manifest[corpus.manifest["split"] == split].reset_index(drop=True)
    else:
        divided = [f for f in folds(corpus, protocol, partial=partial) if fold in (None, f.index)]
        clips = pd.concat([f.split(split) for f in divided], ignore_index=True)
    if clips.empty:
        raise CorpusError(f"{corpus.name} in {corpus.root} has no clip of the split {split}; name another one")
    if clips["utterance_id"].duplicated().any():
        raise CorpusError(f"a clip of {corpus.name} is in the {split} split of several folds; ask for test")
    return clips


def check_complete(corpus: Corpus) -> None:
    """Every label as often as in the complete corpus, where that is known.

    Raises:
        CorpusError: a label is there more or less often.
    """
    got = corpus.manifest.label.value_counts().to_dict()
    differing = [f"{c} {got.get(c, 0)} of {n}" for c, n in corpus.expected.items() if got.get(c, 0) != n]
    if differing:
        raise CorpusError(
            f"{corpus.name} in {corpus.root} is not complete: {', '.join(differing)}; see what is left out with "
            f"`python -m training.corpora describe {corpus.name} --root {corpus.root}`, or take it so: --partial"
        )


def ravdess_paper(corpus: Corpus) -> list[Fold]:
    """The paper's (Pepino's) split: speech and song, calm joins neutral, actors 1–20, 21–22, 23–24."""
    manifest = corpus.manifest.assign(label=corpus.manifest.label.replace("calm", "neutral"))
    return [by_speaker(0, RAVDESS_PAPER_LABELS, manifest, {"21", "22"}, {"23", "24"})]


def ravdess_emobox(corpus: Corpus) -> list[Fold]:
    """EmoBox's six folds: speech only, eight classes. The next fold's test actors validate (our choice)."""
    speech = corpus.manifest[corpus.manifest["style"] == "speech"]
    groups = [set(g) for g in EMOBOX_TEST_ACTORS]
    return [by_speaker(i, RAVDESS_LABELS, speech, groups[(i + 1) % len(groups)], test) for i, test in enumerate(groups)]


def ravdess_nkululeko(corpus: Corpus) -> list[Fold]:
    """Nkululeko's split: speech only, eight classes, dev actors 16, 17, 19, 20 and test actors 21–24."""
    speech = corpus.manifest[corpus.manifest["style"] == "speech"]
    return [by_speaker(0, RAVDESS_LABELS, speech, {"16", "17", "19", "20"}, {"21", "22", "23", "24"})]


def emodb_speaker(corpus: Corpus) -> list[Fold]:
    """EMO-DB, leave one speaker out: ten folds."""
    return leave_one_out(corpus.manifest, EMODB_LABELS)


def iemocap_session(corpus: Corpus) -> list[Fold]:
    """IEMOCAP, four classes, leave one session out: five folds. Excited joins happy, as in the work that the paper
    compares with; the next session validates (both ours: the paper names neither)."""
    manifest = corpus.manifest.assign(label=corpus.manifest.label.replace("excited", "happy"))
    return leave_one_out(manifest[manifest.label.isin(IEMOCAP_LABELS)], IEMOCAP_LABELS, "session")


def fesc_speaker(corpus: Corpus) -> list[Fold]:
    """FESC, leave one speaker out: nine folds. The next speaker validates (our choice of the one)."""
    return leave_one_out(corpus.manifest, FESC_LABELS)


PROTOCOLS: dict[str, Callable[[Corpus], list[Fold]]] = {
    "ravdess-paper": ravdess_paper,
    "ravdess-emobox": ravdess_emobox,
    "ravdess-nkululeko": ravdess_nkululeko,
    "emodb-speaker": emodb_speaker,
    "iemocap-session": iemocap_session,
    "fesc-speaker": fesc_speaker,
}
