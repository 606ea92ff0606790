"""The project's one spelling of each emotion, and its one colour in every figure.

The first eight colours are those of Okabe and Ito (2008), which people with the
common kinds of colour blindness tell apart; grey stands for neutral.
"""

EMOTION_COLOURS = {
    "neutral": "#8C8C8C",
    "calm": "#DDCC77",
    "happy": "#E69F00",
    "sad": "#0072B2",
    "angry": "#D55E00",
    "fearful": "#CC79A7",
    "disgust": "#009E73",
    "surprised": "#56B4E9",
    "bored": "#7A5C48",
    "excited": "#F0E442",
    "frustrated": "#882255",
    "tender": "#332288",
}
LABELS = tuple(EMOTION_COLOURS)
OTHER_COLOUR = "#444444"
LONGEST_LABEL = 40


def emotion_colour(label: str) -> str:
    """Look up the colour of an emotion, as #RRGGBB; dark grey for a label that is not ours."""
    return EMOTION_COLOURS.get(label, OTHER_COLOUR)


def is_valid_label(label: object) -> bool:
    """Check that a label is printable, has 1 to 40 characters, and has no < or >."""
    if not isinstance(label, str) or not label.isprintable():
        return False
    return 0 < len(label) <= LONGEST_LABEL and not set(label) & {*"<>"}
