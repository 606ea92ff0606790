"""Choose which audio track and channel of a recording is heard, where it has more than one."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import streamlit as st

from pages.shared.recording.recording import RecordingFile
from segser_core.audio.channels import AudioChoice
from segser_core.audio.loading import count_channels, count_tracks
from segser_core.errors import AudioError

Channel = int | Literal["mean", "each"]


def choose_channels(recordings: Sequence[RecordingFile]) -> list[RecordingFile]:
    """Choose track and channel for all recordings; with `each`, every channel is a recording of its own.

    Nothing is asked where all have one track of one channel.
    """
    most_tracks = max((_count_tracks(r) for r in recordings), default=1)
    with st.container(horizontal=True):
        track = _choose_track(most_tracks) if most_tracks > 1 else None
        channels = [_count_channels(r, track) for r in recordings]
        channel = _choose_channel(max(channels)) if max(channels, default=1) > 1 else "mean"
    if channel != "each":
        choice = AudioChoice(track, None if channel == "mean" else channel)
        return [replace(r, choice=choice) for r in recordings]
    return [
        replace(r, name=f"{r.name}, channel {c}", choice=AudioChoice(track, c))
        for r, n in zip(recordings, channels, strict=True)
        for c in range(1, n + 1)
    ]


def _choose_track(most: int) -> int | None:
    return st.selectbox(
        "Audio track",
        [None, *range(1, most + 1)],
        key="audio-track",
        format_func=lambda n: "the one that players take" if n is None else f"track {n}",
        help="The file has several audio tracks.",
    )


def _choose_channel(most: int) -> Channel:
    titles: dict[Channel, str] = {"mean": "mean of all channels", "each": "each channel by itself"}
    channels: list[Channel] = ["mean", *range(1, most + 1), "each"]
    return st.selectbox(
        "Channel",
        channels,
        key="audio-channel",
        format_func=lambda c: titles.get(c, f"channel {c}"),
        help="The recording has several channels, such as a call with a speaker on each.",
    )


@st.cache_data(
    scope="session",
    max_entries=200,
    show_spinner=False,
    hash_funcs={RecordingFile: lambda recording: recording.sha256},
)
def _count_tracks(recording: RecordingFile) -> int:
    try:
        return count_tracks(recording.data)
    except AudioError:  # said when it is analysed
        return 1


@st.cache_data(
    scope="session",
    max_entries=200,
    show_spinner=False,
    hash_funcs={RecordingFile: lambda recording: recording.sha256},
)
def _count_channels(recording: RecordingFile, track: int | None) -> int:
    try:
        return count_channels(recording.data, track)
    except AudioError:
        return 1
