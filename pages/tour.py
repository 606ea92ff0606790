"""All of segser in five steps, in an order that suits a lesson."""

from itertools import chain

import streamlit as st

from pages.shared.app.address import ADDRESS_KEYS, FILTER_KEY, forget_choices
from pages.shared.app.shell import set_up_page
from pages.shared.text.tour import PREPARATION, STEPS

set_up_page()
# So that each link opens its page in the state that the step speaks of.
forget_choices(*chain(*ADDRESS_KEYS.values()), FILTER_KEY)
st.title("segser in five steps")

with st.container(width=820):
    st.markdown(PREPARATION)
    for number, step in enumerate(STEPS, start=1):
        with st.container(border=True):
            st.subheader(f"{number}. {step.title}")
            st.markdown(step.text)
            st.page_link(step.page, label=step.link, icon=":material/arrow_forward:", query_params=step.address)
            st.markdown(f":small[**To ask a class:** {step.question}]")
