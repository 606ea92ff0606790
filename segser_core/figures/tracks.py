"""Draw tracks on a time axis: the label over time, which is called `heard`, the truth where it is known, and turns."""

from collections.abc import Sequence
from html import escape

import plotly.graph_objects as go

from segser_core.figures.style import FONT_PX, INK, NO_SPEECH_COLOUR, UNCHANGED, contrasting_text_colour
from segser_core.labels import emotion_colour
from segser_core.prediction.known_changes import find_wrong_time
from segser_core.prediction.prediction import LabelledTurn, Prediction
from segser_core.prediction.stretches import Stretch
from segser_core.prediction.timeline import assign_lanes, label_over_time

TRACK_PX = 32  # a line of text and the room that plotly keeps around it
TRUTH, HEARD, DIFFERS, SPOKEN = "truth", "heard", "heard is not the truth", "turns"
TRACK_WIDTH, MARK_WIDTH = 0.82, 0.18  # of a lane; the mark of a difference lies between both tracks


def track_names(prediction: Prediction, truth: Sequence[Stretch]) -> list[str]:
    """Name the tracks from the top: the label over time, the truth where it is known, as many as turns take."""
    lanes = assign_lanes(prediction.turns or ())
    return [HEARD, *([TRUTH] if truth else []), *([SPOKEN, *([""] * max(lanes))] if lanes else [])]


def add_tracks(figure: go.Figure, row: int, prediction: Prediction, truth: Sequence[Stretch], legend: bool) -> None:
    """Draw the label over time, above the truth where it is known, marked between both where they differ; then turns.

    Args:
        figure: with a row for the tracks, `TRACK_PX` for each.
        row: its number, from 1.
        prediction: of the recording.
        truth: its stretches; empty where they are not known.
        legend: whether the mark is named in the legend.
    """
    names = track_names(prediction, truth)
    figure.add_trace(_stretch_bars(label_over_time(prediction), HEARD, 0), row=row, col=1)
    if truth:
        figure.add_trace(_wrong_bars(prediction, truth, legend), row=row, col=1)
        figure.add_trace(_stretch_bars(truth, TRUTH, 1), row=row, col=1)
    if prediction.turns:
        figure.add_trace(_turn_bars(prediction.turns, names.index(SPOKEN)), row=row, col=1)
    figure.update_yaxes(
        range=[len(names) - 0.5, -0.5],
        tickmode="array",
        tickvals=list(range(len(names))),
        ticktext=names,
        showgrid=False,
        zeroline=False,
        fixedrange=True,
        row=row,
    )


def _stretch_bars(stretches: Sequence[Stretch], name: str, lane: int) -> go.Bar:
    hover = [f"<b>{name}: {s.label}</b><br>{s.start_s:.2f}–{s.end_s:.2f} s" for s in stretches]
    return _bars(stretches, name, lanes=[lane] * len(stretches), texts=[s.label for s in stretches], hover=hover)


def _turn_bars(turns: Sequence[LabelledTurn], first_lane: int) -> go.Bar:
    labels = [t.label if t.is_heard else "no speech" for t in turns]
    names = [f"{escape(t.speaker)}: {label}" if t.speaker else label for t, label in zip(turns, labels, strict=True)]
    hover = [
        f"<b>{name}{f' {t.confidence:.2f}' if t.is_heard else ''}</b><br>{t.start_s:.2f}–{t.end_s:.2f} s"
        for name, t in zip(names, turns, strict=True)
    ]
    return _bars(turns, SPOKEN, lanes=[first_lane + lane for lane in assign_lanes(turns)], texts=names, hover=hover)


def _bars(
    spans: Sequence[Stretch | LabelledTurn], name: str, *, lanes: list[int], texts: list[str], hover: list[str]
) -> go.Bar:
    colours = [emotion_colour(s.label) if getattr(s, "is_heard", True) else NO_SPEECH_COLOUR for s in spans]
    return go.Bar(
        base=[s.start_s for s in spans],
        x=[s.end_s - s.start_s for s in spans],
        y=lanes,
        width=TRACK_WIDTH,
        orientation="h",
        marker={"color": colours, "line": {"width": 0}},
        text=texts,
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        textfont={"color": [contrasting_text_colour(c) for c in colours], "size": FONT_PX},
        hovertext=hover,
        hovertemplate="%{hovertext}<extra></extra>",
        name=name,
        showlegend=False,
        selected=UNCHANGED,
        unselected=UNCHANGED,
    )


def _wrong_bars(prediction: Prediction, truth: Sequence[Stretch], legend: bool) -> go.Bar:
    spans = find_wrong_time(prediction, truth)
    return go.Bar(
        base=[start for start, _ in spans],
        x=[end - start for start, end in spans],
        y=[0.5] * len(spans),
        width=MARK_WIDTH,
        orientation="h",
        marker={"color": INK, "line": {"width": 0}},
        hoverinfo="skip",
        name=DIFFERS,
        legendgroup=DIFFERS,
        showlegend=legend and bool(spans),
        selected=UNCHANGED,
        unselected=UNCHANGED,
    )
