"""Runs of several corpora, narrowed to one."""

import pytest

from segser_core.bundled import BUNDLED
from segser_core.errors import RunError
from segser_core.runs.one_corpus import list_corpora, select_corpus
from segser_core.runs.run import read_run


@pytest.fixture(scope="module")
def run():
    return read_run(BUNDLED / "seg+tri-w")


def test_clips_and_segments_of_one_corpus_are_left(run):
    found = select_corpus(run, "cremad")
    assert set(found.predictions.path.str.partition("/")[0]) == {"cremad"}
    assert set(found.segments.utterance_id) == set(found.predictions.utterance_id)
    assert 0 < len(found.segments) < len(run.segments)
    assert found.corpus == found.meta["corpus"] == "cremad"
    assert len(found.aligned_segments.rows) == len(found.predictions)


def test_the_corpora_together_are_the_run(run):
    assert list_corpora(run) == ["cremad", "emodb", "ravdess"]
    assert sum(len(select_corpus(run, c).predictions) for c in list_corpora(run)) == len(run.predictions)


def test_a_corpus_that_the_run_lacks_is_refused(run):
    with pytest.raises(RunError, match="no clip of iemocap; its corpora are cremad, emodb, ravdess"):
        select_corpus(run, "iemocap")
