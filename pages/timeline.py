"""Which emotion does a model hear, and when? Upload, record or pick; click to hear."""

import streamlit as st

from pages.shared.app.address import stop
from pages.shared.app.chart_toolbar import choose_picture
from pages.shared.app.pickers import choose_context, choose_model, choose_rule
from pages.shared.app.shell import shell
from pages.shared.recording import file_list
from pages.shared.recording.analysis import samples_of
from pages.shared.recording.downloads import offer
from pages.shared.recording.player import Moment, listen
from pages.shared.recording.source_picker import choose_source, introduce, obtain_all
from pages.shared.text import common
from segser_core.figures import timeline
from segser_core.inference.models import list_models

shell()
st.title("Which emotion, when?")

models = list_models()
with st.container(border=True):
    where, which, rule_column, context_column = st.columns([5, 5, 6, 4])
    with where:
        source = choose_source()
    with which:
        model = choose_model(models)
    with rule_column:
        rule = choose_rule(model.system)
    with context_column:
        context = choose_context()
    recordings = obtain_all(source)

heard = file_list.hear_all(recordings, model.name, context, rule) if recordings else []
chosen = file_list.choose(heard) if heard else None
if chosen is None or chosen.prediction is None:
    st.info(common.NOTHING_YET, icon=":material/graphic_eq:")
    stop()

recording, prediction = chosen.recording, chosen.prediction
samples = samples_of(recording)

answer, shares = st.columns([2, 3], gap="large")
with answer:
    introduce(recording)
    st.metric("The model hears", prediction.label)
    st.markdown(common.verdict(prediction))
    for warning in prediction.warnings:
        st.warning(warning, icon=":material/warning:")
with shares:
    shares_of_all = timeline.probabilities(prediction)
    st.plotly_chart(shares_of_all, key="probabilities", theme=None, config={"displayModeBar": False})

moments = [
    Moment(s.start_s, s.end_s, line)
    for s, line in zip(prediction.segments, common.segment_lines(prediction), strict=True)
]
listen(
    lambda playing, view: timeline.timeline(prediction, samples, playing, view),
    moments,
    samples,
    key=recording.sha256,
    alt="The waveform, each segment's most probable emotion, and each emotion's probability over time",
)
st.markdown(common.below_timeline(prediction, model))
offer(prediction, [h.prediction for h in heard if h.prediction is not None])
choose_picture()
