"""Are the classes apart? Utterances or segments of a run as points on a plane, two runs beside each other."""

import streamlit as st

from pages.shared.app import chart_toolbar
from pages.shared.app.address import stop
from pages.shared.app.preload import charts_fetched
from pages.shared.app.shell import shell
from pages.shared.embedding_map import points as map_points
from pages.shared.embedding_map import view
from pages.shared.runs import run_picker
from pages.shared.runs.sound import ask_for_corpora
from pages.shared.text import common
from segser_core.errors import SegserError

shell()
st.title("Are the classes apart?")

with charts_fetched():
    choice = run_picker.choose(with_rule=False)
if choice is None:
    stop()

with st.container(horizontal=True, vertical_alignment="bottom"):
    what, method = map_points.choose_what(), map_points.choose_method()
    colour = map_points.choose_colour(choice.both)
    try:
        fold = map_points.choose_fold(choice.run)
    except SegserError as error:
        st.error(common.plain(str(error)), icon=":material/folder_off:")
        stop()

found = {}
for run in choice.both:
    try:
        points = map_points.points_of(run, what, fold)
    except SegserError as error:
        st.error(common.plain(f"{run.name}: {error}"), icon=":material/scatter_plot:")
        continue
    if points is None:
        st.info(view.no_vectors(run), icon=":material/scatter_plot:")
    else:
        found[run.name] = (run, points)
if not found:
    stop()

try:
    shown = [map_points.shown(run, points, what, fold, method) for run, points in found.values()]
except SegserError as error:
    st.error(common.plain(str(error)), icon=":material/scatter_plot:")
    stop()
if method == "umap":
    jobs = [map_points.job_of(points) for _, points in found.values()]
    if not all(job.done for job in jobs):
        map_points.wait_for(jobs)
    map_points.tell_problems(jobs)

view.begin(shown)
view.explore(shown, colour)

st.header("In figures")
view.separation_table(shown, of_segments=what == "segment")
chart_toolbar.choose_picture()
ask_for_corpora()
