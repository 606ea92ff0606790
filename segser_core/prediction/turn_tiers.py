"""Read turns of speech from the tiers of Praat TextGrid and ELAN."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from xml.etree import ElementTree

import numpy as np

from segser_core.formatting import one_line
from segser_core.prediction.known_changes import interval_tiers
from segser_core.prediction.turns import MOST_OVERLAP, MS_PER_S, Turn, make_turn

SPEAKER_TIERS = ("speaker", "speakers", "turn", "turns", "diarization")  # whose labels are the speakers' names
TurnTiers = list[tuple[str, list[Turn]]]


def read_textgrid_turns(text: str, tiers: Sequence[str] = ()) -> list[Turn]:
    """Read the interval tiers of a Praat TextGrid as turns; see `read_turns`."""
    if "ooTextFile" not in text[:200]:
        raise ValueError("is no TextGrid; save it again in Praat, as text")
    found = []
    for name, entries in interval_tiers(text):
        numbered = enumerate(entries, start=1)
        turns = [
            make_turn(
                start_s, end_s, _speaker(name), words, origin=f"tier {one_line(name)}, interval {number} with text"
            )
            for number, (start_s, end_s, words) in numbered
            if words
        ]
        found.append((name, turns))
    return _join_tiers(found, tiers)


def read_elan_turns(text: str, tiers: Sequence[str] = ()) -> list[Turn]:
    """Read the tiers of an ELAN document that have no parent as turns; a tier's participant, else its name, speaks.

    pympi reads documents from a path alone, and nothing of a visitor's turns is written to disk: so this reads the XML.
    """
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError):
        root = ElementTree.Element("")
    if root.tag != "ANNOTATION_DOCUMENT":
        raise ValueError("is no ELAN document, or a damaged one; save it again in ELAN")
    times = {slot.get("TIME_SLOT_ID"): slot.get("TIME_VALUE") for slot in root.iter("TIME_SLOT")}
    found = []
    for tier in root.iter("TIER"):
        name = tier.get("TIER_ID", "")
        if tier.get("PARENT_REF") is None or name in tiers:
            found.append((name, _elan_tier(tier, times)))
    return _join_tiers(found, tiers)


def _elan_tier(tier: ElementTree.Element, times: dict[str | None, str | None]) -> list[Turn]:
    name, turns = tier.get("TIER_ID", ""), []
    speaker = tier.get("PARTICIPANT", "").strip() or _speaker(name)
    for number, annotation in enumerate(tier.iter("ALIGNABLE_ANNOTATION"), start=1):
        origin = f"tier {one_line(name)}, annotation {number}"
        start, end = (times.get(annotation.get(f"TIME_SLOT_REF{side}")) for side in (1, 2))
        if start is None or end is None or not (start.isdigit() and end.isdigit()):
            raise ValueError(f"{origin}: has no time; align it in ELAN, or leave the tier out")
        words = (annotation.findtext("ANNOTATION_VALUE") or "").strip()
        turns.append(make_turn(int(start) / MS_PER_S, int(end) / MS_PER_S, speaker, words, origin=origin))
    return sorted(turns, key=lambda turn: turn.start_s)  # ELAN stores them in the order in which they were made


def _speaker(tier: str) -> str:
    """Take a tier's name as its speaker, without the word that segser's own exports put before."""
    return tier.removeprefix("turns ").strip()


def _join_tiers(found: TurnTiers, wanted: Sequence[str]) -> list[Turn]:
    """Join the tiers that are wanted, or all that hold a turn.

    Raises:
        ValueError: a tier that is wanted is not there, or tiers lie over one another as layers of the same speech do.
    """
    names = [name for name, _ in found]
    if missing := [name for name in wanted if name not in names]:
        shown = ", ".join(map(one_line, names)) or "none"
        raise ValueError(f"has no tier {one_line(missing[0])} with times; it has {shown}")
    held = [(name, turns) for name, turns in found if turns and (name in wanted or not wanted)]
    if not wanted:
        _check_layers(held)
    if len(held) == 1 and held[0][0].strip().lower() in SPEAKER_TIERS:
        return [replace(turn, speaker=turn.text, text="") for turn in held[0][1]]
    return [turn for _, turns in held for turn in turns]


def _check_layers(held: TurnTiers) -> None:
    for (name, turns), (other, others) in combinations(held, 2):
        shorter_s = min(sum(turn.duration_s for turn in each) for each in (turns, others))
        if _common_time_s(turns, others) > MOST_OVERLAP * shorter_s:
            raise ValueError(
                f"its tiers {one_line(name)} and {one_line(other)} lie over one another, as words and sentences do; "
                "choose one tier a speaker with --turns-tier NAME, or save the file with these alone"
            )


def _common_time_s(turns: Sequence[Turn], others: Sequence[Turn]) -> float:
    """Compute the seconds that two tiers, in each of which turns follow one another, have in common."""
    edges_s = np.array([(t.start_s, t.end_s) for t in others]).ravel()
    lengths_s = np.array([(0.0, t.duration_s) for t in others]).ravel()
    covered = np.interp([(t.start_s, t.end_s) for t in turns], edges_s, lengths_s.cumsum())  # up to a time, by others
    return float((covered[:, 1] - covered[:, 0]).sum())
