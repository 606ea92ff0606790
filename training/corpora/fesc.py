r"""FESC: the Finnish Emotional Speech Corpus (Airas & Alku 2006), nine actors, five emotions.

How its files are named could not be verified, so the loader must be given it, in one of two ways.

A pattern: a regular expression for a file's path below the folder, without its ending, with the named groups
`speaker` and `label` and, as known, `utterance_id`, `gender`, `session`, `text`, `style`. Codes for labels are named
in `labels`. Files M1/sadness_03.wav and F2/t_11.wav would take

    corpus_options:
      pattern: '(?P<speaker>(?P<gender>[MF])\d)/(?P<label>[a-z]+)_(?P<text>\d+)'
      labels: {t: tenderness}

A manifest: `manifest.csv` (or .tsv, .parquet) in the folder, as in `training.corpora.manifest`:

    path,label,speaker,gender
    M1/sadness_03.wav,sadness,M1,male
    F2/t_11.wav,tenderness,F2,female
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from segser_core.errors import CorpusError
from segser_core.runs.corpus_info import CorpusInfo
from training.corpora.corpus import Corpus, load_by_file_name
from training.corpora.definition import CorpusDefinition, Protocol
from training.corpora.fold import Fold, leave_one_out
from training.corpora.label_codes import read_label_codes
from training.corpora.manifest import MANIFEST_FILES, MANIFEST_RUN_COLUMNS, load_manifest
from training.corpora.pattern import PATTERN_EXAMPLE, PathParser, compile_pattern

FESC_LABELS = ("neutral", "happy", "sad", "angry", "tender")
_SPEAKERS = 9
_NOTES = ("Acted prose: a label is what the actor was asked to express.",)


def load_fesc(root: Path, pattern: str | None = None, labels: Mapping[str, str] | str | None = None) -> Corpus:
    r"""Load FESC from below `root`, by a pattern, or by its manifest where none is given.

    Args:
        root: the folder.
        pattern: a regular expression for a file's whole path below `root` without its ending.
        labels: what labels stand for, e.g. {"t": "tenderness"}.

    Raises:
        UnknownCorpusError: a pattern that is none or lacks a group.
        CorpusError: neither pattern nor manifest, or no file that fits.
    """
    if pattern is None:
        if not any((root / name).is_file() for name in MANIFEST_FILES):
            raise CorpusError(
                f"{root} holds no {MANIFEST_FILES[0]}, and no pattern says how FESC's files are named there; give one "
                f"for the path without its ending, e.g. --corpus-options.pattern '{PATTERN_EXAMPLE}', or write "
                "a manifest"
            )
        return check_labels(dataclasses.replace(load_manifest(root, labels), name="fesc", notes=_NOTES))
    parse = PathParser(compile_pattern(pattern), read_label_codes(labels), classes=FESC_LABELS)
    table, left_out = load_by_file_name(root, parse, with_folders=True)
    return Corpus("fesc", root, table, left_out, notes=_NOTES)


def check_labels(corpus: Corpus) -> Corpus:
    """Check that a corpus has FESC's labels alone, and return it.

    Raises:
        CorpusError: a label that is none of FESC's.
    """
    if unknown := sorted(set(corpus.manifest["label"]) - set(FESC_LABELS)):
        raise CorpusError(
            f"the manifest in {corpus.root} has the label {unknown[0]}; FESC has {', '.join(FESC_LABELS)}"
        )
    return corpus


def fesc_speaker_folds(corpus: Corpus) -> list[Fold]:
    """Leave one speaker out: nine folds. The next speaker validates (our choice of the one)."""
    return leave_one_out(corpus.manifest, FESC_LABELS)


FESC = CorpusDefinition(
    name="fesc",
    info=CorpusInfo("FESC"),
    load=load_fesc,
    protocols=(Protocol(name="fesc-speaker", divide=fesc_speaker_folds, speakers=_SPEAKERS),),
    run_columns=MANIFEST_RUN_COLUMNS,
)
