"""Figures: what is drawn for hand-made predictions, and that a click can tell which segment it hit."""

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from segser_core.figures.style import NO_SPEECH_COLOUR, contrasting_text_colour
from segser_core.figures.timeline import comparison_figure, probability_figure, timeline_figure
from segser_core.figures.tracks import DIFFERS, HEARD, SPOKEN, TRACK_PX, TRUTH
from segser_core.labels import LABELS, emotion_colour
from segser_core.prediction.prediction import LabelledTurn, Prediction, Segment
from segser_core.prediction.stretches import Stretch
from segser_core.prediction.timeline import assign_lanes, find_disagreements

CLASSES = ("neutral", "happy", "sad", "angry")
SAMPLES = np.sin(np.linspace(0, 500, 4 * 16_000)).astype(np.float32) * 0.3


def prediction(labels: list[str], model: str = "seg+tri-w", stride_s: float = 0.8) -> Prediction:
    """A recording of 4 s whose segments of 1.6 s have these labels, the later the surer."""
    segments = [
        Segment(i, i * stride_s, i * stride_s + 1.6, {c: 0.7 + 0.01 * i if c == label else 0.1 for c in CLASSES})
        for i, label in enumerate(labels)
    ]
    mean = dict.fromkeys(CLASSES, 0.25)
    bare = Prediction("x", 4.0, model, model, CLASSES, CLASSES[0], mean, mean, "utterance", "clip", (), tuple(segments))
    return bare.with_rule("max" if model.startswith("seg") else "utterance")


@pytest.fixture
def three() -> Prediction:
    return prediction(["sad", "sad", "angry", "angry"])


def bars(figure: go.Figure) -> list[go.Bar]:
    """The bars of segments, disagreements or probabilities."""
    return [trace for trace in figure.data if trace.type == "bar" and trace.name not in (TRUTH, HEARD, DIFFERS)]


def tracks(figure: go.Figure, name: str) -> list[go.Bar]:
    return [trace for trace in figure.data if trace.name == name]


def spans(bar: go.Bar) -> list[tuple[float, float]]:
    return [pytest.approx((base, base + x)) for base, x in zip(bar.base, bar.x, strict=True)]


def test_a_segment_is_a_bar_in_its_emotions_colour_that_knows_its_index_and_bounds(three):
    (segments,) = bars(timeline_figure(three, SAMPLES))
    assert [list(c) for c in segments.customdata] == [[s.index, s.start_s, s.end_s] for s in three.segments]
    assert list(segments.marker.color) == [emotion_colour(s.label) for s in three.segments]
    assert [text.removeprefix("★ ") for text in segments.text] == ["sad", "sad", "angry", "angry"]


def test_a_segment_without_speech_is_grey_and_names_no_emotion(three):
    mute = replace(three, segments=tuple(replace(s, speech=s.index != 1) for s in three.segments))
    figure = timeline_figure(mute, SAMPLES)
    (segments,) = bars(figure)
    assert [colour == NO_SPEECH_COLOUR for colour in segments.marker.color] == [False, True, False, False]
    assert segments.text[1] == "no speech"
    assert segments.hovertext[1].endswith("no speech")
    lines = [trace for trace in figure.data if trace.name in CLASSES]
    assert {line.y[1] for line in lines} == {None}
    all_mute = replace(
        three, label="", probabilities={}, segments=tuple(replace(s, speech=False) for s in three.segments)
    )
    (grey,) = bars(timeline_figure(all_mute, SAMPLES))
    assert set(grey.marker.color) == {NO_SPEECH_COLOUR}
    assert not tracks(timeline_figure(all_mute, SAMPLES), "heard")[0].base


def test_bars_lie_within_their_segments_and_fill_nearly_all_of_them(three):
    (segments,) = bars(timeline_figure(three, SAMPLES))
    for base, width, segment in zip(segments.base, segments.x, three.segments, strict=True):
        assert segment.start_s <= base < base + width <= segment.end_s
        assert width == pytest.approx(1.6, abs=0.02)


def test_every_class_has_a_line_in_its_colour_with_a_marker_at_each_segments_centre(three):
    lines = {trace.name: trace for trace in timeline_figure(three, SAMPLES).data if trace.name in CLASSES}
    assert set(lines) == set(CLASSES)
    for label, line in lines.items():
        assert line.line.color == emotion_colour(label)
        assert "markers" in line.mode
        assert list(line.x) == pytest.approx([0.8, 1.6, 2.4, 3.2])
        assert list(line.y) == [s.probabilities[label] for s in three.segments]
        assert [c[0] for c in line.customdata] == [0, 1, 2, 3]
    assert len({line.marker.symbol for line in lines.values()}) == len(CLASSES)  # told apart without colour


def test_axes_carry_their_quantity_and_unit(three):
    for figure in (timeline_figure(three, SAMPLES), comparison_figure(three, three, SAMPLES)):
        titles = {axis.title.text for axis in (*figure.select_xaxes(), *figure.select_yaxes())}
        assert titles >= {"time (s)", "probability", "amplitude", "segments"}
    assert probability_figure(three).layout.xaxis.title.text == "probability"


