"""EMO-DB: the Berlin Database of Emotional Speech (Burkhardt et al. 2005), German.

A name is `SSTTTEv`: speaker, text, emotion, version, e.g. 03a01Fa. 535 clips of ten actors.
Speaker 08 has no disgust.
"""

import re
from pathlib import Path

from segser_core.labels import CORPUS_CODES
from segser_core.runs.corpus_info import CorpusInfo
from training.corpora.corpus import Corpus, Counts, Misfit, Utterance, load_by_file_name
from training.corpora.definition import CorpusDefinition, Protocol
from training.corpora.fetching.audb_database import AudbDatabase
from training.corpora.fetching.source import CorpusSource, Publisher
from training.corpora.fold import Fold, fold_by_speaker, leave_one_out

_EMOTIONS = CORPUS_CODES["emodb"]
_GENDERS = dict.fromkeys(("03", "10", "11", "12", "15"), "male") | dict.fromkeys(
    ("08", "09", "13", "14", "16"), "female"
)
_TEXTS = {
    "a01": "Der Lappen liegt auf dem Eisschrank.",
    "a02": "Das will sie am Mittwoch abgeben.",
    "a04": "Heute abend könnte ich es ihm sagen.",
    "a05": "Das schwarze Stück Papier befindet sich da oben neben dem Holzstück.",
    "a07": "In sieben Stunden wird es soweit sein.",
    "b01": "Was sind denn das für Tüten, die da unter dem Tisch stehen?",
    "b02": "Sie haben es gerade hochgetragen und jetzt gehen sie wieder runter.",
    "b03": "An den Wochenenden bin ich jetzt immer nach Hause gefahren und habe Agnes besucht.",
    "b09": "Ich will das eben wegbringen und dann mit Karl was trinken gehen.",
    "b10": "Die wird auf dem Platz sein, wo wir sie immer hinlegen.",
}
_EXPECTED = {"neutral": 79, "happy": 71, "sad": 62, "angry": 127, "fearful": 69, "disgust": 46, "bored": 81}
EMODB_LABELS = ("neutral", "happy", "sad", "angry", "fearful", "disgust", "bored")
_BY_SPEAKER = Counts(
    ("speaker",), dict(zip(((s,) for s in sorted(_GENDERS)), (49, 58, 43, 38, 55, 35, 61, 69, 56, 71), strict=True))
)
_NOTES = (
    "Ten sentences in all: the same words are in train and test.",
    "Speaker 08 has no disgust: that fold's UAR is over six classes.",
    "Acted: a label is what the actor was asked to express.",
)
_DATABASE = AudbDatabase(
    name="emodb",
    publisher=Publisher(
        name="audEERING, audb database emodb 1.4.1",
        page="https://audeering.github.io/datasets/datasets/emodb.html",
        origins=(),  # audb asks the repository below
    ),
    clips=535,
    size_bytes=48_000_000,
    disk_bytes=200_000_000,
    database="emodb",
    version="1.4.1",  # 2.0.0 adds clips whose emotion listeners did not recognise
    repository=("audb-public", "s3.dualstack.eu-north-1.amazonaws.com", "s3"),
    folder="wav",
    extra="emodb",
)
_NAME = re.compile(r"(\d\d)([ab]\d\d)([A-Z])([a-z])")


def load_emodb(root: Path) -> Corpus:
    """Load EMO-DB from below `root`.

    Raises:
        CorpusError: there is no such folder, or no file in it has an EMO-DB name.
    """
    manifest, left_out = load_by_file_name(root, parse_emodb_name, tables=(_DATABASE.list_name,))
    return Corpus("emodb", root, manifest, left_out, _EXPECTED, _NOTES, (_BY_SPEAKER,))


def parse_emodb_name(stem: str) -> Utterance:
    """Read the name of a recording; `stem` is the file's name without its ending.

    Raises:
        Misfit: the name is none of EMO-DB's.
    """
    match = _NAME.fullmatch(stem)
    if not match:
        raise Misfit("the name is not speaker, text, emotion, version, as in 03a01Fa")
    speaker, text, emotion, _version = match.groups()
    for what, got, known in (("speaker", speaker, _GENDERS), ("text", text, _TEXTS), ("emotion", emotion, _EMOTIONS)):
        if got not in known:
            raise Misfit(f"{what} {got} does not exist here; known: {', '.join(sorted(known))}")
    return Utterance(stem, speaker, _GENDERS[speaker], _EMOTIONS[emotion], _TEXTS[text], "acted")


def emodb_speaker_folds(corpus: Corpus) -> list[Fold]:
    """Leave one speaker out: ten folds."""
    return leave_one_out(corpus.manifest, EMODB_LABELS)


def emodb_fixed_folds(corpus: Corpus) -> list[Fold]:
    """Divide by speaker once (ours): 03 and 08 to 12 train, 13 and 14 validate, 15 and 16 test."""
    return [fold_by_speaker(0, EMODB_LABELS, corpus.manifest, {"13", "14"}, {"15", "16"})]


EMODB = CorpusDefinition(
    name="emodb",
    info=CorpusInfo(
        "EMO-DB",
        sentences=len(_TEXTS),
        training_data="actors who were asked to show an emotion, in ten German sentences",
    ),
    load=load_emodb,
    protocols=(
        Protocol(name="emodb-speaker", divide=emodb_speaker_folds),
        Protocol(name="emodb-fixed", divide=emodb_fixed_folds, sizes={"train": 278, "dev": 130, "test": 127}),
    ),
    source=CorpusSource(
        licence="CC0 1.0 (https://creativecommons.org/publicdomain/zero/1.0/)",
        citation="Burkhardt et al. (2005), A database of German emotional speech, Interspeech, 1517-1520",
        parts=(_DATABASE,),
    ),
)
