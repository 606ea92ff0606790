"""FESC: the Finnish Emotional Speech Corpus (Airas & Alku 2006), nine actors, five emotions.

How its files are named could not be verified, so the loader is told, in one of two ways.

A pattern: a regular expression for a file's path below the folder, without its ending, with the named groups
`speaker` and `label` and, as known, `utterance_id`, `gender`, `session`, `text`, `style`. Codes for labels are named
in `labels`. Files M1/sadness_03.wav and F2/t_11.wav would take

    corpus_options:
      pattern: '(?P<speaker>(?P<gender>[MF])\\d)/(?P<label>[a-z]+)_(?P<text>\\d+)'
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

from segser_core.errors import CorpusError
from training.corpora import manifest
from training.corpora.corpus import Corpus, Misfit, Utterance, load_named, spelled

LABELS = ("neutral", "happy", "sad", "angry", "tender")
GENDERS = {"m": "male", "male": "male", "f": "female", "female": "female"}
NEEDED = ("speaker", "label")
GROUPS = tuple(f.name for f in dataclasses.fields(Utterance))
EXAMPLE = r"(?P<speaker>(?P<gender>[MF])\d)/(?P<label>[a-z]+)_(?P<text>\d+)"
NOTES = ("Acted prose: a label is what the actor was asked to express.",)


def load(root: Path, pattern: str | None = None, labels: dict[str, str] | None = None) -> Corpus:
    r"""FESC below `root`, by a pattern, or by its manifest where none is given.

    Args:
        root: the folder.
        pattern: a regular expression for a file's whole path below `root` without its ending.
        labels: what the codes of the label group stand for, e.g. {"t": "tenderness"}.

    Raises:
        CorpusError: a pattern that is none or lacks a group, neither pattern nor manifest, or no file that fits.
    """
    if pattern is None:
        if not any((root / name).is_file() for name in manifest.FILES):
            raise CorpusError(
                f"{root} holds no {manifest.FILES[0]}, and no pattern says how FESC's files are named there; give one "
                f"for the path without its ending, e.g. --corpus-options.pattern '{EXAMPLE}', or write a manifest"
            )
        return of_five(dataclasses.replace(manifest.load(root), name="fesc", notes=NOTES))
    table, left_out = load_named(root, Reader(compiled(pattern), labels or {}), with_folders=True)
    return Corpus("fesc", root, table, left_out, notes=NOTES)


def of_five(corpus: Corpus) -> Corpus:
    """The same corpus.

    Raises:
        CorpusError: a label that is none of FESC's.
    """
    if strange := sorted(set(corpus.manifest["label"]) - set(LABELS)):
        raise CorpusError(f"the manifest in {corpus.root} has the label {strange[0]}; FESC has {', '.join(LABELS)}")
    return corpus


def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern as a regular expression.

    Raises:
        CorpusError: it is none, lacks a group that is needed, or has one of another name.
    """
    try:
        expression = re.compile(pattern)
    except (re.error, TypeError) as error:
        raise CorpusError(f"the pattern {pattern!r} is no regular expression: {error}") from error
    groups = set(expression.groupindex)
    if (missing := set(NEEDED) - groups) or (strange := groups - set(GROUPS)):
        wrong = f"lacks the group {min(missing)}" if missing else f"has the unknown group {min(strange)}"
        raise CorpusError(f"the pattern {pattern!r} {wrong}; known are {', '.join(GROUPS)}, as in {EXAMPLE}")
    return expression


@dataclasses.dataclass(frozen=True)
class Reader:
    """From a path without its ending to what a pattern and the codes of labels say of it."""

    pattern: re.Pattern[str]
    codes: dict[str, Any]

    def __call__(self, name: str) -> Utterance:
        """What a name says.

        Raises:
            Misfit: the pattern does not fit, or the label is none of FESC's.
        """
        if not (found := self.pattern.fullmatch(name)):
            raise Misfit("its path does not fit the pattern")
        said = dict.fromkeys(GROUPS, "") | {k: v or "" for k, v in found.groupdict().items()}
        label = spelled(str(self.codes.get(said["label"], said["label"])))
        if label not in LABELS:
            raise Misfit(f"label {said['label']} is none of {', '.join(LABELS)}; say in `labels` what it stands for")
        gender = GENDERS.get(said["gender"].lower(), said["gender"])
        return Utterance(**(said | {"utterance_id": said["utterance_id"] or name, "label": label, "gender": gender}))
