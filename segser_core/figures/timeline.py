"""Draw predictions over time: one colour and one marker for each emotion.

Bars and markers carry `customdata` = [segment index, start_s, end_s], so that a click tells which segment.
"""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.audio.waveform import waveform_envelope
from segser_core.figures.style import (
    FONT_PX,
    INK,
    NO_SPEECH_COLOUR,
    SYMBOLS,
    UNCHANGED,
    apply_style,
    contrasting_text_colour,
)
from segser_core.figures.tracks import TRACK_PX, add_tracks, track_names
from segser_core.labels import LABELS, emotion_colour
from segser_core.prediction.prediction import Prediction, Segment
from segser_core.prediction.stretches import Stretch
from segser_core.prediction.timeline import TimeSpan, assign_lanes, find_disagreements, segment_centre_s

WAVEFORM_PX, STRIP_PX, LANE_PX, PROBABILITY_PX, GAP_PX, LEGEND_PX = 80, 20, 34, 180, 26, 84
MOST_INSET_S = 0.1
ALL_AT_ONCE_S = 30  # a longer view can be zoomed and moved
MOST_MARKERS = 2000  # above this many points the probabilities are lines alone
SHADE, FAINT_SHADE = "rgba(128, 128, 128, 0.28)", "rgba(128, 128, 128, 0.14)"
BARE = {"showgrid": False, "zeroline": False, "showticklabels": False, "fixedrange": True}


def timeline_figure(
    prediction: Prediction,
    samples: np.ndarray | None,
    playing: int | None = None,
    view: TimeSpan | None = None,
    truth: Sequence[Stretch] = (),
) -> go.Figure:
    """Draw waveform, segments with their most probable emotion, label over time, and probabilities over time.

    Args:
        prediction: what the model says.
        samples: (N,) the recording at 16 kHz; None where it is not at hand, and there is no waveform.
        playing: index of the segment that is being heard; its stretch is shaded.
        view: the stretch to show; all where it is None.
        truth: stretches of the true emotions, drawn below the label over time; empty where they are not known.
    """
    view = view or (0.0, prediction.duration_s)
    wave = [] if samples is None else [WAVEFORM_PX]
    figure = _canvas([*wave, *_model_heights(prediction, truth)], view)
    _add_waveform(figure, 1, samples, view)
    _add_model(figure, len(wave) + 1, prediction, truth, legend=True)
    if playing is not None:
        segment = prediction.segments[playing]
        _shade(figure, [(segment.start_s, segment.end_s)], SHADE)
    return figure


def comparison_figure(
    a: Prediction,
    b: Prediction,
    samples: np.ndarray | None,
    playing: TimeSpan | None = None,
    view: TimeSpan | None = None,
    truth: Sequence[Stretch] = (),
) -> go.Figure:
    """Draw the timelines of two models on one time axis; disagreements are shaded and marked ≠.

    Args:
        a, b: what the models say of the same recording.
        samples: (N,) the recording at 16 kHz; None where it is not at hand, and there is no waveform.
        playing: the stretch that is being heard, framed by dotted lines.
        view: the stretch to show; all where it is None.
        truth: stretches of the true emotions, drawn below each model's label over time; empty where not known.
    """
    view = view or (0.0, a.duration_s)
    wave = [] if samples is None else [WAVEFORM_PX]
    heights = [*wave, STRIP_PX, *_model_heights(a, truth), *_model_heights(b, truth)]
    titles = [*([""] * (len(wave) + 1)), f"<b>{a.model}</b>", "", "", f"<b>{b.model}</b>", "", ""]
    figure = _canvas(heights, view, titles)
    _add_waveform(figure, 1, samples, view)
    apart = find_disagreements(a, b)
    strip = len(wave) + 1
    _add_disagreements(figure, strip, apart, visible_s=view[1] - view[0])
    _add_model(figure, strip + 1, a, truth, legend=True)
    _add_model(figure, strip + 4, b, truth, legend=False)
    _shade(figure, apart, FAINT_SHADE)
    for edge in playing or ():
        figure.add_vline(edge, line={"color": INK, "width": 2, "dash": "dot"})
    return figure


def _model_heights(prediction: Prediction, truth: Sequence[Stretch]) -> list[int]:
    """List the heights in pixels of the rows of `_add_model`."""
    lanes = 1 + max(assign_lanes(prediction.segments))
    return [lanes * LANE_PX, len(track_names(prediction, truth)) * TRACK_PX, PROBABILITY_PX]


