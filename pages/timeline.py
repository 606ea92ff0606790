"""Which emotion does a model hear, and when? Upload, record or pick; click to hear."""

import streamlit as st

from pages.shared import several, words
from pages.shared.address import stop
from pages.shared.charts import choose_picture
from pages.shared.choices import choose_context, choose_model, choose_rule
from pages.shared.downloads import offer
from pages.shared.loaders import samples_of
from pages.shared.player import Moment, listen
from pages.shared.shell import shell
from pages.shared.sources import choose_source, introduce, obtain_all
from segser_core.figures import timeline
from segser_core.inference import models as models_

shell()
st.title("Which emotion, when?")

models = models_.models()
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

heard = several.hear_all(recordings, model.name, context, rule) if recordings else []
chosen = several.choose(heard) if heard else None
if chosen is None or chosen.prediction is None:
    st.info(words.NOTHING_YET, icon=":material/graphic_eq:")
    stop()

recording, prediction = chosen.recording, chosen.prediction
samples = samples_of(recording)

answer, shares = st.columns([2, 3], gap="large")
with answer:
    introduce(recording)
    st.metric("The model hears", prediction.label)
    st.markdown(words.verdict(prediction))
    for warning in prediction.warnings:
        st.warning(warning, icon=":material/warning:")
with shares:
    shares_of_all = timeline.probabilities(prediction)
    st.plotly_chart(shares_of_all, key="probabilities", theme=None, config={"displayModeBar": False})

moments = [
    Moment(s.start_s, s.end_s, line)
    for s, line in zip(prediction.segments, words.segment_lines(prediction), strict=True)
]
listen(
    lambda playing, view: timeline.timeline(prediction, samples, playing, view),
    moments,
    samples,
    key=recording.sha256,
    alt="The waveform, each segment's most probable emotion, and each emotion's probability over time",
)
st.markdown(words.below_timeline(prediction, model))
offer(prediction, [h.prediction for h in heard if h.prediction is not None])
choose_picture()