def test_the_deciding_segment_alone_is_starred_and_ringed(three):
    figure = timeline_figure(three, SAMPLES)
    assert [t.startswith("★") for t in bars(figure)[0].text] == [False, False, False, True]
    (ring,) = figure.layout.shapes
    assert (ring.x0, ring.x1) == (three.segments[3].start_s, three.segments[3].end_s)


def test_nothing_is_starred_where_the_recording_as_a_whole_decides():
    figure = timeline_figure(prediction(["sad", "angry"], "baseline"), SAMPLES)
    assert not figure.layout.shapes
    assert "★" not in "".join(bars(figure)[0].text)


def test_the_segment_that_plays_is_shaded_in_every_row(three):
    shapes = timeline_figure(three, SAMPLES, playing=1).layout.shapes
    shaded = [s for s in shapes if (s.x0, s.x1) == (three.segments[1].start_s, three.segments[1].end_s)]
    assert [(s.yref, s.y0, s.y1) for s in shaded] == [("paper", 0, 1)]


def test_a_view_shows_a_stretch_of_the_recording_and_only_its_waveform(three):
    figure = timeline_figure(three, SAMPLES, view=(1.0, 3.0))
    assert list(figure.layout.xaxis3.range) == [1.0, 3.0]
    assert 1.0 <= min(figure.data[0].x) <= max(figure.data[0].x) <= 3.0


def test_overlapping_neighbours_lie_in_different_lanes():
    starts = [0.0, 0.8, 1.6, 1.94]  # the last one is flush with the end, and overlaps both before it
    segments = [Segment(i, s, s + 1.6, {"sad": 1.0}) for i, s in enumerate(starts)]
    assert assign_lanes(segments) == [0, 1, 0, 2]
    assert assign_lanes(segments[:1]) == [0]


def test_the_probabilities_put_the_most_probable_on_top(three):
    (shares,) = bars(probability_figure(three))
    assert shares.y[-1] == f"<b>{three.label}</b>"
    assert shares.x[-1] == max(three.probabilities.values())
    assert [emotion_colour(label) for label in (label.strip("</b>") for label in shares.y)] == list(shares.marker.color)


def test_models_disagree_where_the_nearest_segments_differ():
    a, b = prediction(["sad", "sad", "angry", "angry"]), prediction(["sad", "angry", "angry", "sad"])
    assert find_disagreements(a, b) == [pytest.approx((1.2, 2.0)), pytest.approx((2.8, 4.0))]
    assert find_disagreements(a, a) == []


def test_disagreements_of_models_with_other_windows_are_merged_where_they_touch():
    a, b = prediction(["sad"] * 4), prediction(["angry"] * 7, stride_s=0.4)
    assert find_disagreements(a, b) == [(0.0, 4.0)]


def test_a_comparison_holds_both_models_on_one_time_axis(three):
    other = prediction(["angry"] * 4, "baseline")
    figure = comparison_figure(other, three, SAMPLES, playing=(0.8, 2.4))
    strip, first, second = bars(figure)
    assert list(strip.base) == [0.0]
    assert list(strip.x) == pytest.approx([2.0])
    assert [len(first.base), len(second.base)] == [4, 4]
    assert {axis.matches for axis in figure.select_xaxes()} - {None} == {"x8"}
    assert sum(trace.showlegend is not False for trace in figure.data if trace.name in CLASSES) == len(CLASSES)


# The label over time of ["sad", "sad", "angry", "angry"]: where sad and angry overlap, the surer angry wins.
KNOWN = (Stretch(0.0, 1.0, "sad"), Stretch(1.0, 2.0, "happy"), Stretch(2.5, 4.0, "angry"))


def test_the_label_over_time_is_a_track_in_the_emotions_colours(three):
    (heard,) = tracks(timeline_figure(three, SAMPLES), HEARD)
    assert list(heard.text) == ["sad", "angry"]
    assert spans(heard) == [(0.0, 1.6), (1.6, 4.0)]
    assert list(heard.marker.color) == [emotion_colour("sad"), emotion_colour("angry")]
    assert heard.hovertext[1] == "<b>heard: angry</b><br>1.60–4.00 s"


def test_without_a_truth_there_is_no_track_of_it(three):
    figure = timeline_figure(three, SAMPLES)
    assert not tracks(figure, TRUTH)
    assert not tracks(figure, DIFFERS)
    assert ["heard"] in [list(axis.ticktext or ()) for axis in figure.select_yaxes()]