def _add_model(figure: go.Figure, row: int, prediction: Prediction, truth: Sequence[Stretch], legend: bool) -> None:
    """Draw what one model says in three rows: segments, tracks, probabilities."""
    start_s, end_s = figure.layout.xaxis.range
    _add_segments(figure, row, prediction, visible_s=end_s - start_s)
    add_tracks(figure, row + 1, prediction, truth, legend)
    _add_probabilities(figure, row + 2, prediction, legend)


def probability_figure(prediction: Prediction) -> go.Figure:
    """Draw the recording's probabilities, as horizontal bars with the most probable on top."""
    ranked = sorted(prediction.probabilities.items(), key=lambda item: item[1])
    labels, values = [label for label, _ in ranked], [p for _, p in ranked]
    bars = go.Bar(
        x=values,
        y=[f"<b>{label}</b>" if label == prediction.label else label for label in labels],
        orientation="h",
        marker_color=[emotion_colour(label) for label in labels],
        text=[f"{p:.2f}" for p in values],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y} %{x:.3f}<extra></extra>",
    )
    figure = go.Figure(bars)
    figure.update_xaxes(title="probability", range=[0, 1.18], **BARE)
    figure.update_yaxes(fixedrange=True, ticksuffix=" ")
    return apply_style(figure, height=26 * len(labels) + 24, toolbar_px=0)


def _canvas(heights: list[int], view: TimeSpan, titles: list[str] | None = None) -> go.Figure:
    """Lay out rows of these heights in pixels over one time axis."""
    inner = sum(heights) + GAP_PX * (len(heights) - 1)
    figure = make_subplots(
        rows=len(heights),
        shared_xaxes=True,
        row_heights=heights,
        vertical_spacing=GAP_PX / inner,
        subplot_titles=titles,
    )
    figure.update_annotations(x=0, xanchor="left", font_size=FONT_PX + 1)
    figure.update_xaxes(range=view, showgrid=False, zeroline=False, fixedrange=view[1] - view[0] <= ALL_AT_ONCE_S)
    figure.update_xaxes(title="time (s)", row=len(heights))
    figure.update_layout(
        bargap=0,
        barmode="overlay",  # or bars of two traces in a row give way to one another
        hovermode="closest",
        legend={
            "orientation": "h",
            "y": -66 / inner,
            "yanchor": "top",
            "x": 0,
            "itemsizing": "constant",
        },
        uniformtext={"minsize": FONT_PX, "mode": "hide"},
    )
    return apply_style(figure, height=inner + LEGEND_PX)


def _add_waveform(figure: go.Figure, row: int, samples: np.ndarray | None, view: TimeSpan) -> None:
    if samples is None:
        return
    first, end = (round(edge * SAMPLE_RATE_HZ) for edge in view)
    times, values = waveform_envelope(samples[first:end])
    line = go.Scatter(
        x=view[0] + times, y=values, mode="lines", line={"color": INK, "width": 1}, hoverinfo="skip", showlegend=False
    )
    figure.add_trace(line, row=row, col=1)
    peak = max(float(-samples.min()), float(samples.max()), 0.01)
    figure.update_yaxes(
        title="amplitude",
        range=[-1.1 * peak, 1.1 * peak],
        tickvals=[-peak, 0, peak],
        tickformat=".2r",
        showgrid=False,
        zeroline=False,
        fixedrange=True,
        row=row,
    )


def _add_segments(figure: go.Figure, row: int, prediction: Prediction, visible_s: float) -> None:
    """Draw segments as bars in lanes, the first lane on top; the deciding one is ringed, no speech is grey."""
    segments, lanes, decided = prediction.segments, assign_lanes(prediction.segments), prediction.deciding_segment
    inset = min(0.002 * visible_s, MOST_INSET_S)  # neighbours in one lane stay apart
    colours = [emotion_colour(s.label) if s.is_heard else NO_SPEECH_COLOUR for s in segments]
    bars = go.Bar(
        base=[s.start_s + inset for s in segments],
        x=[s.end_s - s.start_s - 2 * inset for s in segments],
        y=lanes,
        width=0.74,
        orientation="h",
        marker_color=colours,
        text=[f"★ {s.label}" if s is decided else s.label if s.is_heard else "no speech" for s in segments],
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        textfont={"color": [contrasting_text_colour(c) for c in colours], "size": FONT_PX},
        customdata=[_where(s) for s in segments],
        hovertext=[_hover(s) for s in segments],
        hovertemplate="%{hovertext}<extra></extra>",
        name="segments",
        showlegend=False,
        selected=UNCHANGED,
        unselected=UNCHANGED,
    )
    figure.add_trace(bars, row=row, col=1)
    figure.update_yaxes(title="segments", range=[max(lanes) + 0.5, -0.5], row=row, **BARE)
    if decided is not None:
        _ring(figure, row, decided, lanes[decided.index])


