"""Maps beside one another: what is chosen in one is ringed in the others, heard, and shown as a row."""

from collections.abc import Sequence
from math import isnan

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from pages.shared.app import chart_toolbar
from pages.shared.app.address import asked, carry, followed
from pages.shared.clips.filter_controls import open_mistakes
from pages.shared.embedding_map.points import COLOURS, METHODS, Shown, choose_whole
from pages.shared.runs import charts
from pages.shared.runs.sound import sound_of
from pages.shared.text import common
from segser_core.audio.decoding import SAMPLE_RATE_HZ
from segser_core.audio.waveform import cut_wav
from segser_core.figures.embedding_map import map_figure
from segser_core.runs.clip_filter import Filter
from segser_core.runs.map_points import Colour
from segser_core.runs.run import Run
from segser_core.statistics.projection import MOST_COMPARED

PICKED, CLIP, SEGMENT, PLAYS = "map-picked", "map-clip", "map-segment", "map-plays"
MOST_LISTED = 200
HOW = "A click on a point plays it; the box and the lasso of the toolbar choose several, to be opened in *Mistakes*."
NOT_COMPARABLE = (
    "Each map has axes of its own: **places on two maps are not comparable**, only what lies near what. "
    "**A UMAP alone can mislead**: it draws clumps where there are none, and distances between far clusters mean "
    "nothing. The figures in the table are of the vectors themselves, not of the map."
)
SEPARATION = (
    "Silhouette: 1 where groups are tight and far apart, 0 where they overlap, below 0 where a point lies nearer to "
    "another group. Ratio: mean distance within a group over that between groups, 1 where groups make no difference. "
    "A model that tells emotions apart and not speakers has a higher silhouette for emotions than for speakers."
)
SAMPLED = f"Distances are between at most {MOST_COMPARED:,} points of the test set, a sample drawn once."
SEGMENTS = " Segments of one clip lie close to one another, which makes every group look tighter than it is."
ROW = ("label", "predicted", "confidence", "speaker", "duration_s", "segment", "start_s", "end_s")


def no_vectors(run: Run) -> str:
    """What a run without vectors lacks, and what to do."""
    return (
        f"{common.plain(run.name)} has no embeddings.npz, so there is nothing to draw. Training and "
        "`python -m training.evaluate` write it; evaluate the model again and choose that run, or choose another run."
    )


def separation_table(shown: Sequence[Shown], of_segments: bool) -> None:
    """How far apart emotions and speakers lie, in every run that is shown."""
    rows = [
        {
            "run": each.run.name,
            "groups": name,
            "silhouette": found.silhouette,
            "ratio": found.ratio,
            "number of groups": found.groups,
            "points compared": found.rows,
        }
        for each in shown
        for name, found in each.separation.items()
    ]
    number = st.column_config.NumberColumn(format="%.3f")
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        key="separation",
        column_config={"silhouette": number, "ratio": number},
    )
    left_out = sum(found.alone for each in shown for found in each.separation.values())
    alone = " Points whose group has no second one among those compared are left out." if left_out else ""
    empty = any(isnan(row["silhouette"]) for row in rows)
    none = " An empty cell: there are fewer than two groups to compare." if empty else ""
    st.caption(f"{SEPARATION} {SAMPLED}{SEGMENTS if of_segments else ''}{alone}{none}")


def begin(shown: Sequence[Shown]) -> None:
    """The clip that the address names is the one that is chosen at first, and after a step back or forth."""
    clip, picked = asked("clip"), st.session_state.get(PICKED, ())
    if CLIP in st.session_state and not (followed() and len(picked) < 2):  # several picked clips are in no address
        return
    _choose([clip] if clip else [])
    st.session_state[PLAYS] = 0
    if clip and not any((each.points.table.utterance_id == clip).any() for each in shown):
        st.warning(common.plain(f"Clip {clip} is not among the points that are shown here."))


@st.fragment
def explore(shown: Sequence[Shown], by: Colour) -> None:
    """The maps, what is chosen on them, and the ways on: listen, read, open in Mistakes.

    Args:
        shown: one or two runs.
        by: what colour and symbol stand for.
    """
    whole = choose_whole(shown)
    ids = _ids(shown, whole)
    picked = [i for i in st.session_state.get(PICKED, ()) if i in ids]
    for column, each in zip(st.columns(len(shown), gap="medium"), shown, strict=True):
        with column:
            _map(each, by, picked, whole)
    st.caption(HOW)
    st.markdown(f":small[{NOT_COMPARABLE}]")
    _chosen_row(shown, ids, picked)


def _map(each: Shown, by: Colour, picked: list[str], whole: bool) -> None:
    table, key = each.points.table, f"map-{each.run.name}-{each.points.sha256[:8]}-{each.method}"
    st.markdown(f"**{common.plain(each.run.name)}** · {METHODS[each.method]} · {_how_many(each, whole)}")

    def draw() -> go.Figure:
        return map_figure(table, each.positions, by, each.method, picked, None if whole else each.points.sample)

    st.plotly_chart(
        draw() if picked or whole else charts.drawn((key, by), draw),
        key=key,
        theme=None,
        on_select=lambda: _choose_on_map(key),
        selection_mode=("points", "box", "lasso"),
        config={"scrollZoom": True, **chart_toolbar.toolbar("segser-map")},
        alt=f"{METHODS[each.method]} of {len(table)} points of {each.run.name}, coloured by {COLOURS[by]}",
    )
    x, y = each.positions.T
    charts.offer_data(lambda: table.assign(x=x, y=y), "segser-map", f"csv-{key}")


