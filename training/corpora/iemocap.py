"""IEMOCAP: the Interactive Emotional Dyadic Motion Capture Database (Busso et al. 2008), from its own folders.

A turn has a line in `Session{1-5}/dialog/EmoEvaluation/<dialogue>.txt`, with the lines of its single raters below it,
and its sound in `Session{1-5}/sentences/wav/<dialogue>/<turn>.wav`. Sub-folders of EmoEvaluation are not read.

The letter in `Ses01F_` names the actor who wore the markers. Who talks is the letter of the last field:
Ses01F_impro05_M019 is said by Ses01_M. Labels stay the corpus's own here, excited among them: the protocol
`iemocap-session` takes four classes and joins excited to happy.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from segser_core.errors import CorpusError, UnknownCorpusError
from segser_core.runs.corpus_info import CorpusInfo
from training.corpora.corpus import COLUMNS, Corpus, Counts, LeftOut, Lost, Misfit, check_folder, read_duration_s
from training.corpora.definition import CorpusDefinition, Protocol
from training.corpora.fold import Fold, leave_one_out

_EMOTIONS = {
    "neu": "neutral",
    "hap": "happy",
    "exc": "excited",
    "sad": "sad",
    "ang": "angry",
    "fru": "frustrated",
    "sur": "surprised",
    "fea": "fearful",
    "dis": "disgust",
}
_NO_LABEL = {"xxx": "its raters agreed on no label (xxx)", "oth": "its label is another emotion, unnamed (oth)"}
_WHY_UNLISTED = {True: "a hidden file", False: "no label line names it"}
_STYLES = {"impro": "improvised", "script": "scripted"}
_GENDERS = {"F": "female", "M": "male"}
IEMOCAP_COUNTS = {
    "neutral": 1708,
    "happy": 595,
    "excited": 1041,
    "sad": 1084,
    "angry": 1103,
    "frustrated": 1849,
    "surprised": 107,
    "fearful": 40,
    "disgust": 2,
}
IEMOCAP_LABELS = ("neutral", "happy", "sad", "angry")
_FIVE_LABELS = ("neutral", "sad", "angry", "happy", "excited")
IEMOCAP_BY_SESSION = {  # the counts of `_FIVE_LABELS`, and of both actors' turns, women first
    "1": ((384, 194, 229, 135, 143), (528, 557)),
    "2": ((362, 197, 137, 117, 210), (481, 542)),
    "3": ((320, 305, 240, 135, 151), (522, 629)),
    "4": ((258, 143, 327, 65, 238), (528, 503)),
    "5": ((384, 245, 170, 143, 299), (590, 651)),
}
_NOTES = (
    "Ten speakers in pairs that share dialogues and, where scripted, their words: fewer than ten for an interval.",
    "A label is what most of the raters chose; `agreement` is the share of them who named it.",
)
_LINE = re.compile(r"\[[\d.]+ - [\d.]+\]\t(\S+)\t(\w+)\t\[([\d.]+), ([\d.]+), ([\d.]+)\]")
_NAME = re.compile(r"(?P<dialogue>Ses0(?P<session>[1-5])[FM]_(?P<style>impro|script)\w+)_(?P<talker>[FM])\d+")
_TRANSCRIPT_LINE = re.compile(r"(\S+) \[[\d.]+-[\d.]+\]: ?(.*)")


@dataclass(frozen=True)
class IemocapTurn:
    """A label line of a dialogue's file, its number there, and the lines below it, each a rater's."""

    number: int
    line: str
    ratings: list[str] = field(default_factory=list)


def load_iemocap(root: Path, excited: str = "in") -> Corpus:
    """Load IEMOCAP from below `root`, the folder that holds Session1 to Session5.

    Args:
        root: the folder.
        excited: `in`, or `out` to leave out the turns of that label.

    Raises:
        UnknownCorpusError: another word for `excited`.
        CorpusError: no such folder, or no labelled turn with its sound in it.
    """
    if excited not in ("in", "out"):
        raise UnknownCorpusError(f"excited is {excited!r}; expected in or out")
    check_folder(root)
    rows: dict[object, dict[str, object]] = {}
    left_out = []
    for file in sorted(root.glob("Session[1-5]/dialog/EmoEvaluation/*.txt")):
        for turn in read_dialogue(file, root):
            if isinstance(turn, dict) and excited == "out" and turn["label"] == "excited":
                turn = LeftOut(str(turn["path"]), "excited, which is left out as asked")
            if isinstance(turn, dict) and turn["utterance_id"] in rows:
                turn = LeftOut(str(turn["path"]), "a second line for this turn; the first is used")
            if isinstance(turn, LeftOut):
                left_out.append(turn)
            else:
                rows[turn["utterance_id"]] = turn
    if not rows:
        raise CorpusError(
            f"{root} holds no turn with its label in Session1/dialog/EmoEvaluation/*.txt and its sound in "
            f"Session1/sentences/wav ({len(left_out)} left out); give the folder that holds Session1 to Session5"
        )
    manifest = pd.DataFrame(rows.values()).sort_values("utterance_id", ignore_index=True)
    left_out += unlisted_files(root, {*manifest["path"], *(f.path for f in left_out)})
    expected = {label: n for label, n in IEMOCAP_COUNTS.items() if excited == "in" or label != "excited"}
    return Corpus("iemocap", root, manifest, tuple(left_out), expected, _NOTES, expected_counts(excited))


def read_dialogue(file: Path, root: Path) -> Iterator[dict[str, object] | LeftOut]:
    """Read a dialogue's labels: a row of the manifest for each labelled turn, or why the turn has none."""
    if file.name.startswith("."):
        yield LeftOut(file.relative_to(root).as_posix(), "a hidden file")
        return
    sounds = file.parents[2] / "sentences" / "wav" / file.stem
    texts = read_transcript(file.parents[1] / "transcriptions" / file.name)
    for turn in read_iemocap_turns(file):
        path = file
        try:
            if not (match := _LINE.match(turn.line)):
                raise Misfit(f"line {turn.number} is not [start - end], turn, label, [valence, activation, dominance]")
            path = sounds / f"{match[1]}.wav"
            row = manifest_row(match, turn.ratings, path)
            yield row | {"path": path.relative_to(root).as_posix(), "text": texts.get(match[1], "")}
        except Misfit as error:
            yield LeftOut(path.relative_to(root).as_posix(), str(error), isinstance(error, Lost))


