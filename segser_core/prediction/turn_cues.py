"""Read turns of speech from subtitles: SRT and WebVTT."""

import re
from collections.abc import Sequence
from html import unescape

from segser_core.formatting import one_line
from segser_core.prediction.turns import MS_PER_S, Turn, make_turn

WHISPERX_SPEAKER = re.compile(r"\[([^\]\n]{1,80})\]:\s*")  # as whisperX begins a subtitle
VOICE_TAG = re.compile(r"<v(?:\.[^\s>]*)*\s+([^>]+)>")  # of WebVTT
MARKUP = re.compile(r"<[^>]*>|\{\\[^}]*\}")  # tags, and positions as in {\an8}
CLOCK = r"(?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3}"
CUE = re.compile(rf"\s*{CLOCK}\s*-->\s*{CLOCK}(?:\s.*)?")


def read_srt_turns(text: str, tiers: Sequence[str] = ()) -> list[Turn]:
    """Read subtitles in SRT as turns; whisperX's `[SPEAKER_00]: ` at the beginning is the speaker."""
    turns = []
    for start_s, end_s, words, origin in _read_cues(text, "srt"):
        named = WHISPERX_SPEAKER.match(words)
        speaker, rest = (named[1], words[named.end() :]) if named else ("", words)
        turns.append(make_turn(start_s, end_s, speaker, MARKUP.sub("", rest), origin=origin))
    return turns


def read_vtt_turns(text: str, tiers: Sequence[str] = ()) -> list[Turn]:
    """Read cues in WebVTT as turns; voice tags name the speaker."""
    if not text.lstrip().startswith("WEBVTT"):
        raise ValueError("does not begin with WEBVTT; is it another format?")
    cues = _read_cues(text, "vtt")
    voices = [" and ".join(dict.fromkeys(v.strip() for v in VOICE_TAG.findall(words))) for _, _, words, _ in cues]
    return [
        make_turn(start_s, end_s, voice, unescape(MARKUP.sub("", words)), origin=origin)
        for (start_s, end_s, words, origin), voice in zip(cues, voices, strict=True)
    ]


def _read_cues(text: str, format: str) -> list[tuple[float, float, str, str]]:
    """Read subtitles: start and end in seconds, text with its tags, and the line of the times.

    Raises:
        ValueError: a line has an arrow and no times, which pysubs2 would take for text.
    """
    import pysubs2

    lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if "-->" in line]
    for number, line in lines:
        if not CUE.fullmatch(line):
            raise ValueError(f"line {number}: {one_line(line[:60])!r}; expected 00:00:01,000 --> 00:00:02,500")
    try:
        events = pysubs2.SSAFile.from_string(text, format_=format, keep_html_tags=True)
    except (pysubs2.Pysubs2Error, ValueError) as error:
        raise ValueError(f"is damaged: {one_line(error)}") from None
    if len(events) != len(lines):
        raise ValueError(f"has {len(lines)} lines of times, of which {len(events)} can be read; save it again")
    return [
        (event.start / MS_PER_S, event.end / MS_PER_S, event.text.replace("\\N", "\n").strip(), f"line {number}")
        for event, (number, _) in zip(events, lines, strict=True)
    ]
