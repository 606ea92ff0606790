"""The project's one spelling of each emotion, its one colour in every figure, and how others spell it.

The first eight colours are those of Okabe and Ito (2008), which people with the
common kinds of colour blindness tell apart; grey stands for neutral.

Sources of the spellings: the words are nouns and adjectives as corpora and their papers write them. English: RAVDESS,
TESS, nEMO (Christop 2024, Polish speech with English names), nkululeko and audEERING's databases in audb. German:
EMO-DB (Burkhardt et al. 2005). French: CaFE (Gournay et al. 2018). Spanish: INTERFACE (Hozjan et al. 2002). Italian:
EMOVO (Costantini et al. 2014). Finnish: FESC (Airas & Alku 2006). Polish, and what these lack: dictionaries.
The codes are those of file names: RAVDESS (Livingstone & Russo 2018), CREMA-D (Cao et al. 2014), TESS (Pichora-Fuller &
Dupuis 2020), SAVEE (Haq & Jackson 2009), EMO-DB, IEMOCAP (Busso et al. 2008) and EMOVO.
"""

import re
import unicodedata
from collections.abc import Mapping

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

# digits and single letters mean different emotions in different corpora (A: EMO-DB's fear, SAVEE's anger)
CORPUS_CODES = {
    "ravdess": {
        "01": "neutral",
        "02": "calm",
        "03": "happy",
        "04": "sad",
        "05": "angry",
        "06": "fearful",
        "07": "disgust",
        "08": "surprised",
    },
    "cremad": {"ANG": "angry", "DIS": "disgust", "FEA": "fearful", "HAP": "happy", "NEU": "neutral", "SAD": "sad"},
    "tess": {
        "angry": "angry",
        "disgust": "disgust",
        "fear": "fearful",
        "happy": "happy",
        "neutral": "neutral",
        "ps": "surprised",  # pleasant surprise
        "sad": "sad",
    },
    "savee": {
        "a": "angry",
        "d": "disgust",
        "f": "fearful",
        "h": "happy",
        "n": "neutral",
        "sa": "sad",
        "su": "surprised",
    },
    "emodb": {
        "W": "angry",
        "L": "bored",
        "E": "disgust",
        "A": "fearful",
        "F": "happy",
        "T": "sad",
        "N": "neutral",
    },
    "iemocap": {
        "neu": "neutral",
        "hap": "happy",
        "exc": "excited",
        "sad": "sad",
        "ang": "angry",
        "fru": "frustrated",
        "sur": "surprised",
        "fea": "fearful",
        "dis": "disgust",
    },
    "emovo": {
        "dis": "disgust",
        "gio": "happy",
        "neu": "neutral",
        "pau": "fearful",
        "rab": "angry",
        "sor": "surprised",
        "tri": "sad",
    },
}
UNAMBIGUOUS_CODES = ("cremad", "tess", "iemocap", "emovo")  # which no two corpora read differently

