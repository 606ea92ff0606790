"""Maps beside one another: a point that is chosen in one is ringed in the others, played, and shown as a row."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from pages.shared.app.address import query_value, set_query_values
from pages.shared.app.chart_toolbar import toolbar_config
from pages.shared.app.streamlit_internals import is_history_navigation
from pages.shared.embedding_map.points import (
    COLOUR_TITLES,
    PROJECTION_TITLES,
    EmbeddingMap,
    choose_whether_all_are_drawn,
)
from pages.shared.runs.charts import cached_figure, offer_csv
from pages.shared.runs.open_mistakes import open_mistakes
from pages.shared.runs.sound import load_clip
from pages.shared.text.common import escape_markdown
from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.audio.waveform import encode_wav
from segser_core.figures.embedding_map import map_figure
from segser_core.runs.clip_filter import ClipFilter
from segser_core.runs.map_points import ColourBy
from segser_core.runs.run import Run

# keys of the session: the picked utterances, the chosen one and its segment, how often a choice was played
PICKED_KEY, CLIP_KEY, SEGMENT_KEY, PLAYS_KEY = "map-picked", "map-clip", "map-segment", "map-plays"
MAX_LISTED = 200
CLICK_POINT = (
    "A click on a point plays it; the box and the lasso of the toolbar choose several, to be opened in *Mistakes*."
)
NOT_COMPARABLE = (
    "Each map has axes of its own: **places on two maps are not comparable**, only what lies near what. "
    "**A UMAP alone can mislead**: it draws clumps where there are none, and distances between far clusters mean "
    "nothing. The figures in the table are of the vectors themselves, not of the map."
)
POINT_COLUMNS = ("label", "predicted", "confidence", "corpus", "speaker", "duration_s", "segment", "start_s", "end_s")


def missing_vectors_text(run: Run) -> str:
    """Say that a run has no vectors, and what to do."""
    return (
        f"{escape_markdown(run.name)} has no embeddings.npz, so there is nothing to draw. Training and "
        "`python -m training.evaluate` write it; evaluate the model again and choose that run, or choose another run."
    )


def choose_addressed_clip(maps: Sequence[EmbeddingMap]) -> None:
    """Choose the clip that the address names, at first and after a step back or forth."""
    clip, picked = query_value("clip"), st.session_state.get(PICKED_KEY, ())
    followed = is_history_navigation() and len(picked) < 2  # several picked clips are in no address
    if CLIP_KEY in st.session_state and not followed:
        return
    _choose([clip] if clip else [])
    st.session_state[PLAYS_KEY] = 0
    if clip and not any((each.points.table.utterance_id == clip).any() for each in maps):
        st.warning(escape_markdown(f"Clip {clip} is not among the points that are shown here."))


@st.fragment
def show_maps(maps: Sequence[EmbeddingMap], colour_by: ColourBy) -> None:
    """Show the maps, the chosen points, and the ways on: listen, read, open in Mistakes.

    Args:
        maps: of one or two runs.
        colour_by: what colour and symbol stand for.
    """
    draw_all = choose_whether_all_are_drawn(maps)
    ids = _listed_ids(maps, draw_all)
    picked = [i for i in st.session_state.get(PICKED_KEY, ()) if i in ids]
    for column, each in zip(st.columns(len(maps), gap="medium"), maps, strict=True):
        with column:
            _show_map(each, colour_by, picked, draw_all)
    st.caption(CLICK_POINT)
    st.markdown(f":small[{NOT_COMPARABLE}]")
    _show_chosen(maps, ids, picked)


def _show_map(each: EmbeddingMap, colour_by: ColourBy, picked: list[str], draw_all: bool) -> None:
    table, key = each.points.table, f"map-{each.run.name}-{each.points.sha256[:8]}-{each.method}"
    title = PROJECTION_TITLES[each.method]
    st.markdown(f"**{escape_markdown(each.run.name)}** · {title} · {_point_count(each, draw_all)}")

    def draw() -> go.Figure:
        sample = None if draw_all else each.points.sample
        return map_figure(table, each.positions, colour_by, each.method, picked, sample)

    st.plotly_chart(
        draw() if picked or draw_all else cached_figure((key, colour_by), draw),
        key=key,
        theme=None,
        on_select=lambda: _choose_on_map(key),
        selection_mode=("points", "box", "lasso"),
        config={"scrollZoom": True, **toolbar_config("segser-map")},
        alt=f"{title} of {len(table)} points of {each.run.name}, coloured by {COLOUR_TITLES[colour_by]}",
    )
    x, y = each.positions.T
    offer_csv(lambda: table.assign(x=x, y=y), file_name="segser-map", key=f"csv-{key}")


def _point_count(each: EmbeddingMap, draw_all: bool) -> str:
    points = each.points
    count, total = len(points.table) if draw_all else int(points.sample.sum()), points.total
    return f"{count:,} points" if count == total else f"{count:,} of {total:,} points, a sample"


def _show_chosen(maps: Sequence[EmbeddingMap], ids: dict[str, None], picked: list[str]) -> None:
    """Show the chosen clip, its rows and its sound; of several, the list of them and the way to Mistakes."""
    several = len(picked) > 1
    options = picked if several else list(ids)
    if st.session_state.get(CLIP_KEY) not in options:
        st.session_state[CLIP_KEY] = None
    st.selectbox(
        f"Clip, of the {len(picked)} chosen ones" if several else "Clip",
        options,
        key=CLIP_KEY,
        index=None,
        placeholder="Click a point, or choose here",
        on_change=_choose_by_name,
        args=(several,),
    )
    if several:
        _show_picked(maps, picked)
    clip = st.session_state[CLIP_KEY]
    set_query_values({"clip": clip})
    if clip is None:
        return
    rows = _point_rows(maps, clip)
    segment = _choose_segment(rows)
    rows = rows[rows.segment == segment] if segment is not None else rows
    st.dataframe(rows, hide_index=True, key="map-row", column_config=_column_formats())
    _show_clip_audio(maps[0].run, clip, rows if segment is not None else None)


def _point_rows(maps: Sequence[EmbeddingMap], clip: str) -> pd.DataFrame:
    """Tabulate each run's point of a clip, or those of its segments."""
    rows_of_runs = []
    for each in maps:
        table = each.points.table
        rows = table[table.utterance_id == clip]
        rows_of_runs.append(rows[[c for c in POINT_COLUMNS if c in rows]].assign(run=each.run.name))
    rows = pd.concat(rows_of_runs, ignore_index=True)
    return rows[["run", *(c for c in rows if c != "run")]]


