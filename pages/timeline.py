"""Which emotion does a model hear, and when? Upload, record or pick a recording; click to hear a segment."""

import streamlit as st

from pages.shared.app.address import stop_page
from pages.shared.app.chart_toolbar import choose_image_format
from pages.shared.app.pickers import choose_context, choose_min_speech, choose_model, choose_rule
from pages.shared.app.shell import set_up_page
from pages.shared.recording import file_list
from pages.shared.recording.analysis import recording_samples
from pages.shared.recording.channel_picker import choose_channels
from pages.shared.recording.downloads import offer_downloads
from pages.shared.recording.known_changes import ask_for_known_changes
from pages.shared.recording.player import PlayableSpan, show_player
from pages.shared.recording.source_picker import choose_source, obtain_recordings, show_recording_name
from pages.shared.recording.turns import ask_for_turns, show_turns
from pages.shared.text import common
from segser_core.figures.timeline import probability_figure, timeline_figure
from segser_core.inference.models import list_models

set_up_page()
st.title("Which emotion, when?")

models = list_models()
with st.container(border=True):
    source_column, model_column, rule_column, context_column = st.columns([5, 5, 6, 4])
    with source_column:
        source = choose_source()
    with model_column:
        model = choose_model(models)
    with rule_column:
        rule = choose_rule(model.system)
    with context_column:
        context = choose_context()
        min_speech = choose_min_speech()
    recordings = choose_channels(obtain_recordings(source))

files = (
    file_list.analyse_files(recordings, model=model.name, context=context, rule=rule, min_speech=min_speech)
    if recordings
    else []
)
shown = file_list.choose_file(files) if files else None
if shown is None or shown.prediction is None:
    st.info(common.NOTHING_YET, icon=":material/graphic_eq:")
    stop_page()

recording, prediction = shown.recording, shown.prediction
samples = recording_samples(recording)

label_column, probability_column = st.columns([2, 3], gap="large")
with label_column:
    show_recording_name(recording)
    st.metric("The model hears", common.label_or_none(prediction))
    st.markdown(common.label_origin(prediction))
    for warning in prediction.warnings:
        st.warning(warning, icon=":material/warning:")
with probability_column:
    if prediction.label:
        bars = probability_figure(prediction)
        st.plotly_chart(bars, key="probabilities", theme=None, config={"displayModeBar": False})

truth = ask_for_known_changes(recording, prediction)
prediction = ask_for_turns(recording, samples, prediction, min_speech)
spans = [
    PlayableSpan(s.start_s, s.end_s, line)
    for s, line in zip(prediction.segments, common.segment_lines(prediction), strict=True)
]
show_player(
    lambda playing, view: timeline_figure(prediction, samples, playing, view, truth),
    spans,
    samples,
    key=recording.sound,
    alt="The waveform, each segment's most probable emotion, the label over time, and each emotion's probability",
)
st.markdown(common.timeline_caption(prediction, model))
if prediction.turns:
    show_turns(prediction.turns, samples, key=recording.sha256)
offer_downloads(prediction, [file.prediction for file in files if file.prediction is not None])
choose_image_format()