# by label: English, German, French, Spanish, Italian, Polish, Finnish
WORDS = {
    "neutral": (
        "neutral, neutrality",
        "neutral, Neutralität",
        "neutre, neutralité",
        "neutro, neutra, neutral, neutralidad",
        "neutro, neutrale, neutralità",
        "neutralny, neutralna, neutralne, neutralność",
        "neutraali",
    ),
    "calm": (
        "calm, calmness",
        "ruhig, Ruhe, gelassen, Gelassenheit",
        "calme",
        "calma, calmado, calmada, tranquilo, tranquila",
        "calma, calmo, tranquillo, tranquilla",
        "spokój, spokojny, spokojna",
        "rauhallinen, tyyni",
    ),
    "happy": (
        "happy, happiness, joy, joyful",
        "Freude, froh, fröhlich, Fröhlichkeit, glücklich, Glück",
        "joie, joyeux, joyeuse, heureux, heureuse, bonheur",
        "alegría, alegre, feliz, felicidad",
        "gioia, felice, felicità, allegria",
        "radość, radosny, radosna, szczęście, szczęśliwy, szczęśliwa",
        "ilo, iloinen, onnellinen",
    ),
    "sad": (
        "sad, sadness",
        "Trauer, traurig, Traurigkeit",
        "tristesse, triste",
        "tristeza, triste",
        "tristezza, triste",
        "smutek, smutny, smutna",
        "suru, surullinen, surullisuus",
    ),
    "angry": (
        "angry, anger",
        "Wut, wütend, Ärger, ärgerlich, verärgert, Zorn, zornig",
        "colère, en colère, fâché, fâchée",
        "ira, enfado, enfadado, enfadada, enojo, enojado, enojada, rabia",
        "rabbia, arrabbiato, arrabbiata, ira, collera",
        "złość, gniew",
        "viha, vihainen, suuttumus",
    ),
    "fearful": (
        "fearful, fear, anxiety, anxious, afraid, scared",
        "Angst, ängstlich, Ängstlichkeit, Furcht",
        "peur, apeuré, apeurée, effrayé, effrayée, anxiété",
        "miedo, temor, asustado, asustada, ansiedad",
        "paura, impaurito, impaurita, spaventato, spaventata, ansia",
        "strach, lęk, przestraszony, przestraszona",
        "pelko, pelokas, peloissaan",
    ),
    "disgust": (
        "disgust, disgusted",
        "Ekel, angeekelt, angewidert, Abscheu",
        "dégoût, dégoûté, dégoûtée",
        "asco, asqueado, asqueada, repugnancia",
        "disgusto, disgustato, disgustata",
        "wstręt, obrzydzenie",
        "inho",
    ),
    "surprised": (
        "surprised, surprise, pleasant surprise, pleasant surprised",
        "Überraschung, überrascht",
        "surprise, surpris, étonnement, étonné, étonnée",
        "sorpresa, sorprendido, sorprendida",
        "sorpresa, sorpreso",
        "zaskoczenie, zaskoczony, zaskoczona, zdziwienie",
        "yllättynyt, yllätys",
    ),
    "bored": (
        "bored, boredom",
        "Langeweile, gelangweilt",
        "ennui, ennuyé, ennuyée",
        "aburrimiento, aburrido, aburrida",
        "noia, annoiato, annoiata",
        "nuda, znudzenie, znudzony, znudzona",
        "tylsistynyt, tylsyys, ikävystynyt",
    ),
    "excited": (
        "excited, excitement",
        "Aufregung, aufgeregt, begeistert, Begeisterung",
        "excitation, excité, excitée",
        "excitación, excitado, excitada",
        "eccitazione, eccitato, eccitata",
        "podekscytowanie, podekscytowany, podekscytowana",
        "innostus, innostunut",
    ),
    "frustrated": (
        "frustrated, frustration",
        "Frustration, Frust, frustriert",
        "frustration, frustré, frustrée",
        "frustración, frustrado, frustrada",
        "frustrazione, frustrato, frustrata",
        "frustracja, sfrustrowany, sfrustrowana",
        "turhautuminen, turhautunut",
    ),
    "tender": (
        "tender, tenderness, affection",
        "Zärtlichkeit, zärtlich, Zuneigung",
        "tendresse, tendre",
        "ternura, tierno, tierna",
        "tenerezza, tenero, tenera",
        "czułość, czuły, czuła",
        "hellyys, hellä",
    ),
}
# as programs and people write "nothing", IEMOCAP and audEERING's databases "the raters did not agree"
NO_LABEL = ("", "nan", "none", "n/a", "#n/a", "na", "<na>", "nat", "null", "-", "?", "xxx", "no agreement")
_WITHOUT_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})


def emotion_colour(label: str) -> str:
    """Look up the colour of an emotion, as #RRGGBB; dark grey for a label that is not ours."""
    return EMOTION_COLOURS.get(label, OTHER_COLOUR)


def is_valid_label(label: object) -> bool:
    """Check that a label is printable, has 1 to 40 characters, and has no < or >."""
    if not isinstance(label, str) or not label.isprintable():
        return False
    return 0 < len(label) <= LONGEST_LABEL and not set(label) & {*"<>"}


def label_key(label: str) -> str:
    """Reduce a label to that in which its spellings agree: no case, no accents, one blank for _ and - between words.

    Example:
        >>> label_key("Pleasant_Surprise "), label_key("COLÈRE"), label_key("złość")
        ('pleasant surprise', 'colere', 'zlosc')
    """
    letters = unicodedata.normalize("NFKD", label.strip().casefold().replace("ł", "l"))
    plain = "".join(c for c in letters if not unicodedata.combining(c))
    return re.sub(r"(?<=\w)[\s_-]+(?=\w)", " ", plain)


def _all_spellings() -> dict[str, str]:
    """Collect the label of each spelling by its key: words with and without umlauts, and codes of one meaning."""
    words = {w: label for label, languages in WORDS.items() for words in languages for w in words.split(", ")}
    codes = {code: label for corpus in UNAMBIGUOUS_CODES for code, label in CORPUS_CODES[corpus].items()}
    found = {label_key(w.translate(_WITHOUT_UMLAUTS)): label for w, label in words.items()}
    return found | {label_key(w): label for w, label in (words | codes).items()} | dict.fromkeys(NO_LABEL, "")


SPELLINGS = _all_spellings()


def normalise_label(label: str, codes: Mapping[str, str] | None = None) -> str:
    """Spell a label as the project does.

    Args:
        label: as a corpus writes it.
        codes: what further spellings stand for; they go before the table's.

    Returns:
        The label in the project's spelling; one that is in no table in small letters; empty where there is none.

    Example:
        >>> [normalise_label(word) for word in ("Wut", "HAP", "pleasant_surprise", "Contempt", "n/a")]
        ['angry', 'happy', 'surprised', 'contempt', '']
        >>> normalise_label("W", CORPUS_CODES["emodb"])
        'angry'
    """
    key = label_key(label)
    for code, meaning in (codes or {}).items():
        if label_key(code) == key:
            return normalise_label(meaning)
    return SPELLINGS.get(key, " ".join(label.lower().split()))
