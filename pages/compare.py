"""What do segments and triplets change? On one recording, on one time axis; or on all clips of two runs."""

import streamlit as st

from pages.shared.app.address import stop
from pages.shared.app.chart_toolbar import choose_picture
from pages.shared.app.pickers import choose_context, choose_subject
from pages.shared.app.preload import charts_fetched
from pages.shared.app.shell import shell
from pages.shared.recording.analysis import predict, samples_of
from pages.shared.recording.player import Moment, listen
from pages.shared.recording.source_picker import choose_source, introduce, obtain
from pages.shared.runs import agreement, run_picker
from pages.shared.text import common
from segser_core.figures import timeline
from segser_core.inference.models import list_models

shell()
st.title("What do segments and triplets change?")

if choose_subject() == "runs":
    with charts_fetched():
        choice = run_picker.choose()
    if choice is not None:
        agreement.show(choice)
    stop()

with st.container(border=True):
    where, how = st.columns([1, 3])
    with where:
        source = choose_source()
    with how:
        context = choose_context()
    recording = obtain(source)

if recording is None:
    st.info(common.NOTHING_YET, icon=":material/graphic_eq:")
    stop()

samples = samples_of(recording)
models = list_models()[:2]
a, b = (predict(recording, samples, model.name, context) for model in models)

introduce(recording)
for column, model, prediction in zip(st.columns(2, border=True), models, (a, b), strict=True):
    with column:
        st.metric(f"{common.model_name(model)} hears", prediction.label)
        st.markdown(common.verdict(prediction))
for warning in dict.fromkeys(a.warnings + b.warnings):
    st.warning(warning, icon=":material/warning:")
st.markdown(common.disagreement(a, b))

moments = [Moment(*stretch, line) for stretch, line in common.both_lines(a, b)]
listen(
    lambda i, view: timeline.comparison(a, b, samples, None if i is None else moments[i].stretch, view),
    moments,
    samples,
    key=recording.sha256,
    alt="The timelines of both models below one waveform; where they name different emotions is shaded",
)
st.markdown(common.below_comparison((a, b), models))
choose_picture()
