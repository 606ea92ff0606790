"""A control for runs of several corpora: all clips, or those of one."""

from dataclasses import replace

from pages.shared.app.address import bind_to_address
from pages.shared.app.pickers import segmented
from pages.shared.runs.run_choice import RunChoice, cached_by_run
from segser_core.runs.one_corpus import list_corpora, select_corpus
from segser_core.runs.run import Run

ALL_CORPORA = "all"


def choose_corpus(choice: RunChoice) -> RunChoice:
    """Show the control where the run is of several corpora, and narrow the runs to the chosen one."""
    corpora = list_corpora(choice.run)
    if len(corpora) < 2:
        return choice
    options = [ALL_CORPORA, *corpora]
    control = segmented("Clips of", lambda name: "all corpora" if name == ALL_CORPORA else name)
    chosen = bind_to_address("corpus", key="recall-corpus", options=options, default=ALL_CORPORA, control=control)
    if chosen == ALL_CORPORA:
        return choice
    narrowed = [_narrow(run, chosen) if chosen in list_corpora(run) else run for run in choice.both]
    return replace(choice, run=narrowed[0], other=(*narrowed, None)[1], corpus=chosen)


@cached_by_run(max_entries=8)
def _narrow(run: Run, corpus: str) -> Run:
    return select_corpus(run, corpus)