def manifest_row(match: re.Match[str], ratings: list[str], path: Path) -> dict[str, object]:
    """Make a row of the manifest, but for its text, from a label line, its raters' lines and its recording's path.

    Raises:
        Misfit: no label, or a name that is not of this dialogue.
        Lost: no sound.
    """
    name, label, *numbers = match.groups()
    parts = _NAME.fullmatch(name)
    if not parts or parts["dialogue"] != path.parent.name or f"Session{parts['session']}" != path.parents[3].name:
        raise Misfit(f"the turn {name} is none of the dialogue {path.parent.name} in {path.parents[3].name}")
    if label not in _EMOTIONS:
        raise Misfit(_NO_LABEL.get(label, f"label {label} does not exist here; known: {', '.join(_EMOTIONS)}"))
    if not path.is_file():
        raise Lost("there is no such file")
    known = {
        "utterance_id": name,
        "speaker": f"Ses0{parts['session']}_{parts['talker']}",
        "session": parts["session"],
        "gender": _GENDERS[parts["talker"]],
        "label": _EMOTIONS[label],
        "duration_s": read_duration_s(path),
        "style": _STYLES[parts["style"]],
        "agreement": rater_agreement(label, ratings),
        "dialogue": parts["dialogue"],
    }
    row = dict.fromkeys(COLUMNS, "") | known
    return row | dict(zip(("valence", "activation", "dominance"), map(float, numbers), strict=True))


