"""Known changes of emotion: read from what people have, refused in a sentence, and held against the label over time."""

import numpy as np
import pytest

from segser_core.errors import CorpusError
from segser_core.prediction.exports import Tier, stretches_to_textgrid, tiers_to_textgrid
from segser_core.prediction.known_changes import find_wrong_time, read_known_changes, share_of_time_right
from segser_core.prediction.stretches import Stretch, stretches_to_json
from segser_core.prediction.timeline import prediction_steps
from segser_core.statistics.emotion_diarization import summarise_diarization
from tests.support.changing_runs import changing_recording
from tests.support.predictions import PREDICTION_LABELS, make_prediction

TRUTH = (Stretch(0.0, 2.0, "angry"), Stretch(2.5, 4.2, "sad"), Stretch(4.2, 6.5, "sad"))
# The label over time of `make_prediction`: angry to 1.4, happy to 4.2, sad to 6.5 s.


def read(text: str, name: str = "x.TextGrid"):
    return read_known_changes(name, text.encode(), make_prediction())


def manifest(*rows: tuple[str, tuple[Stretch, ...]]) -> str:
    quoted = (f'{path},"{stretches_to_json(truth).replace(chr(34), 2 * chr(34))}"' for path, truth in rows)
    return "\n".join(["path,stretches", *quoted])


def test_share_of_time_by_hand():
    p = make_prediction()
    assert share_of_time_right(p, TRUTH) == pytest.approx((1.4 + 2.3) / 6.0)
    assert find_wrong_time(p, TRUTH) == [pytest.approx((1.4, 2.0)), pytest.approx((2.5, 4.2))]
    assert share_of_time_right(p, [Stretch(0, 6.5, "bored")]) == 0
    assert find_wrong_time(p, [Stretch(0, 1.4, "angry")]) == []
    assert np.isnan(share_of_time_right(p, [Stretch(0.001, 0.009, "angry")]))


def test_the_share_of_one_recording_is_that_of_the_summary():
    p = make_prediction()
    steps = prediction_steps(p, TRUTH[-1].end_s)
    one = summarise_diarization([changing_recording(list(TRUTH), steps)], PREDICTION_LABELS)
    assert share_of_time_right(p, TRUTH) == pytest.approx(one.share_of_time.value, abs=1e-12)


def test_a_textgrid_reads_back_long_short_and_wide():
    text = stretches_to_textgrid(TRUTH, 6.5)
    assert read(text) == TRUTH
    assert read_known_changes("x", text.encode("utf-16"), make_prediction()) == TRUTH
    short = 'File type = "ooTextFile short"\n"TextGrid"\n\n0\n6.5\n<exists>\n1\n"IntervalTier"\n"who"\n0\n6.5\n2\n'
    assert read(short + '0\n2\n"Angry"\n2\n6.5\n""\n') == (Stretch(0, 2, "angry"),)


def test_labels_are_read_as_the_model_spells_them():
    german = [Stretch(0, 2, "Wut"), Stretch(2, 3, "traurig")]
    assert read(stretches_to_textgrid(german, 6.5)) == (Stretch(0, 2, "angry"), Stretch(2, 3, "sad"))


def test_of_several_tiers_it_is_the_one_of_emotion():
    words, emotion = Tier("words", ((0.0, 1.0, "oh"),)), Tier("emotion", ((0.0, 2.0, "sad"),))
    assert read(tiers_to_textgrid([words, emotion], 6.5)) == (Stretch(0, 2, "sad"),)
    with pytest.raises(CorpusError, match="interval tiers words, tones; expected one that is called emotion"):
        read(tiers_to_textgrid([words, Tier("tones", ((0.0, 1.0, "H"),))], 6.5))


def test_a_manifest_has_the_row_of_the_recording():
    assert read(manifest(("any.flac", TRUTH)), "m.csv") == TRUTH
    assert read(manifest(("a/two.wav", TRUTH[:1]), ("b/one.wav", TRUTH)), "m.csv") == TRUTH
    with pytest.raises(CorpusError, match=r"has 2 rows, and 2 could be one\.wav"):
        read(manifest(("a", TRUTH), ("b", TRUTH)), "m.csv")
    with pytest.raises(CorpusError, match="no stretches of this recording"):
        read("path,stretches\none.wav,", "m.csv")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x00\xff\xfe\x81", "is no text"),
        (b"a,b\n1,2", "no column stretches"),
        (b"", "is no TextGrid"),
        (b'File type = "ooTextFile"\nObject class = "TextGrid"\n0\n1\n<exists>', "damaged TextGrid"),
        (b"x" * 1_000_001, "1000001 bytes"),
        (stretches_to_textgrid([Stretch(0, 9, "sad")], 9).encode(), "ends at 9.00 s, and the recording at 6.50 s"),
        (stretches_to_textgrid([Stretch(0, 2, "bored")], 2).encode(), "names bored; the model knows angry, happy, sad"),
        (tiers_to_textgrid([Tier("emotion", ())], 2).encode(), "names no emotion"),
        (b'path,stretches\nx,"[[0, 1, 2]]"', "expected .start_s, end_s, label"),
    ],
)
def test_what_is_no_truth_of_the_recording_is_refused_in_a_sentence(data, message):
    with pytest.raises(CorpusError, match=message) as caught:
        read_known_changes("odd\nname", data, make_prediction())
    assert str(caught.value).startswith("odd\\nname: ")
    assert "\n" not in str(caught.value)


def test_cut_textgrids_are_read_or_refused():
    text = stretches_to_textgrid(TRUTH, 6.5)
    for end in range(0, len(text), 7):
        try:
            assert read(text[:end])
        except CorpusError as error:
            assert "\n" not in str(error)  # anything else is a traceback
