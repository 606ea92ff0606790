"""Narrow a run of several corpora to one of them."""

from dataclasses import replace
from typing import TYPE_CHECKING

from segser_core.errors import RunError
from segser_core.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd


def list_corpora(run: Run) -> list[str]:
    """List the corpora that a run's clips are of; empty where it does not name them."""
    return sorted(set(run.predictions["corpus"])) if "corpus" in run.predictions else []


def select_corpus(run: Run, corpus: str) -> Run:
    """Select the clips of one corpus, with their segments and stretches; the embeddings stay those of all.

    Raises:
        RunError: the run has no clip of it.
    """
    if corpus not in list_corpora(run):
        raise RunError(
            f"{run.name} has no clip of {corpus}; its corpora are {', '.join(list_corpora(run)) or 'unnamed'}"
        )
    predictions = run.predictions[run.predictions["corpus"] == corpus].reset_index(drop=True)
    clips = set(predictions["utterance_id"])

    def of_clips(rows: "pd.DataFrame | None") -> "pd.DataFrame | None":
        return None if rows is None else rows[rows["utterance_id"].isin(clips)].reset_index(drop=True)

    meta = {name: value for name, value in run.meta.items() if name != "corpus_info"} | {"corpus": corpus}
    return replace(
        run,
        corpus=corpus,
        predictions=predictions,
        segments=of_clips(run.segments),
        stretches=of_clips(run.stretches),
        meta=meta,
    )
