"""Where does it fail? The clips that went wrong, what may explain it, and each one's timeline under both models."""

import streamlit as st

from pages.shared.app.address import stop_page
from pages.shared.app.chart_toolbar import choose_image_format
from pages.shared.app.shell import set_up_page
from pages.shared.clips import clip_list, filter_controls, levels
from pages.shared.clips.clip_view import show_clip, show_clip_steps
from pages.shared.clips.exports import offer_clip_exports
from pages.shared.clips.notes import load_notes
from pages.shared.runs.cached_scores import chosen_clip_table
from pages.shared.runs.run_picker import choose_runs
from pages.shared.runs.sound import ask_for_corpora
from pages.shared.text.clips import clip_count
from pages.shared.text.common import escape_markdown
from segser_core.errors import RunError
from segser_core.runs.clip_filter import excluding_conditions, filter_clips, sort_clips
from segser_core.runs.notes import add_notes, notes_path

set_up_page()
st.title("Where does it fail?")

choice = choose_runs()
if choice is None:
    stop_page()
try:
    table = chosen_clip_table(choice)
except RunError as error:
    st.error(escape_markdown(str(error)), icon=":material/folder_off:")
    stop_page()

clip_filter = filter_controls.choose_filter(table, choice)
selected = filter_clips(table, clip_filter)
notes_file = notes_path(choice.run)
notes = load_notes(notes_file)

count_column, order_column, export_column = st.columns([5, 4, 2], vertical_alignment="bottom")
with order_column:
    order = clip_list.choose_order(table)
    selected = sort_clips(selected, order)
with count_column:
    is_default = clip_filter == filter_controls.DEFAULT_FILTER and order == "surest"
    st.markdown(clip_count(len(selected), of=len(table), seeds=len(choice.run.seeds), is_default=is_default))
if not selected.empty:
    with export_column:
        offer_clip_exports(selected, choice, notes or {})

opened = clip_list.addressed_clip(choice.run.seeds)
listed = selected.head(clip_list.MAX_ROWS)
if selected.empty:
    filter_controls.show_obstacles(excluding_conditions(table, clip_filter), clip_filter)
else:
    rows = levels.add_levels(add_notes(listed, notes or {}), choice.run)
    clip_list.show_clip_list(rows, choice, opened)
    if len(selected) > len(listed):
        st.caption(f"The table holds the first {len(listed)} in this order; the CSV has all {len(selected)}.")

if not selected.empty or opened:
    with st.container(horizontal=True, vertical_alignment="center"):
        show_clip_steps(clip_list.clip_keys(selected), opened)
        waiting = levels.offer_measurement(listed, choice.run)
    levels.measure_levels(waiting, choice.run)
    levels.report_unreadable_clips()
if opened:
    row = table[(table.utterance_id == opened[0]) & (table.seed == opened[1])]
    if row.empty:
        st.warning(escape_markdown(f"{choice.run.name} has no test clip {opened[0]} of seed {opened[1]}."))
    else:
        show_clip(choice, row.iloc[0], notes_file=notes_file, notes=notes)
        choose_image_format()
ask_for_corpora()
