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
import re
from pathlib import Path
from typing import Any

from segser_core.errors import CorpusError, UnknownCorpusError
from segser_core.runs.corpus_info import CorpusInfo
from training.corpora.corpus import Corpus, Misfit, Utterance, load_by_file_name, normalise_label
from training.corpora.definition import CorpusDefinition, Protocol
from training.corpora.fold import Fold, leave_one_out
from training.corpora.manifest import MANIFEST_FILES, MANIFEST_RUN_COLUMNS, load_manifest

FESC_LABELS = ("neutral", "happy", "sad", "angry", "tender")
_SPEAKERS = 9
_GENDERS = {"m": "male", "male": "male", "f": "female", "female": "female"}
_NEEDED = ("speaker", "label")
_GROUPS = tuple(f.name for f in dataclasses.fields(Utterance))
PATTERN_EXAMPLE = r"(?P<speaker>(?P<gender>[MF])\d)/(?P<label>[a-z]+)_(?P<text>\d+)"
_NOTES = ("Acted prose: a label is what the actor was asked to express.",)


def load_fesc(root: Path, pattern: str | None = None, labels: dict[str, str] | None = None) -> Corpus:
    r"""Load FESC from below `root`, by a pattern, or by its manifest where none is given.

    Args:
        root: the folder.
        pattern: a regular expression for a file's whole path below `root` without its ending.
        labels: the label of each code of the group `label`, e.g. {"t": "tenderness"}.

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
        return check_labels(dataclasses.replace(load_manifest(root), name="fesc", notes=_NOTES))
    table, left_out = load_by_file_name(root, PathParser(compile_pattern(pattern), labels or {}), with_folders=True)
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


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Compile the regular expression of a file's path.

    Raises:
        UnknownCorpusError: it is none, lacks a group that is needed, or has one of another name.
    """
    try:
        expression = re.compile(pattern)
    except (re.error, TypeError) as error:
        raise UnknownCorpusError(f"the pattern {pattern!r} is no regular expression: {error}") from error
    groups = set(expression.groupindex)
    if (missing := set(_NEEDED) - groups) or (unknown := groups - set(_GROUPS)):
        wrong = f"lacks the group {min(missing)}" if missing else f"has the unknown group {min(unknown)}"
        raise UnknownCorpusError(
            f"the pattern {pattern!r} {wrong}; known are {', '.join(_GROUPS)}, as in {PATTERN_EXAMPLE}"
        )
    return expression


@dataclasses.dataclass(frozen=True)
class PathParser:
    """Parses a path without its ending by a pattern, with a label for each code."""

    pattern: re.Pattern[str]
    codes: dict[str, Any]

    def __call__(self, name: str) -> Utterance:
        """Parse the path of a recording, without its ending.

        Raises:
            Misfit: the pattern does not fit, or the label is none of FESC's.
        """
        if not (match := self.pattern.fullmatch(name)):
            raise Misfit("its path does not fit the pattern")
        groups = dict.fromkeys(_GROUPS, "") | {k: v or "" for k, v in match.groupdict().items()}
        label = normalise_label(str(self.codes.get(groups["label"], groups["label"])))
        if label not in FESC_LABELS:
            raise Misfit(
                f"label {groups['label']} is none of {', '.join(FESC_LABELS)}; say in `labels` what it stands for"
            )
        gender = _GENDERS.get(groups["gender"].lower(), groups["gender"])
        return Utterance(
            **(groups | {"utterance_id": groups["utterance_id"] or name, "label": label, "gender": gender})
        )


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
