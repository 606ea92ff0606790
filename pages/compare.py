"""What do segments and triplets change? Two models on one recording and one time axis, or two runs on their clips."""

import streamlit as st

from pages.shared.app.address import stop_page
from pages.shared.app.chart_toolbar import choose_image_format
from pages.shared.app.pickers import choose_context, choose_min_speech, choose_subject
from pages.shared.app.preload import preload_plotly
from pages.shared.app.shell import set_up_page
from pages.shared.recording.analysis import predict_recording, recording_samples
from pages.shared.recording.player import PlayableSpan, show_player
from pages.shared.recording.source_picker import choose_source, obtain_recording, show_recording_name
from pages.shared.runs.agreement import show_agreement
from pages.shared.runs.run_picker import choose_runs
from pages.shared.text import common
from segser_core.figures.timeline import comparison_figure
from segser_core.inference.models import list_models

set_up_page()
st.title("What do segments and triplets change?")

if choose_subject() == "runs":
    with preload_plotly():
        choice = choose_runs()
    if choice is not None:
        show_agreement(choice)
    stop_page()

with st.container(border=True):
    source_column, context_column = st.columns([1, 3])
    with source_column:
        source = choose_source()
    with context_column:
        context = choose_context()
        min_speech = choose_min_speech()
    recording = obtain_recording(source)

if recording is None:
    st.info(common.NOTHING_YET, icon=":material/graphic_eq:")
    stop_page()

samples = recording_samples(recording)
models = list_models()[:2]
a, b = (predict_recording(recording, samples, model.name, context, min_speech=min_speech) for model in models)

show_recording_name(recording)
for column, model, prediction in zip(st.columns(2, border=True), models, (a, b), strict=True):
    with column:
        st.metric(f"{common.model_title(model)} hears", common.label_or_none(prediction))
        st.markdown(common.label_origin(prediction))
for warning in dict.fromkeys(a.warnings + b.warnings):
    st.warning(warning, icon=":material/warning:")
st.markdown(common.disagreement_text(a, b))

spans = [PlayableSpan(*span, line) for span, line in common.comparison_lines(a, b)]
show_player(
    lambda playing, view: comparison_figure(a, b, samples, None if playing is None else spans[playing].span, view),
    spans,
    samples,
    key=recording.sha256,
    alt="The timelines of both models below one waveform; where they name different emotions is shaded",
)
st.markdown(common.comparison_caption((a, b), models))
choose_image_format()
