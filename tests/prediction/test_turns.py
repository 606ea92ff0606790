"""Turns of speech: each format that they come in, and each way in which their times can be wrong."""

import pytest

from segser_core.errors import TurnsError
from segser_core.prediction.exports import Tier, tiers_to_textgrid
from segser_core.prediction.turn_files import read_turns
from segser_core.prediction.turns import Turn, as_turns, fit_turns

TALK = [Turn(0.0, 1.5, "Anna"), Turn(1.5, 3.25, "Ben"), Turn(4.0, 5.0, "Anna")]
EAF = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" DATE="2026-01-01T00:00:00+00:00" FORMAT="3.0" VERSION="3.0"><TIME_ORDER>
<TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="4000"/><TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="5000"/>
<TIME_SLOT TIME_SLOT_ID="ts3" TIME_VALUE="0"/><TIME_SLOT TIME_SLOT_ID="ts4" TIME_VALUE="1500"/>
<TIME_SLOT TIME_SLOT_ID="ts5" TIME_VALUE="1500"/><TIME_SLOT TIME_SLOT_ID="ts6" TIME_VALUE="3250"/></TIME_ORDER>
<TIER TIER_ID="A" PARTICIPANT="Anna">{0}{1}</TIER><TIER TIER_ID="Ben">{2}</TIER>
<TIER TIER_ID="words" PARENT_REF="A">{3}</TIER></ANNOTATION_DOCUMENT>"""


def annotation(number, text, start, end):
    slots = f'ANNOTATION_ID="a{number}" TIME_SLOT_REF1="ts{start}" TIME_SLOT_REF2="ts{end}"'
    value = f"<ANNOTATION_VALUE>{text}</ANNOTATION_VALUE>"
    return f"<ANNOTATION><ALIGNABLE_ANNOTATION {slots}>{value}</ALIGNABLE_ANNOTATION></ANNOTATION>"


def elan():
    places = ((1, "again", 1, 2), (2, "hello", 3, 4), (3, "yes", 5, 6), (4, "word", 3, 4))
    return EAF.format(*(annotation(*place) for place in places))


def textgrid():
    anna, ben = ((0.0, 1.5, "hello"), (4.0, 5.0, "again")), ((1.5, 3.25, "yes"),)
    return tiers_to_textgrid([Tier("Anna", anna), Tier("Ben", ben)], 6.0)


def read(name, text, tiers=()):
    return list(read_turns(name, text.encode(), tiers))


def bare(turns):
    """Turns without text, in order of time."""
    return sorted((Turn(t.start_s, t.end_s, t.speaker) for t in turns), key=lambda t: t.start_s)


SRT = """1
00:00:00,000 --> 00:00:01,500
[Anna]: <i>hello</i>

2
00:00:01,500 --> 00:00:03,250
[Ben]: yes
indeed

3
00:00:04,000 --> 00:00:05,000
[Anna]: again
"""
VTT = """WEBVTT

NOTE a comment

00:00.000 --> 00:01.500
<v Anna>hello &amp; welcome

00:00:01.500 --> 00:00:03.250 align:left
<v.loud Ben>yes</v>

00:04.000 --> 00:05.000
<v Anna>again
"""
RTTM = """;; a comment
SPKR-INFO talk 1 <NA> <NA> <NA> unknown Anna <NA> <NA>
SPEAKER talk 1 0.00 1.50 <NA> <NA> Anna <NA> <NA>
SPEAKER talk 1 1.50 1.75 <NA> <NA> Ben <NA> <NA>
SPEAKER talk 1 4.00 1.00 <NA> <NA> Anna <NA> <NA>
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", "start,end,speaker\n0,1.5,Anna\n1.5,3.25,Ben\n4,5,Anna\n"),
        ("t.CSV", "\ufeff Start ; END;speaker\n0,0;1,5;Anna\n\n1,5;3,25;Ben\n4,0;5,0;Anna\n"),
        ("t.tsv", "start_s\tend_s\tspeaker\n0\t1.5\tAnna\n1.5\t3.25\tBen\n4\t5\tAnna\n"),
        ("t.csv", "start_ms,end_ms,speaker\n0,1500,Anna\n1500,3250,Ben\n4000,5000,Anna\n"),
        ("t.csv", "start,duration,speaker\n0,1.5,Anna\n1.5,1.75,Ben\n4,1,Anna\n"),
        ("t.csv", "start,end,speaker\n0:00:00,0:00:01.5,Anna\n0:00:01.5,0:00:03.25,Ben\n0:00:04,0:00:05,Anna\n"),
        ("t.TextGrid", textgrid()),
        ("t.eaf", elan()),
        ("t.srt", SRT),
        ("t.vtt", VTT),
        ("t.rttm", RTTM),
    ],
)
def test_each_format_gives_the_same_turns(name, text):
    assert bare(read(name, text)) == TALK


def test_text_and_files_are_kept():
    assert [t.text for t in read("t.srt", SRT)] == ["hello", "yes indeed", "again"]
    assert [t.text for t in read("t.vtt", VTT)] == ["hello & welcome", "yes", "again"]
    assert [t.text for t in read("t.eaf", elan())] == ["hello", "again", "yes"]
    assert {t.file for t in read("t.rttm", RTTM)} == {"talk"}
    (turn,) = read("t.csv", "file,start,end,transcript\na/b.wav,0,1,so what\n")
    assert (turn.file, turn.text) == ("a/b.wav", "so what")


