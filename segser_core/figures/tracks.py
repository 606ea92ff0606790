"""Draw tracks on a time axis: the label over time, which is called `heard`, above the truth where it is known."""

from collections.abc import Sequence

import plotly.graph_objects as go

from segser_core.figures.style import FONT_PX, INK, UNCHANGED, contrasting_text_colour
from segser_core.labels import emotion_colour
from segser_core.prediction.known_changes import find_wrong_time
from segser_core.prediction.prediction import Prediction
from segser_core.prediction.stretches import Stretch
from segser_core.prediction.timeline import label_over_time

TRACK_PX = 32  # a line of text and the room that plotly keeps around it
TRUTH, HEARD, DIFFERS = "truth", "heard", "heard is not the truth"
TRACK_WIDTH, MARK_WIDTH = 0.82, 0.18  # of a lane; the mark of a difference lies between both tracks


def track_count(truth: Sequence[Stretch]) -> int:
    """Count the tracks: the label over time, and the truth where it is known."""
    return 2 if truth else 1


def add_tracks(figure: go.Figure, row: int, prediction: Prediction, truth: Sequence[Stretch], legend: bool) -> None:
    """Draw the label over time, above the truth where it is known, and mark between both where they differ.

    Args:
        figure: with a row for the tracks, `TRACK_PX` for each.
        row: its number, from 1.
        prediction: of the recording.
        truth: its stretches; empty where they are not known.
        legend: whether the mark is named in the legend.
    """
    names = [HEARD, TRUTH] if truth else [HEARD]
    figure.add_trace(_stretch_bars(label_over_time(prediction), HEARD, 0), row=row, col=1)
    if truth:
        figure.add_trace(_wrong_bars(prediction, truth, legend), row=row, col=1)
        figure.add_trace(_stretch_bars(truth, TRUTH, 1), row=row, col=1)
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
    colours = [emotion_colour(s.label) for s in stretches]
    return go.Bar(
        base=[s.start_s for s in stretches],
        x=[s.duration_s for s in stretches],
        y=[lane] * len(stretches),
        width=TRACK_WIDTH,
        orientation="h",
        marker={"color": colours, "line": {"width": 0}},
        text=[s.label for s in stretches],
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        textfont={"color": [contrasting_text_colour(c) for c in colours], "size": FONT_PX},
        hovertext=[f"<b>{name}: {s.label}</b><br>{s.start_s:.2f}–{s.end_s:.2f} s" for s in stretches],
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