def read_iemocap_turns(file: Path) -> Iterator[IemocapTurn]:
    """Read the lines of a file that begin with `[`, each with the lines up to the next one."""
    turn = None
    for number, line in enumerate(read_lines(file), start=1):
        if line.startswith("["):
            if turn:
                yield turn
            turn = IemocapTurn(number, line)
        elif turn:
            turn.ratings.append(line)
    if turn:
        yield turn


def rater_agreement(label: str, ratings: list[str]) -> float:
    """Compute the share of raters of the category (`C-E1:⇥Anger; Frustration;⇥()`) who name a label; NaN without any.

    A label is the first three letters of the raters' word. `C-F` and `C-M` lines are the actors' own.
    """
    words = [line.split("\t")[1].lower() for line in ratings if line.startswith("C-E") and "\t" in line]
    named = [any(word.strip().startswith(label) for word in rater.split(";")) for rater in words]
    return sum(named) / len(named) if named else float("nan")


def read_transcript(file: Path) -> dict[str, str]:
    """Read the words of each turn of a dialogue; none where there is no such file."""
    matches = (_TRANSCRIPT_LINE.match(line) for line in read_lines(file)) if file.is_file() else ()
    return {match[1]: match[2].strip() for match in matches if match}


def read_lines(file: Path) -> list[str]:
    """Read the lines of a text file; a byte that is not UTF-8 is replaced, since no label holds one."""
    return file.read_text(encoding="utf-8", errors="replace").splitlines()


def unlisted_files(root: Path, known: set[str]) -> list[LeftOut]:
    """List the files beside the recordings that no label line names."""
    files = sorted(p for p in root.glob("Session[1-5]/sentences/wav/*/*") if p.is_file())
    reasons = {p.relative_to(root).as_posix(): _WHY_UNLISTED[p.name.startswith(".")] for p in files}
    return [LeftOut(name, why) for name, why in reasons.items() if name not in known]


def expected_counts(excited: str) -> tuple[Counts, ...]:
    """Return the counts of the complete corpus by session and by speaker, of the five labels of the four classes."""
    cells: dict[tuple[str, ...], int] = {
        (session, label): n
        for session, (by_label, _) in IEMOCAP_BY_SESSION.items()
        for label, n in zip(_FIVE_LABELS, by_label, strict=True)
        if excited == "in" or label != "excited"
    }
    by_cell = Counts(("session", "label"), cells, _FIVE_LABELS)
    if excited == "out":
        return (by_cell,)
    speakers: dict[tuple[str, ...], int] = {
        (f"Ses0{session}_{letter}",): n
        for session, (_, by_actor) in IEMOCAP_BY_SESSION.items()
        for letter, n in zip("FM", by_actor, strict=True)
    }
    sessions: dict[tuple[str, ...], int] = {
        (session,): sum(by_label) for session, (by_label, _) in IEMOCAP_BY_SESSION.items()
    }
    return by_cell, Counts(("session",), sessions, _FIVE_LABELS), Counts(("speaker",), speakers, _FIVE_LABELS)


def session_folds(corpus: Corpus) -> list[Fold]:
    """Leave one session out, four classes: five folds.

    Excited joins happy, as in the work that the paper compares with; the next session validates (both ours: the paper
    names neither).
    """
    manifest = corpus.manifest.assign(label=corpus.manifest.label.replace("excited", "happy"))
    return leave_one_out(manifest[manifest.label.isin(IEMOCAP_LABELS)], IEMOCAP_LABELS, "session")


IEMOCAP = CorpusDefinition(
    name="iemocap",
    info=CorpusInfo("IEMOCAP"),
    load=load_iemocap,
    protocols=(Protocol(name="iemocap-session", divide=session_folds),),
    run_columns=("agreement",),
)
