"""How good is a run, and how sure is that? Recall by class, by rule, by group; two runs paired; calibration."""

import streamlit as st

from pages.shared.app import chart_toolbar
from pages.shared.app.address import stop
from pages.shared.app.preload import charts_fetched
from pages.shared.app.shell import shell
from pages.shared.recall import blocks
from pages.shared.recall.by_group import groups
from pages.shared.recall.by_rule import rules
from pages.shared.runs import cached_scores, run_picker
from pages.shared.text import common, recall
from segser_core.errors import SegserError
from segser_core.paper import reported

shell()
st.title("How good, and how sure?")

with charts_fetched():
    choice = run_picker.choose()
    if choice is None:
        stop()
    try:
        summaries = cached_scores.summaries_of(choice)
    except SegserError as error:
        st.error(common.plain(str(error)), icon=":material/folder_off:")
        stop()
found = None
if choice.other is not None:
    try:
        found = run_picker.compared(choice)
    except SegserError as error:
        st.warning(common.plain(str(error)), icon=":material/compare_arrows:")

blocks.key_figures(summaries, found)
notes = recall.notes(choice.run, summaries[choice.run.name])
st.markdown("\n\n".join(f":small[{note}]" for note in notes))
blocks.folds(summaries)

st.header("Which classes?")
blocks.recall(choice, summaries, found)

further = {
    "clips": ("Which clips?", lambda: groups(choice)),
    "rule": ("The training, or the rule?", lambda: rules(choice, paired=found is not None)),
    "taken": ("Taken for what?", lambda: blocks.confusions(choice, summaries)),
    "confidence": ("Is its confidence earned?", lambda: blocks.calibration(choice)),
}
if found is not None:
    further["alike"] = ("How alike are the two?", lambda: st.markdown(recall.agreement(found, list(summaries))))
if reported(choice.run.corpus):
    further["paper"] = ("What the paper reports", lambda: blocks.of_paper(choice, summaries))
blocks.answers(further)

blocks.layers(choice)

st.divider()
chart_toolbar.choose_picture()
