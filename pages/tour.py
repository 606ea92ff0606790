"""The whole of segser in five steps, in an order that suits a lesson."""

from itertools import chain

import streamlit as st

from pages.shared.app import address
from pages.shared.app.shell import shell
from pages.shared.text.tour import STEPS, TIME

shell()
# So that each link opens its page in the state that the step speaks of.
address.forget(*chain(*address.CHOSEN.values()), address.FILTER)
st.title("segser in five steps")

with st.container(width=820):
    st.markdown(TIME)
    for number, step in enumerate(STEPS, start=1):
        with st.container(border=True):
            st.subheader(f"{number}. {step.title}")
            st.markdown(step.text)
            st.page_link(step.page, label=step.link, icon=":material/arrow_forward:", query_params=step.address)
            st.markdown(f":small[**To ask a class:** {step.question}]")
