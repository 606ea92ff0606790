"""The table of spellings: words of seven languages, codes of corpora, and no spelling that means two emotions."""

from collections import defaultdict

import pytest

from segser_core.labels import CORPUS_CODES, LABELS, UNAMBIGUOUS_CODES, WORDS, label_key, normalise_label


@pytest.mark.parametrize(
    ("label", "spellings"),
    [
        ("angry", "anger Wut WÜTEND wuetend Ärger Aerger colère enfado rabbia złość zlosc viha ANG rab"),
        ("happy", "happiness joy Freude joie alegría gioia radość ilo hap HAP gio"),
        ("sad", "sadness Trauer traurig tristesse tristeza tristezza smutek suru sad SAD tri"),
        ("fearful", "fear anxiety Angst peur miedo paura strach pelko fea FEA pau"),
        ("disgust", "disgusted Ekel dégoût degout asco disgusto wstręt inho dis DIS"),
        (
            "surprised",
            "surprise pleasant_surprise Pleasant_Surprised ps Überraschung sorpresa zaskoczenie yllätys sur sor",
        ),
        ("neutral", "Neutral neutre neutro neutrale neutralny neutraali neu NEU"),
        ("bored", "boredom Langeweile ennui aburrimiento noia nuda tylsyys"),
        ("calm", "calme Ruhe calma spokój rauhallinen"),
        ("excited", "excitement aufgeregt exc"),
        ("frustrated", "frustration frustriert fru"),
        ("tender", "tenderness affection Zärtlichkeit tendresse tenerezza czułość hellyys"),
    ],
)
def test_spellings_of_each_label(label, spellings):
    assert {spelling: normalise_label(spelling) for spelling in spellings.split()} == dict.fromkeys(
        spellings.split(), label
    )


def test_no_spelling_means_two_labels():
    meanings = defaultdict(set)
    for label, languages in WORDS.items():
        assert len(languages) == 7
        for words in languages:
            for word in words.split(", "):
                meanings[label_key(word)].add(label)
    for corpus in UNAMBIGUOUS_CODES:
        for code, label in CORPUS_CODES[corpus].items():
            meanings[label_key(code)].add(label)
    assert {key: labels for key, labels in meanings.items() if len(labels) > 1} == {}
    assert set().union(*meanings.values()) == set(LABELS)


@pytest.mark.parametrize(
    ("corpus", "codes"),
    [
        ("ravdess", {"01": "neutral", "02": "calm", "05": "angry", "08": "surprised"}),
        (
            "emodb",
            {"W": "angry", "L": "bored", "E": "disgust", "A": "fearful", "F": "happy", "T": "sad", "N": "neutral"},
        ),
        ("savee", {"a": "angry", "d": "disgust", "f": "fearful", "h": "happy", "n": "neutral", "sa": "sad"}),
    ],
)
def test_codes_that_conflict_are_known_by_their_corpus_alone(corpus, codes):
    for code, label in codes.items():
        assert normalise_label(code) == code.lower()  # of its own, since A is EMO-DB's fear and SAVEE's anger
        assert normalise_label(code, CORPUS_CODES[corpus]) == label


@pytest.mark.parametrize("nothing", ["", "  ", "nan", "NaN", "none", "None", "N/A", "n/a", "null", "<NA>", "xxx"])
def test_no_label_is_no_class(nothing):
    assert normalise_label(nothing) == ""


def test_codes_go_before_the_table_and_own_labels_are_small():
    assert normalise_label("Contempt ") == normalise_label("CONTEMPT") == "contempt"
    assert normalise_label("none", {"none": "neutral"}) == "neutral"
    assert normalise_label("joy", {"Joy": "excitement"}) == "excited"
    assert normalise_label("-1", {"1": "angry"}) == "-1"
