"""A chart with its data to take along, and the way from a click on it to the clips behind it."""

from collections.abc import Callable, Iterable
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from pages.shared.app.chart_toolbar import toolbar
from pages.shared.clips.filter_controls import open_mistakes
from pages.shared.runs.run_picker import swap
from segser_core.prediction.exports import rows_csv
from segser_core.runs.clip_filter import Filter

OPENING = "to-open"
PERCENT = st.column_config.NumberColumn(format="%.1f %%", width="small")  # of values that are percent
Opens = Callable[[int], tuple[Filter, bool]]  # row of the table → its clips, and whether they are the other run's


def drawn(of: tuple, draw: Callable[[], go.Figure]) -> go.Figure:
    """A figure that is drawn once and kept; to build one takes longer than to send it.

    Args:
        of: all that it shows, to tell it from others.
        draw: builds it.
    """
    return _drawn(of, draw)


@st.cache_resource(max_entries=128, show_spinner=False)
def _drawn(of: tuple, _draw: Callable[[], go.Figure]) -> go.Figure:
    return _draw()


def show(
    figure: go.Figure,
    key: str,
    alt: str,
    data: pd.DataFrame | None = None,
    opens: Opens | None = None,
    width_px: int | None = None,
) -> None:
    """A chart, with its data as CSV below it.

    Args:
        figure: whose bars or markers carry `customdata` = [row of `data`], where they can be clicked.
        key: of its own on the page; the files are called so.
        alt: what it shows, for those who cannot see it.
        data: what is drawn, as a table.
        opens: the clips that a click on a row's bar opens.
        width_px: where it should not be as wide as there is room.
    """
    settings: dict[str, Any] = {"width": width_px or "stretch"}
    if opens is not None:
        settings |= {"on_select": lambda: _clicked(f"chart-{key}", opens), "selection_mode": "points"}
    with st.container(key=f"figure-{key}", gap="xsmall"):
        config = {"modeBarButtons": [["toImage"]], **toolbar(f"segser-{key}")}
        st.plotly_chart(figure, key=f"chart-{key}", theme=None, config=config, alt=alt, **settings)
        if data is not None:
            offer_data(lambda: data, f"segser-{key}", f"csv-{key}")
    _open_clicked()


def table(frame: pd.DataFrame, key: str, opens: Opens) -> None:
    """A table that does what a click on the chart does: a row that is chosen opens its clips.

    Args:
        frame: row for row as `opens` knows them; what is no whole number in it is a fraction, and shown in percent.
        key: of its own on the page.
        opens: the clips of a row.
    """
    shares = frame.select_dtypes("float").columns
    st.dataframe(
        in_percent(frame, shares),
        key=f"table-{key}",
        hide_index=True,
        column_config=dict.fromkeys(shares, PERCENT),
        on_select=lambda: _chosen(f"table-{key}", opens),
        selection_mode="single-row",
    )
    _open_clicked()


def in_percent(table: pd.DataFrame, shares: Iterable[str]) -> pd.DataFrame:
    """A table whose shares are percent, rounded as `text.percent` does: a browser rounds halves up."""
    return table.assign(**{name: table[name].map(lambda share: float(f"{100 * share:.1f}")) for name in shares})


def folded(label: str, key: str) -> Any:
    """An expander whose content is made once it is opened, which `open` tells; for fragments, which then run again."""
    return st.expander(label, key=f"open-{key}", on_change="rerun")


def offer_data(data: Callable[[], pd.DataFrame], name: str, key: str) -> None:
    """A chart's data as CSV, made when the button is pressed.

    Args:
        data: what the chart shows, as a table.
        name: of the file, without its ending.
        key: of the button.
    """
    st.download_button(
        "CSV",
        lambda: rows_csv(data()),
        f"{name}.csv",
        "text/csv",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        key=key,
        help="What this chart shows, as a table",
    )


def _clicked(chart: str, opens: Opens) -> None:
    """Remember which clips were asked for: a callback itself cannot change the page."""
    for point in st.session_state[chart].selection.points[:1]:
        if point.get("customdata"):
            _remember(*opens(int(point["customdata"][0])))


def _chosen(name: str, opens: Opens) -> None:
    for row in st.session_state[name].selection.rows[:1]:
        _remember(*opens(row))


def _remember(wanted: Filter, of_other: bool) -> None:
    if of_other:
        swap()
    st.session_state[OPENING] = wanted


def _open_clicked() -> None:
    if wanted := st.session_state.pop(OPENING, None):
        open_mistakes(wanted)
