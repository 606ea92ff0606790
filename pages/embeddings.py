"""Are the classes apart? Utterances or segments of a run as points on a plane, two runs beside each other."""

import streamlit as st

from pages.shared import charts, map_view, maps, run_choice, words
from pages.shared.address import stop
from pages.shared.ahead import charts_fetched
from pages.shared.corpora import ask_for_corpora
from pages.shared.shell import shell
from segser_core.errors import SegserError

shell()
st.title("Are the classes apart?")

with charts_fetched():
    choice = run_choice.choose(with_rule=False)
if choice is None:
    stop()

with st.container(horizontal=True, vertical_alignment="bottom"):
    what, method = maps.choose_what(), maps.choose_method()
    colour = maps.choose_colour(choice.both)
    try:
        fold = maps.choose_fold(choice.run)
    except SegserError as error:
        st.error(words.plain(str(error)), icon=":material/folder_off:")
        stop()

found = {}
for run in choice.both:
    try:
        points = maps.points_of(run, what, fold)
    except SegserError as error:
        st.error(words.plain(f"{run.name}: {error}"), icon=":material/scatter_plot:")
        continue
    if points is None:
        st.info(map_view.no_vectors(run), icon=":material/scatter_plot:")
    else:
        found[run.name] = (run, points)
if not found:
    stop()

try:
    shown = [maps.shown(run, points, what, fold, method) for run, points in found.values()]
except SegserError as error:
    st.error(words.plain(str(error)), icon=":material/scatter_plot:")
    stop()
if method == "umap":
    jobs = [maps.job_of(points) for _, points in found.values()]
    if not all(job.done for job in jobs):
        maps.wait_for(jobs)
    maps.tell_problems(jobs)

map_view.begin(shown)
map_view.explore(shown, colour)

st.header("In figures")
map_view.separation_table(shown, of_segments=what == "segment")
charts.choose_picture()
ask_for_corpora()
