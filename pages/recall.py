"""How good is a run, and how sure is that? Recall by class, by rule, by group; two runs paired; calibration."""

import streamlit as st

from pages.shared import charts, recall_blocks, recall_words, run_choice, scores_view, words
from pages.shared.address import stop
from pages.shared.ahead import charts_fetched
from pages.shared.recall_groups import groups
from pages.shared.recall_rules import rules
from pages.shared.shell import shell
from segser_core.errors import SegserError
from segser_core.paper import reported

shell()
st.title("How good, and how sure?")

with charts_fetched():
    choice = run_choice.choose()
    if choice is None:
        stop()
    try:
        summaries = scores_view.summaries_of(choice)
    except SegserError as error:
        st.error(words.plain(str(error)), icon=":material/folder_off:")
        stop()
found = None
if choice.other is not None:
    try:
        found = run_choice.compared(choice)
    except SegserError as error:
        st.warning(words.plain(str(error)), icon=":material/compare_arrows:")

recall_blocks.key_figures(summaries, found)
notes = recall_words.notes(choice.run, summaries[choice.run.name])
st.markdown("\n\n".join(f":small[{note}]" for note in notes))
recall_blocks.folds(summaries)

st.header("Which classes?")
recall_blocks.recall(choice, summaries, found)

further = {
    "clips": ("Which clips?", lambda: groups(choice)),
    "rule": ("The training, or the rule?", lambda: rules(choice, paired=found is not None)),
    "taken": ("Taken for what?", lambda: recall_blocks.confusions(choice, summaries)),
    "confidence": ("Is its confidence earned?", lambda: recall_blocks.calibration(choice)),
}
if found is not None:
    further["alike"] = ("How alike are the two?", lambda: st.markdown(recall_words.agreement(found, list(summaries))))
if reported(choice.run.corpus):
    further["paper"] = ("What the paper reports", lambda: recall_blocks.of_paper(choice, summaries))
recall_blocks.answers(further)

recall_blocks.layers(choice)

st.divider()
charts.choose_picture()
