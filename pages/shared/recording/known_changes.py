"""Known changes of emotion that a visitor gives for the recording that is shown."""

import streamlit as st

from pages.shared.recording.recording import RecordingFile
from pages.shared.text import common
from segser_core.errors import CorpusError
from segser_core.prediction.known_changes import read_known_changes
from segser_core.prediction.prediction import Prediction
from segser_core.prediction.stretches import Stretch


def ask_for_known_changes(recording: RecordingFile, prediction: Prediction) -> tuple[Stretch, ...]:
    """Ask for a file of true stretches, and say in which share of the time the label over time is right.

    Returns:
        The stretches; none without a file, where it is refused, and for a synthetic voice, whose emotions nobody knows.
    """
    if recording.synthetic:
        return ()
    with st.expander("Known changes", icon=":material/fact_check:"):
        st.markdown(common.KNOWN_CHANGES)
        key = f"known-changes-{recording.sha256}"
        file = st.file_uploader("TextGrid or manifest", type=["textgrid", "csv"], key=key)
    if file is None:
        return ()
    try:
        truth = read_known_changes(file.name, file.getvalue(), prediction)
    except CorpusError as error:
        st.error(common.escape_markdown(str(error)), icon=":material/fact_check:")
        return ()
    st.markdown(common.truth_text([prediction], truth))
    return truth
