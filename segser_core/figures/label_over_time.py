"""Draw how true a run's label over time is: floor, share of time that is right, and ceiling, on one axis of percent.

Runs are told apart as in `figures.scores`, by colour and symbol, and by their names in the legend.
"""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from segser_core.figures.scores import LEGEND, LINES, RUN_SYMBOLS
from segser_core.figures.style import AXIS_PX, FONT_PX, INK, LEGEND_LINE_PX, apply_style, label_width_px
from segser_core.formatting import percent
from segser_core.prediction.prediction import Context
from segser_core.statistics.diarization_report import CONTEXT_TITLES
from segser_core.statistics.emotion_diarization import DiarizationSummary

SHARE_ROW_PX, BAND_WIDTH, CONTEXTS_APART, TOP_ROWS = 54, 0.3, 0.35, 0.7  # the last three in rows
BAND_FILL = "rgba(118,118,118,0.28)"
NUMBER_APART = 0.02  # of the axis
ScoresByContext = Mapping[str, Mapping[Context, DiarizationSummary]]  # by the run's name


def share_of_time_figure(found: ScoresByContext) -> go.Figure:
    """Draw a row a context and run: a band from floor to ceiling, and the share of time with its interval on it.

    Args:
        found: of one or two runs; a context that only one of them has is a row of that one.
    """
    rows = [(context, name) for context in CONTEXT_TITLES for name in found if context in found[name]]
    y = row_places([context for context, _ in rows])
    figure = go.Figure()
    for place, name in enumerate(found):
        own = {y[i]: (context, found[name][context]) for i, (context, run) in enumerate(rows) if run == name}
        figure.add_trace(_bands(own, legend=place == 0))
        figure.add_trace(_shares(name, own, place))
        figure.add_trace(_bounds(own))
    _lay_out(figure, rows, y)
    height = round(SHARE_ROW_PX * (y[-1] + 0.5 + TOP_ROWS)) + AXIS_PX + LEGEND_LINE_PX
    left_px = label_width_px([f"<b>{CONTEXT_TITLES[context]}</b>" for context, _ in rows])
    return apply_style(figure, height, left_px=left_px, top_px=LEGEND_LINE_PX, bottom_px=AXIS_PX)


def row_places(contexts: list[Context]) -> list[float]:
    """Place rows one below the other, those of another context a little apart.

    Example:
        >>> row_places(["clip", "clip", "segment"])
        [0.0, 1.0, 2.35]
    """
    kinds = list(dict.fromkeys(contexts))
    return [i + CONTEXTS_APART * kinds.index(context) for i, context in enumerate(contexts)]


def _lay_out(figure: go.Figure, rows: list[tuple[Context, str]], y: list[float]) -> None:
    contexts = list(dict.fromkeys(context for context, _ in rows))
    middles = [float(np.mean([at for at, (c, _) in zip(y, rows, strict=True) if c == context])) for context in contexts]
    figure.update_yaxes(
        range=[y[-1] + 0.5, -TOP_ROWS],
        tickmode="array",
        tickvals=middles,
        ticktext=[f"<b>{CONTEXT_TITLES[context]}</b> " for context in contexts],
        showgrid=False,
        zeroline=False,
        fixedrange=True,
    )
    figure.update_xaxes(title="share of time that is labelled right (%)", range=[-0.06, 1.08], zeroline=False)
    figure.update_xaxes(tickvals=[i / 5 for i in range(6)], ticktext=[f"{20 * i}" for i in range(6)], fixedrange=True)
    figure.update_layout(legend=LEGEND | {"itemclick": False, "itemdoubleclick": False}, hovermode="closest")


def _bands(own: Mapping[float, tuple[Context, DiarizationSummary]], legend: bool) -> go.Bar:
    """Draw the span from floor to ceiling; the floor alone where the ceiling is not known."""
    floors = [of.floor.value for _, of in own.values()]
    ceilings = [of.ceiling.value for _, of in own.values()]
    return go.Bar(
        base=floors,
        x=np.subtract(ceilings, floors),
        y=list(own),
        width=BAND_WIDTH,
        orientation="h",
        marker={"color": BAND_FILL, "line": {"color": INK, "width": 1}},
        hovertext=[
            f"floor {percent(floor)} %: one label for the whole recording<br>"
            f"ceiling {percent(ceiling)} %: each stretch analysed alone"
            for floor, ceiling in zip(floors, ceilings, strict=True)
        ],
        hovertemplate="%{hovertext}<extra></extra>",
        name="floor to ceiling",
        legendgroup="band",
        showlegend=legend,
    )


def _shares(name: str, own: Mapping[float, tuple[Context, DiarizationSummary]], place: int) -> go.Scatter:
    """Mark the share of time of a run, its number above it and its interval around it."""
    shares = [of.share_of_time for _, of in own.values()]
    values = np.array([s.value for s in shares])
    low, high = (np.array([getattr(s.interval, side) for s in shares]) for side in ("low", "high"))
    colour = LINES[place]["color"]
    return go.Scatter(
        x=values,
        y=list(own),
        mode="markers+text",
        marker={"color": colour, "symbol": RUN_SYMBOLS[place], "size": 13, "line": {"color": colour, "width": 2.5}},
        text=[f"<b>{percent(v)}</b>" for v in values],
        textposition="top center",
        textfont_size=FONT_PX,
        error_x={
            "type": "data",
            "symmetric": False,
            "array": np.nan_to_num(high - values).clip(min=0),
            "arrayminus": np.nan_to_num(values - low).clip(min=0),
            "color": colour,
            "thickness": 2,
            "width": 6,
        },
        hovertext=[_share_hover(name, context, of) for context, of in own.values()],
        hovertemplate="%{hovertext}<extra></extra>",
        name=name,
        cliponaxis=False,
    )


def _share_hover(name: str, context: Context, of: DiarizationSummary) -> str:
    lines = [f"<b>{name}</b>, {CONTEXT_TITLES[context]}", f"right in {percent(of.share_of_time.value)} % of the time"]
    for interval, how in ((of.share_of_time.interval, "recording"), (of.share_of_time.by_speaker, "speaker")):
        if interval is not None and interval.low == interval.low:
            lines.append(f"95 %: {percent(interval.low)} to {percent(interval.high)} by {how}")
    return "<br>".join(lines)


def _bounds(own: Mapping[float, tuple[Context, DiarizationSummary]]) -> go.Scatter:
    """Write floor and ceiling beside the band, clear of the interval."""
    x, y, texts, positions = [], [], [], []
    for at, (_, of) in own.items():
        shown = of.share_of_time.interval
        for value, ends, apart, position in (
            (of.floor.value, np.fmin(of.floor.value, shown.low), -NUMBER_APART, "middle left"),
            (of.ceiling.value, np.fmax(of.ceiling.value, shown.high), NUMBER_APART, "middle right"),
        ):
            if value == value:
                x.append(float(ends) + apart / 2)
                y.append(at)
                texts.append(percent(value))
                positions.append(position)
    return go.Scatter(
        x=x,
        y=y,
        mode="text",
        text=texts,
        textposition=positions,
        textfont_size=FONT_PX,
        hoverinfo="skip",
        showlegend=False,
        cliponaxis=False,
    )
