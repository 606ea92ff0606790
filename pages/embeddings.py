"""Are the classes apart? Utterances or segments of a run as points on a plane, two runs beside each other."""

import streamlit as st

from pages.shared.app.address import stop_page
from pages.shared.app.chart_toolbar import choose_image_format
from pages.shared.app.preload import preload_plotly
from pages.shared.app.shell import set_up_page
from pages.shared.embedding_map import points as map_points
from pages.shared.embedding_map import view
from pages.shared.embedding_map.separation import show_separation
from pages.shared.runs.run_picker import choose_runs
from pages.shared.runs.sound import ask_for_corpora
from pages.shared.text.common import escape_markdown
from segser_core.errors import SegserError

set_up_page()
st.title("Are the classes apart?")

with preload_plotly():
    choice = choose_runs(with_rule=False)
if choice is None:
    stop_page()

with st.container(horizontal=True, vertical_alignment="bottom"):
    kind, method = map_points.choose_point_kind(), map_points.choose_projection()
    colour_by = map_points.choose_colour(choice.both)
    try:
        fold = map_points.choose_fold(choice.run)
    except SegserError as error:
        st.error(escape_markdown(str(error)), icon=":material/folder_off:")
        stop_page()

points_of_runs = {}
for run in choice.both:
    try:
        points = map_points.load_points(run, kind, fold)
    except SegserError as error:
        st.error(escape_markdown(f"{run.name}: {error}"), icon=":material/scatter_plot:")
        continue
    if points is None:
        st.info(view.missing_vectors_text(run), icon=":material/scatter_plot:")
    else:
        points_of_runs[run.name] = (run, points)
if not points_of_runs:
    stop_page()

try:
    maps = [
        map_points.project_points(run, points, kind=kind, fold=fold, method=method)
        for run, points in points_of_runs.values()
    ]
except SegserError as error:
    st.error(escape_markdown(str(error)), icon=":material/scatter_plot:")
    stop_page()
if method == "umap":
    jobs = [map_points.umap_job(points) for _, points in points_of_runs.values()]
    if not all(job.done for job in jobs):
        map_points.show_umap_progress(jobs)
    map_points.report_umap_problems(jobs)

view.choose_addressed_clip(maps)
view.show_maps(maps, colour_by)

st.header("In figures")
show_separation(maps, of_segments=kind == "segment")
choose_image_format()
ask_for_corpora()
