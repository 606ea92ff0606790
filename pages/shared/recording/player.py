"""A chart, the list of its segments and one player: whatever is clicked is heard."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from pages.shared.app.chart_toolbar import toolbar
from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.audio.waveform import cut_wav
from segser_core.prediction.timeline import Stretch

WHOLE = -1
PART = 25  # chart and list show this many segments at a time, about 20 s
LONG = 15  # a longer list scrolls


@dataclass(frozen=True)
class Moment:
    """A stretch of the recording that can be heard, and its line in the list."""

    start_s: float
    end_s: float
    line: str

    @property
    def stretch(self) -> Stretch:
        """Start and end, in seconds."""
        return self.start_s, self.end_s


@st.fragment
def listen(
    draw: Callable[[int | None, Stretch | None], go.Figure],
    moments: Sequence[Moment],
    samples: np.ndarray | None,
    key: str,
    alt: str,
) -> None:
    """Show a chart beside a list; a click in either plays that stretch, with no rerun of the page.

    Without the sound a click marks the stretch in the chart.

    Args:
        draw: the place of the moment that is playing (None: the whole recording), the stretch to
            show (None: all) → the chart.
        moments: in order of time.
        samples: (N,) the recording at 16 kHz; None where it is not at hand.
        key: of the recording; another recording begins anew.
        alt: what the chart shows, for those who cannot see it.
    """
    choice = f"moment-{key}"
    now = st.session_state.setdefault(choice, WHOLE)
    chart, listing = st.columns([3, 1], gap="medium")
    with chart:
        st.plotly_chart(
            draw(None if now == WHOLE else now, _view(now, moments)),
            key=f"chart-{key}",
            theme=None,
            on_select=lambda: _choose_in_chart(choice, f"chart-{key}", moments),
            selection_mode="points",
            config={"modeBarButtonsToRemove": ["autoScale2d", "zoom2d"], **toolbar("segser-timeline")},
            alt=alt,
        )
        _player(choice, moments, samples)
    with listing:
        _list(choice, moments, silent=samples is None)


def _parts(moments: Sequence[Moment]) -> list[range]:
    """The places of the moments, a part of the recording at a time."""
    return [range(i, min(i + PART, len(moments))) for i in range(0, len(moments), PART)]


def _view(now: int, moments: Sequence[Moment]) -> Stretch | None:
    """The part of a long recording that the moment lies in; None where all is shown."""
    if now == WHOLE or len(moments) <= PART:
        return None
    part = _parts(moments)[now // PART]
    return moments[part[0]].start_s, moments[part[-1]].end_s


def _player(choice: str, moments: Sequence[Moment], samples: np.ndarray | None) -> None:
    """Steps through the moments, and the chosen one's sound; it starts by itself once a visitor has chosen one."""
    now = st.session_state[choice]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Previous", icon=":material/skip_previous:", on_click=_choose, args=(choice, now - 1), disabled=now == WHOLE
        )
        st.button(
            "Next",
            icon=":material/skip_next:",
            on_click=_choose,
            args=(choice, now + 1),
            disabled=now == len(moments) - 1,
        )
        if samples is not None:
            _sound(samples, None if now == WHOLE else moments[now], st.session_state.get(f"{choice}-plays", 0))


def _sound(samples: np.ndarray, moment: Moment | None, plays: int) -> None:
    start_s, end_s = (0.0, len(samples) / SAMPLE_RATE_HZ) if moment is None else moment.stretch
    # The count makes each choice a new player: one that comes back would stay silent.
    alt = f"{start_s:.2f} to {end_s:.2f} s, play {plays}"
    st.audio(cut_wav(samples, start_s, end_s), format="audio/wav", autoplay=plays > 0, alt=alt)


def _list(choice: str, moments: Sequence[Moment], silent: bool) -> None:
    """The moments as a list that the keyboard reaches, a part at a time where there are many."""
    now = st.session_state[choice]
    parts = _parts(moments)
    here = max(now, 0) // PART
    if len(parts) > 1:
        st.session_state[f"{choice}-part"] = here
        st.selectbox(
            "Part of the recording",
            range(len(parts)),
            key=f"{choice}-part",
            format_func=lambda i: f"{moments[parts[i][0]].start_s:.1f}–{moments[parts[i][-1]].end_s:.1f} s",
            on_change=lambda: _choose(choice, parts[st.session_state[f"{choice}-part"]][0]),
        )
    with st.container(height=430 if len(parts[here]) > LONG else "content", border=False):
        st.radio(
            "Choose a stretch" if silent else "Choose what to hear",
            [WHOLE, *parts[here]],
            key=choice,
            format_func=lambda i: "whole recording" if i == WHOLE else moments[i].line,
            on_change=_count_play,
            args=(choice,),
        )


def _choose(choice: str, moment: int) -> None:
    st.session_state[choice] = moment
    _count_play(choice)


def _choose_in_chart(choice: str, chart: str, moments: Sequence[Moment]) -> None:
    """The moment under the click: bars and markers carry its start and end."""
    points = st.session_state[chart].selection.points
    starts = [point["customdata"][1] for point in points if point.get("customdata")]
    found = [i for i, moment in enumerate(moments) if moment.start_s in starts[:1]]
    if found:
        _choose(choice, found[0])


def _count_play(choice: str) -> None:
    plays = f"{choice}-plays"
    st.session_state[plays] = st.session_state.get(plays, 0) + 1
