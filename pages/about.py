"""The method, its equations and limits, the training data of the models, and the law."""

import pandas as pd
import streamlit as st

from pages.shared.app.shell import set_up_page
from pages.shared.text import about as text
from pages.shared.text import common
from segser_core.inference.models import list_models

set_up_page()
st.title("How it works, and what it is not for")

with st.container(width=820):
    st.markdown(text.INTRODUCTION)

    st.header("What it must not be used for")
    st.markdown(text.MISUSE)
    st.subheader("The law of the European Union")
    st.markdown(text.LAW)
    st.subheader("Why care is due")
    st.markdown(text.ETHICS)

    st.header("The method")
    st.markdown(text.METHOD_STEPS)
    st.subheader("Training")
    st.markdown(text.TRAINING)
    for number, (formula, meaning) in enumerate(text.EQUATIONS, start=1):
        st.latex(formula)
        st.markdown(f"**Eq. {number}.** {meaning}")

    st.header("The models")
    models = list_models()
    st.markdown(common.model_list(models))
    st.dataframe(pd.DataFrame([common.model_score_row(m) for m in models]), hide_index=True)
    st.markdown(text.SCORES_NOTE)
    for model in models:
        with st.expander(f"Model card of {model.name}"):
            st.markdown(common.model_card_text(model))

    st.header("Limits")
    st.markdown(text.LIMITATIONS)
    st.caption(text.SOURCES)
