r"""Any corpus by the names of its files: a regular expression for a file's path, or a preset that has one.

The pattern is for the whole path below the folder, without its ending, with the named groups `speaker` and `label` and,
as known, `utterance_id`, `gender`, `session`, `text`, `style`. Labels that segser's table does not know are named in
`labels`. Files M1/sadness_03.wav and F2/t_11.wav would take

    --corpus-options.pattern '(?P<speaker>(?P<gender>[MF])\d)/(?P<label>[a-z]+)_(?P<text>\d+)'
    --corpus-options.labels '{t: tenderness}'

Presets, for files in any folders:

    --corpus-options.preset cremad    1001_DFA_ANG_XX         CREMA-D
    --corpus-options.preset tess      OAF_back_ps             TESS, two speakers
    --corpus-options.preset savee     DC/sa01, DC_sa01        SAVEE, four speakers
"""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path

from segser_core.audio.formats import AUDIO_ENDINGS
from segser_core.errors import UnknownCorpusError
from segser_core.labels import CORPUS_CODES, LABELS, label_key, normalise_label
from segser_core.runs.corpus_info import CorpusInfo
from training.corpora.corpus import Corpus, Misfit, Utterance, load_by_file_name
from training.corpora.definition import CorpusDefinition
from training.corpora.label_codes import read_label_codes
from training.corpora.manifest import with_distinct_speakers

PATTERN_EXAMPLE = r"(?P<speaker>(?P<gender>[MF])\d)/(?P<label>[a-z]+)_(?P<text>\d+)"
_GENDERS = {"m": "male", "male": "male", "f": "female", "female": "female"}
_NEEDED = ("speaker", "label")
_GROUPS = tuple(f.name for f in dataclasses.fields(Utterance))
_ENDINGS = tuple(f".{ending}" for ending in AUDIO_ENDINGS)


@dataclasses.dataclass(frozen=True)
class Preset:
    """Names of the files of a corpus.

    Attributes:
        pattern: of their paths.
        codes: the labels of the group `label`.
        speakers: names of speakers that files write in another way.
        gender: of all speakers, where it is one.
    """

    pattern: str
    codes: Mapping[str, str]
    speakers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    gender: str = ""


PRESETS = {
    "cremad": Preset(
        r"(?:.*/)?(?P<utterance_id>(?P<speaker>\d{4})_(?P<text>[A-Z]{3})_(?P<label>[A-Z]{3})_(?P<style>[A-Z]{1,2}))",
        CORPUS_CODES["cremad"],
    ),
    # one file of TESS is called OA_bite_neutral
    "tess": Preset(
        r"(?:.*/)?(?P<utterance_id>(?P<speaker>OAF?|YAF?)_(?P<text>[a-z]+)_(?P<label>[a-z]+))",
        CORPUS_CODES["tess"],
        {"OA": "OAF", "YA": "YAF"},
        "female",
    ),
    "savee": Preset(
        r"(?:.*/)?(?P<utterance_id>(?P<speaker>DC|JE|JK|KL)[/_](?P<label>sa|su|[adfhn])(?P<text>\d{1,2}))",
        CORPUS_CODES["savee"],
        gender="male",
    ),
}


def load_pattern(
    root: Path,
    pattern: str | None = None,
    preset: str | None = None,
    labels: Mapping[str, str] | str | None = None,
    distinct_speakers: bool = False,
) -> Corpus:
    r"""Load the corpus in `root` by the names of its files.

    Args:
        root: the folder.
        pattern: a regular expression for a file's whole path below `root` without its ending.
        preset: one of `PRESETS`, in place of a pattern.
        labels: the label of each code of the group `label`, e.g. {"t": "tenderness"}, or a corpus whose codes they are.
        distinct_speakers: as in `load_manifest`.

    Raises:
        UnknownCorpusError: neither pattern nor preset or both, a pattern that is none or lacks a group, or an unknown
            preset.
        CorpusError: no file that fits.
    """
    chosen = choose_preset(pattern, preset)
    parse = PathParser(
        compile_pattern(chosen.pattern), {**chosen.codes, **read_label_codes(labels)}, chosen.speakers, chosen.gender
    )
    manifest, left_out = load_by_file_name(root, parse, with_folders=True, endings=_ENDINGS)
    return with_distinct_speakers(Corpus("pattern", root, manifest, left_out), distinct_speakers)


def choose_preset(pattern: str | None, preset: str | None) -> Preset:
    """Return the preset that is named, or one of the pattern that is given.

    Raises:
        UnknownCorpusError: neither, both, or no such preset.
    """
    names = ", ".join(PRESETS)
    if preset is None and pattern is not None:
        return PRESETS.get(str(pattern)) or Preset(pattern, {})
    if preset is None or pattern is not None:
        got = "both a pattern and a preset" if preset else "neither a pattern nor a preset"
        raise UnknownCorpusError(
            f"got {got}; expected one of them, e.g. --corpus-options.pattern '{PATTERN_EXAMPLE}' for the path without "
            f"its ending, or --corpus-options.preset {names.replace(', ', '|')}"
        )
    if preset not in PRESETS:
        raise UnknownCorpusError(f"the preset {preset!r} is unknown; choose one of {names}, or give a pattern")
    return PRESETS[preset]


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
    """Parses a path without its ending by a pattern.

    Attributes:
        pattern: of the whole path.
        codes: the label of each code.
        speakers: names of speakers that files write in another way.
        gender: of all speakers, where it is one.
        classes: the labels of the corpus; the project's, and those that codes stand for, where it is empty.
    """

    pattern: re.Pattern[str]
    codes: Mapping[str, str]
    speakers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    gender: str = ""
    classes: tuple[str, ...] = ()

    def __call__(self, name: str) -> Utterance:
        """Parse the path of a recording, without its ending.

        Raises:
            Misfit: the pattern does not fit, or the label is not known.
        """
        if not (match := self.pattern.fullmatch(name)):
            raise Misfit("its path does not fit the pattern")
        groups = dict.fromkeys(_GROUPS, "") | {k: v or "" for k, v in match.groupdict().items()}
        gender = groups["gender"] or self.gender
        return Utterance(
            **groups
            | {
                "utterance_id": groups["utterance_id"] or name,
                "label": self.label(groups["label"]),
                "gender": _GENDERS.get(gender.lower(), gender),
                "speaker": self.speakers.get(groups["speaker"], groups["speaker"]),
            }
        )

    def label(self, code: str) -> str:
        """Spell the label that a code stands for as the project does.

        Raises:
            Misfit: it stands for nothing that is known.
        """
        # "a" and "A" may be two codes of one corpus, and what a path says exactly goes first
        label = normalise_label(str(self.codes[code])) if code in self.codes else normalise_label(code, self.codes)
        own = () if self.classes else [normalise_label(meaning) for meaning in self.codes.values()]
        if label not in (self.classes or LABELS) and label not in own:
            known = f"none of {', '.join(self.classes)}" if self.classes else "in no table of spellings"
            raise Misfit(f"label {code} is {known}; say in `labels` what it stands for")
        if not label or not label_key(code):
            raise Misfit("it has no label")
        return label


PATTERN_CORPUS = CorpusDefinition(name="pattern", info=CorpusInfo("pattern"), load=load_pattern)