def test_the_truth_lies_below_the_label_over_time_and_where_they_differ_is_marked(three):
    figure = timeline_figure(three, SAMPLES, truth=KNOWN)
    (truth,), (heard,), (wrong,) = (tracks(figure, name) for name in (TRUTH, HEARD, DIFFERS))
    assert list(truth.text) == [s.label for s in KNOWN]
    assert spans(truth) == [(s.start_s, s.end_s) for s in KNOWN]
    assert truth.marker.color[1] == emotion_colour("happy")
    assert (set(heard.y), set(wrong.y), set(truth.y)) == ({0}, {0.5}, {1})
    assert figure.layout.barmode == "overlay"  # else plotly moves the tracks apart
    assert spans(wrong) == [(1.0, 2.0)]  # the pause from 2.0 to 2.5 s counts for nothing
    assert wrong.showlegend
    low = next(axis for axis in figure.select_yaxes() if axis.ticktext == ("heard", "truth"))
    assert low.range[0] > low.range[1]  # 0 is on top


def test_a_truth_that_is_told_leaves_no_mark_in_the_legend(three):
    (wrong,) = tracks(timeline_figure(three, SAMPLES, truth=[Stretch(0, 1.6, "sad")]), DIFFERS)
    assert not wrong.base
    assert not wrong.showlegend


def test_both_models_stand_above_the_truth_and_the_mark_is_named_once(three):
    other = prediction(["angry"] * 4, "baseline")
    figure = comparison_figure(other, three, SAMPLES, truth=KNOWN)
    assert [list(t.text) for t in tracks(figure, TRUTH)] == [[s.label for s in KNOWN]] * 2
    assert [spans(w) for w in tracks(figure, DIFFERS)] == [[(0.0, 2.0)], [(1.0, 2.0)]]
    assert sum(bool(w.showlegend) for w in tracks(figure, DIFFERS)) == 1
    assert figure.layout.height - comparison_figure(other, three, SAMPLES).layout.height == 2 * TRACK_PX


def test_no_text_is_smaller_than_twelve_pixels(three):
    for figure in (timeline_figure(three, SAMPLES), comparison_figure(three, three, SAMPLES)):
        of_all = figure.layout.template.layout.font.size
        sizes = [of_all, figure.layout.legend.font.size or of_all, figure.layout.uniformtext.minsize]
        sizes += [axis.tickfont.size or of_all for axis in (*figure.select_xaxes(), *figure.select_yaxes())]
        sizes += [a.font.size for a in figure.layout.annotations]
        assert min(sizes) >= 12


def test_a_saved_picture_is_dark_text_on_white(three):
    look = timeline_figure(three, SAMPLES).layout.template.layout
    assert (look.paper_bgcolor, look.plot_bgcolor, look.font.color) == ("#FFFFFF", "rgba(0,0,0,0)", "#1C2429")


def test_silence_and_one_segment_are_drawn():
    one = prediction(["sad"])
    assert timeline_figure(one, np.zeros(64_000, np.float32)).layout.yaxis.range[1] > 0


@pytest.mark.parametrize("label", LABELS)
def test_text_on_every_emotions_colour_is_readable(label):
    colour, text = emotion_colour(label), contrasting_text_colour(emotion_colour(label))

    def luminance(rgb: str) -> float:
        linear = [
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
            for c in np.array(list(bytes.fromhex(rgb[1:]))) / 255
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(colour), luminance(text)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_without_the_sound_there_is_no_waveform_and_all_else_is_there(three):
    other = prediction(["angry"] * 4, "baseline")
    for draw in (lambda s: timeline_figure(three, s), lambda s: comparison_figure(other, three, s)):
        heard, unheard = draw(SAMPLES), draw(None)
        assert len(unheard.data) == len(heard.data) - 1
        assert unheard.layout.height < heard.layout.height
        assert "amplitude" not in {axis.title.text for axis in unheard.select_yaxes()}
        assert [bar.base for bar in bars(unheard)] == [bar.base for bar in bars(heard)]
        assert unheard.layout.font.size == heard.layout.font.size


def test_turns_are_a_track_below_the_others_in_lanes_where_they_overlap():
    three = prediction(["sad", "angry", "sad"])
    p = three.segments[0].probabilities
    turns = (LabelledTurn(0, 0.0, 1.0, p, "<Anna>"), LabelledTurn(1, 0.5, 1.5, p, "Ben"), LabelledTurn(2, 1.5, 2.0, p))
    spoken = replace(three, turns=turns)
    figure = timeline_figure(spoken, SAMPLES, truth=KNOWN)
    (bars_of_turns,) = tracks(figure, SPOKEN)
    label = three.segments[0].label
    assert list(bars_of_turns.text) == [f"&lt;Anna&gt;: {label}", f"Ben: {label}", label]
    assert list(bars_of_turns.y) == [2, 3, 2]
    assert list(zip(bars_of_turns.base, bars_of_turns.x, strict=True)) == [(0.0, 1.0), (0.5, 1.0), (1.5, 0.5)]
    assert figure.layout.height - timeline_figure(three, SAMPLES, truth=KNOWN).layout.height == 2 * TRACK_PX
    assert not tracks(timeline_figure(three, SAMPLES), SPOKEN)
