"""A chart, the list of its spans and one player: whatever is clicked is played."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from pages.shared.app.chart_toolbar import toolbar_config
from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.audio.waveform import encode_wav
from segser_core.prediction.timeline import TimeSpan

WHOLE = -1
SPANS_PER_PART = 25  # chart and list show this many spans at a time, about 20 s
SCROLL_ABOVE = 15  # a longer list scrolls
DrawTimeline = Callable[[int | None, TimeSpan | None], go.Figure]  # index of the span that plays, span to show → chart


@dataclass(frozen=True)
class PlayableSpan:
    """A span of the recording that can be played, and its line in the list."""

    start_s: float
    end_s: float
    line: str

    @property
    def span(self) -> TimeSpan:
        """Start and end, in seconds."""
        return self.start_s, self.end_s


@st.fragment
def show_player(
    draw: DrawTimeline, spans: Sequence[PlayableSpan], samples: np.ndarray | None, *, key: str, alt: str
) -> None:
    """Show a chart beside a list; a click in either plays that span, with no rerun of the page.

    Without the sound a click marks the span in the chart.

    Args:
        draw: the index of the span that is playing (None: the whole recording), the span to
            show (None: all) → the chart.
        spans: in order of time.
        samples: (N,) the recording at 16 kHz; None where it is not at hand.
        key: of the recording; another recording begins anew.
        alt: what the chart shows, for those who cannot see it.
    """
    playing_key = f"moment-{key}"
    playing = st.session_state.setdefault(playing_key, WHOLE)
    chart, listing = st.columns([3, 1], gap="medium")
    with chart:
        st.plotly_chart(
            draw(None if playing == WHOLE else playing, _shown_span(playing, spans)),
            key=f"chart-{key}",
            theme=None,
            on_select=lambda: _play_clicked(playing_key, f"chart-{key}", spans),
            selection_mode="points",
            config={"modeBarButtonsToRemove": ["autoScale2d", "zoom2d"], **toolbar_config("segser-timeline")},
            alt=alt,
        )
        _show_controls(playing_key, spans, samples)
    with listing:
        _show_list(playing_key, spans, silent=samples is None)


def _parts(spans: Sequence[PlayableSpan]) -> list[range]:
    """Divide the indices of the spans into parts of the recording."""
    return [range(i, min(i + SPANS_PER_PART, len(spans))) for i in range(0, len(spans), SPANS_PER_PART)]


def _shown_span(playing: int, spans: Sequence[PlayableSpan]) -> TimeSpan | None:
    """Find the part of a long recording in which a span lies; None where all is shown."""
    if playing == WHOLE or len(spans) <= SPANS_PER_PART:
        return None
    part = _parts(spans)[playing // SPANS_PER_PART]
    return spans[part[0]].start_s, spans[part[-1]].end_s


def _show_controls(playing_key: str, spans: Sequence[PlayableSpan], samples: np.ndarray | None) -> None:
    """Show buttons for the span before and after, and a player; it starts by itself once a visitor chose a span."""
    playing = st.session_state[playing_key]
    with st.container(horizontal=True, vertical_alignment="center"):
        for label, icon, target, disabled in (
            ("Previous", ":material/skip_previous:", playing - 1, playing == WHOLE),
            ("Next", ":material/skip_next:", playing + 1, playing == len(spans) - 1),
        ):
            st.button(label, icon=icon, on_click=_play, args=(playing_key, target), disabled=disabled)
        if samples is not None:
            plays = st.session_state.get(f"{playing_key}-plays", 0)
            _show_audio(samples, None if playing == WHOLE else spans[playing], plays)


def _show_audio(samples: np.ndarray, span: PlayableSpan | None, plays: int) -> None:
    start_s, end_s = (0.0, len(samples) / SAMPLE_RATE_HZ) if span is None else span.span
    # The count makes each choice a new player: one that comes back would stay silent.
    alt = f"{start_s:.2f} to {end_s:.2f} s, play {plays}"
    st.audio(encode_wav(samples, start_s, end_s), format="audio/wav", autoplay=plays > 0, alt=alt)


def _show_list(playing_key: str, spans: Sequence[PlayableSpan], silent: bool) -> None:
    """List the spans for the keyboard, a part of the recording at a time where there are many."""
    parts = _parts(spans)
    part = max(st.session_state[playing_key], 0) // SPANS_PER_PART
    part_key = f"{playing_key}-part"
    if len(parts) > 1:
        st.session_state[part_key] = part
        st.selectbox(
            "Part of the recording",
            range(len(parts)),
            key=part_key,
            format_func=lambda i: f"{spans[parts[i][0]].start_s:.1f}–{spans[parts[i][-1]].end_s:.1f} s",
            on_change=lambda: _play(playing_key, parts[st.session_state[part_key]][0]),
        )
    with st.container(height=430 if len(parts[part]) > SCROLL_ABOVE else "content", border=False):
        st.radio(
            "Choose a stretch" if silent else "Choose what to hear",
            [WHOLE, *parts[part]],
            key=playing_key,
            format_func=lambda i: "whole recording" if i == WHOLE else spans[i].line,
            on_change=_count_play,
            args=(playing_key,),
        )


def _play(playing_key: str, index: int) -> None:
    st.session_state[playing_key] = index
    _count_play(playing_key)


def _play_clicked(playing_key: str, chart: str, spans: Sequence[PlayableSpan]) -> None:
    """Play the span under the click: bars and markers carry its start and end."""
    points = st.session_state[chart].selection.points
    starts_s = [point["customdata"][1] for point in points if point.get("customdata")]
    clicked = [i for i, span in enumerate(spans) if span.start_s in starts_s[:1]]
    if clicked:
        _play(playing_key, clicked[0])


def _count_play(playing_key: str) -> None:
    plays = f"{playing_key}-plays"
    st.session_state[plays] = st.session_state.get(plays, 0) + 1
