"""The method, its equations and limits, what the models were taught, and what the law asks for."""

import pandas as pd
import streamlit as st

from pages.shared import about_text as text
from pages.shared import words
from pages.shared.shell import shell
from segser_core.inference import models as models_

shell()
st.title("How it works, and what it is not for")

with st.container(width=820):
    st.markdown(text.INTRODUCTION)

    st.header("What it must not be used for")
    st.markdown(text.USE)
    st.subheader("The law of the European Union")
    st.markdown(text.LAW)
    st.subheader("Why care is due")
    st.markdown(text.ETHICS)

    st.header("The method")
    st.markdown(text.SEGMENTS)
    st.subheader("Training")
    st.markdown(text.TRAINING)
    for number, (formula, meaning) in enumerate(text.EQUATIONS, start=1):
        st.latex(formula)
        st.markdown(f"**Eq. {number}.** {meaning}")

    st.header("The models")
    models = models_.models()
    st.markdown(words.model_list(models))
    st.dataframe(pd.DataFrame([words.scores(m) for m in models]), hide_index=True)
    st.markdown(text.SCORES)
    for model in models:
        with st.expander(f"Model card of {model.name}"):
            st.markdown(words.card(model))

    st.header("Limits")
    st.markdown(text.LIMITS)
    st.caption(text.SOURCE)
