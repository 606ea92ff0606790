"""How good is a run, and how sure is that? Recall by class, rule and group; two runs paired; calibration."""

from functools import partial

import streamlit as st

from pages.shared.app.address import stop_page
from pages.shared.app.chart_toolbar import choose_image_format
from pages.shared.app.preload import preload_plotly
from pages.shared.app.shell import set_up_page
from pages.shared.recall import blocks
from pages.shared.recall.blocks import Question
from pages.shared.recall.by_class import show_recall_by_class
from pages.shared.recall.by_corpus import choose_corpus
from pages.shared.recall.by_group import show_recall_by_group
from pages.shared.recall.by_rule import show_scores_by_rule
from pages.shared.recall.when import show_label_over_time
from pages.shared.runs import cached_scores
from pages.shared.runs.run_picker import choose_runs
from pages.shared.text import recall as text
from pages.shared.text.common import escape_markdown
from segser_core.errors import SegserError
from segser_core.paper import reported_scores
from segser_core.runs.changing_recordings import changing_contexts

set_up_page()
st.title("How good, and how sure?")

with preload_plotly():
    choice = choose_runs()
    if choice is None:
        stop_page()
    choice = choose_corpus(choice)
    try:
        summaries = cached_scores.summarise_chosen_runs(choice)
    except SegserError as error:
        st.error(escape_markdown(str(error)), icon=":material/folder_off:")
        stop_page()
comparison = None
if choice.other is not None:
    try:
        comparison = cached_scores.compare_chosen_runs(choice)
    except SegserError as error:
        st.warning(escape_markdown(str(error)), icon=":material/compare_arrows:")

blocks.show_key_figures(summaries, comparison)
blocks.show_scores_by_corpus(choice)
notes = text.run_notes(choice.run, summaries[choice.run.name])
st.markdown("\n\n".join(f":small[{note}]" for note in notes))
blocks.show_folds(summaries)

st.header("Which classes?")
show_recall_by_class(choice, summaries, comparison)

questions = [
    Question("clips", "Which clips?", partial(show_recall_by_group, choice)),
    Question("rule", "The training, or the rule?", partial(show_scores_by_rule, choice, paired=comparison is not None)),
    Question("taken", "Taken for what?", partial(blocks.show_confusions, choice, summaries)),
    Question("confidence", "Is its confidence earned?", partial(blocks.show_calibration, choice)),
]
if comparison is not None:
    agreement = text.agreement_text(comparison, list(summaries))
    questions.append(Question("alike", "How alike are the two?", partial(st.markdown, agreement)))
if reported_scores(choice.run.corpus):
    questions.append(Question("paper", "What the paper reports", partial(blocks.show_paper_scores, choice, summaries)))
when = Question("when", "Does it know when?", partial(show_label_over_time, choice))
questions.insert(0 if changing_contexts(choice.run) else 1, when)
blocks.answer_questions(questions)

blocks.show_layer_weights(choice)

st.divider()
choose_image_format()