def _choose_segment(rows: pd.DataFrame) -> int | None:
    """Choose a segment of the chosen clip; None where the map is of utterances."""
    if "segment" not in rows or rows.empty:
        return None
    options = sorted({int(s) for s in rows.segment})
    if st.session_state.get(SEGMENT_KEY) not in options:
        st.session_state[SEGMENT_KEY] = options[0]
    st.segmented_control(
        "Segment", options, key=SEGMENT_KEY, required=True, format_func=lambda s: str(s), on_change=_count_play
    )
    return st.session_state[SEGMENT_KEY]


def _show_picked(maps: Sequence[EmbeddingMap], picked: list[str]) -> None:
    if st.button(f"Open these {len(picked):,} clips in Mistakes", icon=":material/arrow_forward:", type="primary"):
        open_mistakes(ClipFilter(ids=tuple(picked)))
    first = maps[0]
    table = first.points.table
    rows = table[table.utterance_id.isin(picked)].head(MAX_LISTED)
    with st.expander(f"The chosen points of {escape_markdown(first.run.name)}"):
        st.dataframe(rows, hide_index=True, key="map-chosen", column_config=_column_formats())
        if len(rows) == MAX_LISTED:
            st.caption(f"The first {MAX_LISTED}; Mistakes lists them all.")


def _show_clip_audio(run: Run, clip: str, segment: pd.DataFrame | None) -> None:
    """Show a player of a clip or of one of its segments; it starts by itself once a visitor has chosen one."""
    samples = load_clip(run, clip)
    if samples is None:
        return
    start_s, end_s = 0.0, len(samples) / SAMPLE_RATE_HZ
    if segment is not None and segment[["start_s", "end_s"]].notna().all(axis=1).any():
        start_s, end_s = segment[["start_s", "end_s"]].dropna().iloc[0].tolist()
    plays = st.session_state.get(PLAYS_KEY, 0)
    alt = f"{clip}, {start_s:.2f} to {end_s:.2f} s, play {plays}"
    st.audio(encode_wav(samples, start_s, end_s), format="audio/wav", autoplay=plays > 0, alt=alt)


def _column_formats() -> dict:
    seconds = st.column_config.NumberColumn(format="%.2f s")
    return {
        "confidence": st.column_config.NumberColumn(format="%.3f"),
        "duration_s": seconds,
        "start_s": seconds,
        "end_s": seconds,
    }


def _listed_ids(maps: Sequence[EmbeddingMap], draw_all: bool) -> dict[str, None]:
    """Collect the utterances that are drawn or chosen on any map, each once, in order."""
    chosen = [*st.session_state.get(PICKED_KEY, ()), st.session_state.get(CLIP_KEY)]
    listed = []
    for points in (each.points for each in maps):
        ids = points.table.utterance_id
        listed.append(ids if draw_all else ids[points.sample | ids.isin(chosen).to_numpy()])
    return dict.fromkeys(sorted({i for ids in listed for i in ids.unique()}))


def _choose_on_map(key: str) -> None:
    """Choose the points that were clicked or drawn around on a map; none, where the selection was undone."""
    chosen = [p["customdata"] for p in st.session_state[key].selection.points if p.get("customdata")]
    ids = list(dict.fromkeys(str(point[0]) for point in chosen))
    _choose(ids, int(chosen[0][1]) if len(ids) == 1 else None)


def _choose_by_name(of_several: bool) -> None:
    """Take over a clip that was chosen in the list: it alone is chosen now, unless the list was of several."""
    clip = st.session_state[CLIP_KEY]
    if not of_several:
        st.session_state[PICKED_KEY] = [clip] if clip else []
    _count_play()


def _choose(ids: list[str], segment: int | None = None) -> None:
    st.session_state[PICKED_KEY] = ids
    st.session_state[CLIP_KEY] = ids[0] if ids else None
    if segment is not None and segment >= 0:
        st.session_state[SEGMENT_KEY] = segment
    _count_play()


def _count_play() -> None:
    st.session_state[PLAYS_KEY] = st.session_state.get(PLAYS_KEY, 0) + 1