def test_a_lone_tier_of_that_name_holds_the_speakers():
    grid = tiers_to_textgrid([Tier("speaker", ((0.0, 1.0, "Anna"), (1.0, 2.0, "Ben")))], 3.0)
    assert [t.speaker for t in read("t.TextGrid", grid)] == ["Anna", "Ben"]


def test_layers_of_the_same_speech_are_refused_unless_tiers_are_chosen():
    words = Tier("words", ((0.0, 0.5, "how"), (0.5, 1.0, "so")))
    grid = tiers_to_textgrid([Tier("Anna", ((0.0, 1.0, "how so"),)), words], 2.0)
    with pytest.raises(TurnsError, match=r"^t.TextGrid: its tiers Anna and words lie over one another.*--turns-tier"):
        read("t.TextGrid", grid)
    assert [t.text for t in read("t.TextGrid", grid, ["Anna"])] == ["how so"]
    with pytest.raises(TurnsError, match="has no tier Ben with times; it has Anna, words"):
        read("t.TextGrid", grid, ["Ben"])


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.csv", "start,end\n0,1\n3,2.5\n", "t.csv, line 3: the turn of 3 to 2.5 s ends before it begins"),
        ("t.csv", "start,end\n0,1\n3,3\n", "t.csv, line 3: the turn of 3 to 3 s has no length"),
        ("t.csv", "start,end\n-1,1\n", "t.csv, line 2: -1 to 1 s; expected seconds from the beginning"),
        (
            "t.csv",
            "start,end\n3,4\n1,2\n",
            "t.csv, line 3: a turn of no named speaker begins at 1 s, and the one before",
        ),
        (
            "t.csv",
            "start,end\n0,5\n0.5,5.2\n",
            "t.csv, line 3: the turn of 0.5 to 5.2 s lies 4.5 s within that of 0 to 5",
        ),
        ("t.csv", "start,end,speaker\n0,9,A\n1,2,B\n2,8,A\n", "t.csv, line 4: the turn of 2 to 8 s .* both of A; "),
        (
            "t.csv",
            "start,end\n0,1500\n1500,3200\n",
            "t.csv: line 2: the turn of 0 to 1500 s, .* may be in milliseconds",
        ),
        ("t.csv", "start,end\n0,one\n", "t.csv: line 2: end is 'one'; expected seconds"),
        ("t.csv", "start,end\n0,\n", "t.csv: line 2: end is empty; expected seconds"),
        ("t.csv", "begin,end\n0,1\n", "t.csv: has the columns begin, end; expected start and end in seconds"),
        ("t.csv", "start,end\n", "t.csv: holds no turn"),
        ("t.csv", "start,end\n0,nan\n", "end is empty"),
        ("t.csv", "start,end\n0,inf\n", "end is 'inf'"),
        ("t.srt", "1\n00:00:00,000 -> x --> 00:01\nhi\n", "t.srt: line 2: .* expected 00:00:01,000 --> "),
        ("t.vtt", SRT, "does not begin with WEBVTT"),
        ("t.rttm", "SPEAKER talk 1 0.0\n", "line 1: .*; expected SPEAKER file channel start duration"),
        ("t.rttm", "nothing of the kind\n", "t.rttm: holds no turn"),
        ("t.eaf", "<html/>", "t.eaf: is no ELAN document"),
        ("t.TextGrid", "start,end\n0,1", "t.TextGrid: is no TextGrid"),
        ("t.TextGrid", textgrid()[:150], "t.TextGrid: .*"),
        ("t.docx", "start", "t.docx: has the ending .docx; expected .csv, .tsv, .textgrid"),
        ("t.csv", "start,end,speaker\n0,1," + 81 * "x", "a speaker's name has 81 characters"),
    ],
)
def test_what_cannot_be_right_is_refused_in_a_line_with_the_first_such_row(name, text, message):
    with pytest.raises(TurnsError, match=message) as error:
        read(name, text)
    assert "\n" not in str(error.value)


def test_speakers_may_overlap_and_a_pause_within_a_turn_is_no_error():
    read("t.csv", "start,end,speaker\n0,9,A\n1,2,B\n3,4,B\n8.5,12,A\n")


def test_turns_end_with_the_recording():
    fitted = fit_turns(TALK, 4.95)
    assert [t.end_s for t in fitted] == [1.5, 3.25, 4.95]
    with pytest.raises(TurnsError, match=r"^turn 2: the turn of 1.5 to 3.25 s lies beyond .* lasts 3.00 s; choose the"):
        fit_turns(as_turns([(0, 1.5), (1.5, 3.25)]), 3.0)
    with pytest.raises(TurnsError, match=r"turn 1: the turn of 0 to 1500 s .* would fit in milliseconds"):
        fit_turns(as_turns([(0, 1500), (1500, 2900)]), 3.0)


def test_given_turns_are_checked():
    assert as_turns([(0, 1), (1, 2, "A"), Turn(2, 3)])[1].speaker == "A"
    for given, message in (
        ([], "empty"),
        ([3], r"turn 1 is 3; expected"),
        ([(0, 1), (2, 1)], "turn 2: .* ends before"),
    ):
        with pytest.raises(TurnsError, match=message):
            as_turns(given)