def _ring(figure: go.Figure, row: int, segment: Segment, lane: int) -> None:
    figure.add_shape(
        type="rect",
        x0=segment.start_s,
        x1=segment.end_s,
        y0=lane - 0.47,
        y1=lane + 0.47,
        line={"color": INK, "width": 3},
        row=row,
        col=1,
    )


def _add_probabilities(figure: go.Figure, row: int, prediction: Prediction, legend: bool) -> None:
    """Draw a line an emotion, with a marker at the centre of each segment; it is broken where there is no speech."""
    segments = prediction.segments
    marked = len(segments) * len(prediction.labels) <= MOST_MARKERS
    for label in prediction.labels:
        line = go.Scatter(
            x=[segment_centre_s(s) for s in segments],
            y=[s.probabilities[label] if s.is_heard else None for s in segments],
            mode="lines+markers" if marked else "lines",
            line={"color": emotion_colour(label), "width": 2},
            marker={"symbol": SYMBOLS[LABELS.index(label)] if label in LABELS else "circle-open", "size": 8},
            customdata=[_where(s) for s in segments],
            hovertemplate=f"{label} %{{y:.2f}}<br>%{{customdata[1]:.2f}}–%{{customdata[2]:.2f}} s<extra></extra>",
            name=label,
            legendgroup=label,
            showlegend=legend,
            cliponaxis=False,
            selected=UNCHANGED,
            unselected=UNCHANGED,
        )
        figure.add_trace(line, row=row, col=1)
    figure.update_yaxes(title="probability", range=[0, 1.02], tickvals=[0, 0.5, 1], fixedrange=True, row=row)


def _add_disagreements(figure: go.Figure, row: int, stretches: list[TimeSpan], visible_s: float) -> None:
    """Draw a strip that is filled and marked ≠ where two models disagree."""
    bars = go.Bar(
        base=[start for start, _ in stretches],
        x=[end - start for start, end in stretches],
        y=[0] * len(stretches),
        width=1,
        orientation="h",
        marker_color=INK,
        hovertext=[f"they differ in {start:.2f}–{end:.2f} s" for start, end in stretches],
        hovertemplate="%{hovertext}<extra></extra>",
        showlegend=False,
    )
    figure.add_trace(bars, row=row, col=1)
    figure.update_yaxes(range=[-0.5, 0.5], row=row, **BARE)
    middles = [(start + end) / 2 for start, end in stretches if end - start > 0.02 * visible_s]
    marks = go.Scatter(
        x=middles,
        y=[0] * len(middles),
        mode="text",
        text=["<b>≠</b>"] * len(middles),
        textfont={"color": "#FFFFFF", "size": FONT_PX + 3},
        hoverinfo="skip",
        showlegend=False,
    )
    figure.add_trace(marks, row=row, col=1)


def _shade(figure: go.Figure, stretches: Sequence[TimeSpan], colour: str) -> None:
    """Shade spans of time from the top of the figure to its bottom, below everything that is drawn."""
    common = {"type": "rect", "xref": "x", "yref": "paper", "y0": 0, "y1": 1, "layer": "below"}
    shapes = [{**common, "x0": x0, "x1": x1, "fillcolor": colour, "line": {"width": 0}} for x0, x1 in stretches]
    figure.layout.shapes += tuple(go.layout.Shape(shape) for shape in shapes)


def _where(segment: Segment) -> list[float]:
    return [segment.index, segment.start_s, segment.end_s]


def _hover(segment: Segment) -> str:
    ranked = sorted(segment.probabilities.items(), key=lambda item: -item[1])
    lines = [f"<b>{segment.start_s:.2f}–{segment.end_s:.2f} s</b>", *(f"{label} {p:.2f}" for label, p in ranked)]
    return "<br>".join(lines if segment.is_heard else [lines[0], "no speech"])
