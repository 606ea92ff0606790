"""Where does it fail? The clips that went wrong, what may explain it, and each one's timeline under both models."""

import streamlit as st

from pages.shared.app.address import stop
from pages.shared.app.chart_toolbar import choose_picture
from pages.shared.app.shell import shell
from pages.shared.clips import filter_controls
from pages.shared.clips.clip_list import SHOWN, choose_order, keys_of, open_clip, show_list
from pages.shared.clips.clip_view import show_clip, steps
from pages.shared.clips.exports import offer_exports
from pages.shared.clips.levels import levels_of, measure, offer_levels, say_unheard
from pages.shared.clips.notes import notes_in
from pages.shared.runs.run_picker import choose, table_of
from pages.shared.runs.sound import ask_for_corpora
from pages.shared.text import clips, common
from segser_core.errors import RunError
from segser_core.runs.clip_filter import obstacles, ordered, select
from segser_core.runs.notes import notes_file, with_notes

shell()
st.title("Where does it fail?")

choice = choose()
if choice is None:
    stop()
try:
    table = table_of(choice)
except RunError as error:
    st.error(common.plain(str(error)), icon=":material/folder_off:")
    stop()

wanted = filter_controls.choose_filter(table, choice)
found = select(table, wanted)
file = notes_file(choice.run)
notes = notes_in(file)

count, sort, export = st.columns([5, 4, 2], vertical_alignment="bottom")
with sort:
    order = choose_order(table)
    found = ordered(found, order)
with count:
    opening = wanted == filter_controls.DEFAULT and order == "surest"
    st.markdown(clips.count(len(found), len(table), len(choice.run.seeds), opening))
if not found.empty:
    with export:
        offer_exports(found, choice, notes or {})

opened = open_clip(choice.run.seeds)
shown = found.head(SHOWN)
if found.empty:
    filter_controls.nothing_left(obstacles(table, wanted), wanted)
else:
    show_list(levels_of(with_notes(shown, notes or {}), choice.run), choice, opened)
    if len(found) > SHOWN:
        st.caption(f"The table holds the first {SHOWN} in this order; the CSV has all {len(found)}.")

if not found.empty or opened:
    with st.container(horizontal=True, vertical_alignment="center"):
        steps(keys_of(found), opened)
        waiting = offer_levels(shown, choice.run)
    measure(waiting, choice.run)
    say_unheard()
if opened:
    row = table[(table.utterance_id == opened[0]) & (table.seed == opened[1])]
    if row.empty:
        st.warning(common.plain(f"{choice.run.name} has no test clip {opened[0]} of seed {opened[1]}."))
    else:
        show_clip(choice, row.iloc[0], file, notes)
        choose_picture()
ask_for_corpora()