def _how_many(each: Shown, whole: bool) -> str:
    points = each.points
    count, total = len(points.table) if whole else int(points.sample.sum()), points.total
    return f"{count:,} points" if count == total else f"{count:,} of {total:,} points, a sample"


def _chosen_row(shown: Sequence[Shown], ids: dict[str, None], picked: list[str]) -> None:
    """The chosen clip by name, its rows and its sound; of several, the list of them and the way to Mistakes."""
    options = picked if len(picked) > 1 else list(ids)
    if st.session_state.get(CLIP) not in options:
        st.session_state[CLIP] = None
    st.selectbox(
        f"Clip, of the {len(picked)} chosen ones" if len(picked) > 1 else "Clip",
        options,
        key=CLIP,
        index=None,
        placeholder="Click a point, or choose here",
        on_change=_chosen_by_name,
        args=(len(picked) > 1,),
    )
    if len(picked) > 1:
        _several(shown, picked)
    clip = st.session_state[CLIP]
    carry({"clip": clip})
    if clip is None:
        return
    rows = _rows(shown, clip)
    segment = _choose_segment(rows)
    rows = rows[rows.segment == segment] if segment is not None else rows
    st.dataframe(rows, hide_index=True, key="map-row", column_config=_formats())
    _listen(shown[0], clip, rows if segment is not None else None)


def _rows(shown: Sequence[Shown], clip: str) -> pd.DataFrame:
    """What each run says of a clip, or of its segments."""
    found = []
    for each in shown:
        table = each.points.table
        rows = table[table.utterance_id == clip]
        found.append(rows[[c for c in ROW if c in rows]].assign(run=each.run.name))
    rows = pd.concat(found, ignore_index=True)
    return rows[["run", *(c for c in rows if c != "run")]]


def _choose_segment(rows: pd.DataFrame) -> int | None:
    """Which segment of the chosen clip; None where the map is of utterances."""
    if "segment" not in rows or rows.empty:
        return None
    options = sorted({int(s) for s in rows.segment})
    if st.session_state.get(SEGMENT) not in options:
        st.session_state[SEGMENT] = options[0]
    st.segmented_control(
        "Segment", options, key=SEGMENT, required=True, format_func=lambda s: str(s), on_change=_count_play
    )
    return st.session_state[SEGMENT]


def _several(shown: Sequence[Shown], picked: list[str]) -> None:
    if st.button(f"Open these {len(picked):,} clips in Mistakes", icon=":material/arrow_forward:", type="primary"):
        open_mistakes(Filter(ids=tuple(picked)))
    table = shown[0].points.table
    rows = table[table.utterance_id.isin(picked)].head(MOST_LISTED)
    with st.expander(f"The chosen points of {common.plain(shown[0].run.name)}"):
        st.dataframe(rows, hide_index=True, key="map-chosen", column_config=_formats())
        if len(rows) == MOST_LISTED:
            st.caption(f"The first {MOST_LISTED}; Mistakes lists them all.")


def _listen(each: Shown, clip: str, segment: pd.DataFrame | None) -> None:
    """The sound of a clip or of one of its segments; it starts by itself once a visitor has chosen one."""
    samples = sound_of(each.run, clip)
    if samples is None:
        return
    start_s, end_s = 0.0, len(samples) / SAMPLE_RATE_HZ
    if segment is not None and segment[["start_s", "end_s"]].notna().all(axis=1).any():
        start_s, end_s = segment[["start_s", "end_s"]].dropna().iloc[0].tolist()
    plays = st.session_state.get(PLAYS, 0)
    alt = f"{clip}, {start_s:.2f} to {end_s:.2f} s, play {plays}"
    st.audio(cut_wav(samples, start_s, end_s), format="audio/wav", autoplay=plays > 0, alt=alt)


def _formats() -> dict:
    seconds = st.column_config.NumberColumn(format="%.2f s")
    return {
        "confidence": st.column_config.NumberColumn(format="%.3f"),
        "duration_s": seconds,
        "start_s": seconds,
        "end_s": seconds,
    }


def _ids(shown: Sequence[Shown], whole: bool) -> dict[str, None]:
    """The utterances that are drawn or chosen on any map, each once, in order."""
    chosen = [*st.session_state.get(PICKED, ()), st.session_state.get(CLIP)]
    listed = []
    for points in (each.points for each in shown):
        ids = points.table.utterance_id
        listed.append(ids if whole else ids[points.sample | ids.isin(chosen).to_numpy()])
    return dict.fromkeys(sorted({i for ids in listed for i in ids.unique()}))


def _choose_on_map(key: str) -> None:
    """Take over what was clicked or drawn around on a map; nothing, where the selection was undone."""
    found = [p["customdata"] for p in st.session_state[key].selection.points if p.get("customdata")]
    ids = list(dict.fromkeys(str(who[0]) for who in found))
    _choose(ids, int(found[0][1]) if len(ids) == 1 else None)


def _chosen_by_name(of_several: bool) -> None:
    """A clip was chosen in the list: it alone is chosen now, unless the list was of several."""
    clip = st.session_state[CLIP]
    if not of_several:
        st.session_state[PICKED] = [clip] if clip else []
    _count_play()


def _choose(ids: list[str], segment: int | None = None) -> None:
    st.session_state[PICKED] = ids
    st.session_state[CLIP] = ids[0] if ids else None
    if segment is not None and segment >= 0:
        st.session_state[SEGMENT] = segment
    _count_play()


def _count_play() -> None:
    st.session_state[PLAYS] = st.session_state.get(PLAYS, 0) + 1
