"""IEMOCAP and FESC as small trees with the layout of the real ones, and everything in it that a loader can trip on.

The sounds are short hums whose pitch tells the label, so that even a tiny network has something to learn.
"""

from pathlib import Path
from zlib import crc32

import numpy as np

from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.audio.waveform import encode_wav

IEMOCAP_WORDS = {
    "neu": "Neutral",
    "hap": "Happiness",
    "exc": "Excited",
    "sad": "Sadness",
    "ang": "Anger",
    "fru": "Frustration",
    "sur": "Surprise",
    "fea": "Fear",
    "dis": "Disgust",
    "oth": "Other",
    "xxx": "Neutral",
}
DIALOGUES = ("Ses0{}F_impro01", "Ses0{}M_impro05a", "Ses0{}M_script01_1b")
IEMOCAP_LABELS = ("neu", "hap", "exc", "sad", "ang")
FESC_WORDS = ("neutral", "sadness", "joy", "anger", "tenderness")


def write_hum(path: Path, pitch: int, seconds: float) -> None:
    """Write a mono 16 kHz WAV file of one tone under a little noise of its own; `pitch` counts steps from 100 Hz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    times = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    name = crc32(f"{path.parent.name}/{path.name}".encode())  # no two recordings are copies of one
    noise = np.random.default_rng([pitch, name]).normal(0, 0.01, len(times))
    path.write_bytes(encode_wav(0.1 * np.sin(2 * np.pi * 100 * (pitch + 1) * times) + noise, 0, seconds))


def label_line(turn: str, label: str, at_s: float = 0.0) -> str:
    """Format a turn's line as IEMOCAP has it."""
    return f"[{at_s:.4f} - {at_s + 0.5:.4f}]\t{turn}\t{label}\t[2.5000, 3.0000, 3.5000]\n"


def rater_rows(label: str) -> str:
    """Format the raters of a turn: three of the category, two of whom name the label, the actor, and dimensions."""
    return (
        f"C-E2:\t{IEMOCAP_WORDS[label]};\t()\n"
        f"C-E3:\tOther; {IEMOCAP_WORDS[label]};\t(both)\n"
        "C-E4:\tDisgust;\t()\n"
        f"C-F1:\t{IEMOCAP_WORDS[label]};\t()\n"
        "A-E3:\tval 2; act 3; dom  3;\t()\n"
        "A-F1:\tval 3; act 3; dom  4;\t()\n\n"
    )


def make_iemocap(root: Path) -> Path:
    """Write five sessions of three dialogues, in each both actors say each label once: 150 turns; then the traps.

    The markers are on one actor of a dialogue, and the other one talks as well. Session 1 holds besides: turns of each
    other label and of none, one without sound, one broken, one of another dialogue, one that stands there twice, a line
    that is cut short, a recording without a line, `._` files, and sub-folders with labels that nobody is to read.
    """
    for session in range(1, 6):
        for name in (dialogue.format(session) for dialogue in DIALOGUES):
            make_dialogue(root / f"Session{session}", name)
    first = root / "Session1"
    labels = first / "dialog" / "EmoEvaluation" / "Ses01F_impro01.txt"
    traps = [
        label_line(f"Ses01F_impro01_M1{i:02d}", c) for i, c in enumerate(("xxx", "oth", "fru", "sur", "fea", "dis"))
    ]
    for i in range(6):
        write_hum(first / "sentences" / "wav" / "Ses01F_impro01" / f"Ses01F_impro01_M1{i:02d}.wav", i, 0.3)
    traps += [label_line(f"Ses01F_impro01_{turn}", "neu") for turn in ("F200", "F201", "F000")]
    traps += [label_line("Ses01F_impro02_F000", "neu"), "[7.0000 - 8.0000]\tSes01F_impro01_F202\tneu\n"]
    labels.write_text(labels.read_text() + "".join(traps))
    wav = first / "sentences" / "wav" / "Ses01F_impro01"
    (wav / "Ses01F_impro01_F201.wav").write_bytes(b"RIFF and no more")
    write_hum(wav / "Ses01F_impro01_F999.wav", 0, 0.3)
    (wav / "._Ses01F_impro01_F000.wav").write_bytes(b"\0\5\26\7")
    (labels.parent / "._Ses01F_impro01.txt").write_bytes(b"\0\5\26\7\xff\xfe")
    for folder in ("Attribute", "Categorical", "Self-evaluation"):
        (labels.parent / folder).mkdir()
        (labels.parent / folder / "Ses01F_impro01_e1_cat.txt").write_text(label_line("Ses01F_impro01_F000", "ang"))
    return root


def make_dialogue(session: Path, name: str) -> None:
    """Write a dialogue's labels, words and sounds; both actors say each of `IEMOCAP_LABELS`."""
    turns = [(f"{name}_{actor}{i:03d}", label) for i, label in enumerate(IEMOCAP_LABELS) for actor in "FM"]
    lines = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n"
    lines += "".join(label_line(turn, label, i) + rater_rows(label) for i, (turn, label) in enumerate(turns))
    said = "".join(f"{turn} [{i:07.4f}-{i + 0.5:07.4f}]: Line {i}.\n" for i, (turn, _) in enumerate(turns))
    for folder, text in (("EmoEvaluation", lines), ("transcriptions", said + "M: [LAUGHTER]\n")):
        (session / "dialog" / folder).mkdir(parents=True, exist_ok=True)
        (session / "dialog" / folder / f"{name}.txt").write_text(text)
    for i, (turn, label) in enumerate(turns):
        write_hum(session / "sentences" / "wav" / name / f"{turn}.wav", IEMOCAP_LABELS.index(label), 0.35 + 0.03 * i)


def make_fesc(root: Path) -> Path:
    """Write five men and four women, each emotion twice: 90 files such as M1/sadness_01.wav; tenderness is `t`."""
    for speaker in ("M1", "M2", "M3", "M4", "M5", "F1", "F2", "F3", "F4"):
        for pitch, word in enumerate(FESC_WORDS):
            for text in (1, 2):
                write_hum(root / speaker / f"{'t' if word == 'tenderness' else word}_{text:02d}.wav", pitch, 0.3)
    return root
