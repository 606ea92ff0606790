"""How far apart emotions and speakers lie in the vectors, as a table."""

from collections.abc import Sequence
from math import isnan

import pandas as pd
import streamlit as st

from pages.shared.embedding_map.points import EmbeddingMap
from segser_core.statistics.projection import MOST_COMPARED

SEPARATION_CAPTION = (
    "Silhouette: 1 where groups are tight and far apart, 0 where they overlap, below 0 where a point lies nearer to "
    "another group. Ratio: mean distance within a group over that between groups, 1 where groups make no difference. "
    "A model that tells emotions apart and not speakers has a higher silhouette for emotions than for speakers."
)
COMPARED_SAMPLE = f"Distances are between at most {MOST_COMPARED:,} points of the test set, a sample drawn once."
SEGMENTS_CAPTION = " Segments of one clip lie close to one another, which makes every group look tighter than it is."


def show_separation(maps: Sequence[EmbeddingMap], of_segments: bool) -> None:
    """Tabulate how far apart emotions and speakers lie in every run.

    Args:
        maps: of the runs.
        of_segments: whether the points are segments.
    """
    rows = [
        {
            "run": each.run.name,
            "groups": name,
            "silhouette": separation.silhouette,
            "ratio": separation.ratio,
            "number of groups": separation.groups,
            "points compared": separation.rows,
        }
        for each in maps
        for name, separation in each.separation.items()
    ]
    number = st.column_config.NumberColumn(format="%.3f")
    columns = {"silhouette": number, "ratio": number}
    st.dataframe(pd.DataFrame(rows), hide_index=True, key="separation", column_config=columns)
    separations = [separation for each in maps for separation in each.separation.values()]
    left_out = any(separation.alone for separation in separations)
    alone = " Points whose group has no second one among those compared are left out." if left_out else ""
    empty = any(isnan(separation.silhouette) for separation in separations)
    none = " An empty cell: there are fewer than two groups to compare." if empty else ""
    segments = SEGMENTS_CAPTION if of_segments else ""
    st.caption(f"{SEPARATION_CAPTION} {COMPARED_SAMPLE}{segments}{alone}{none}")
