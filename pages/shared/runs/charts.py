"""Charts and tables of a run's scores: with their data as CSV, and with clicks that open the clips behind them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from pages.shared.app.chart_toolbar import toolbar_config
from pages.shared.runs.open_mistakes import ClipSelection, open_remembered_selection, remember_selection
from pages.shared.runs.run_choice import cached_by_run
from segser_core.prediction.exports import clips_to_csv

PERCENT_COLUMN = st.column_config.NumberColumn(format="%.1f %%", width="small")  # of values that are percent


@dataclass(frozen=True, eq=False)
class ClickableTable:
    """A table whose rows open clips in Mistakes, as do the bars or cells of a chart that is drawn from it.

    Attributes:
        frame: what is no whole number in it is a fraction.
        selection_of_row: a row of `frame` → its clips.
        columns: the columns that a reader is shown, with their headings; None: all.
    """

    frame: pd.DataFrame
    selection_of_row: Callable[[pd.Series], ClipSelection]
    columns: Mapping[str, str] | None = None

    @property
    def shown(self) -> pd.DataFrame:
        """The columns that a reader is shown, under their headings."""
        return self.frame if self.columns is None else self.frame[list(self.columns)].rename(columns=self.columns)

    def remember_click(self, chart: str) -> None:
        """Remember the clips of the bar or cell that was clicked in the chart of that key."""
        for point in st.session_state[chart].selection.points[:1]:
            if point.get("customdata"):
                self._remember(int(point["customdata"][0]))

    def remember_row(self, table: str) -> None:
        """Remember the clips of the row that was chosen in the table of that key."""
        for row in st.session_state[table].selection.rows[:1]:
            self._remember(row)

    def _remember(self, row: int) -> None:
        remember_selection(self.selection_of_row(self.frame.iloc[row]))


@cached_by_run(max_entries=128)
def cached_figure(key: tuple, _draw: Callable[[], go.Figure]) -> go.Figure:
    """Draw a figure once for all visitors; to build one takes longer than to send it.

    Args:
        key: all that the figure shows, to tell it from others; runs among it are told by their content.
        _draw: builds it.
    """
    return _draw()


def show_chart(
    figure: go.Figure,
    *,
    key: str,
    alt: str,
    data: pd.DataFrame | ClickableTable | None = None,
    width_px: int | None = None,
) -> None:
    """Show a chart, with its data as CSV below it.

    Args:
        figure: its bars or markers carry `customdata` = [row of `data`], where they can be clicked.
        key: of its own on the page; the files are called so.
        alt: what it shows, for those who cannot see it.
        data: what is drawn, as a table; a click on a bar opens the clips of a clickable table's row.
        width_px: where it should not be as wide as there is room.
    """
    settings: dict[str, Any] = {"width": width_px or "stretch"}
    clickable = data if isinstance(data, ClickableTable) else None
    if clickable is not None:
        settings |= {"on_select": lambda: clickable.remember_click(f"chart-{key}"), "selection_mode": "points"}
    frame = clickable.frame if clickable is not None else data
    with st.container(key=f"figure-{key}", gap="xsmall"):
        config = {"modeBarButtons": [["toImage"]], **toolbar_config(f"segser-{key}")}
        st.plotly_chart(figure, key=f"chart-{key}", theme=None, config=config, alt=alt, **settings)
        if frame is not None:
            offer_csv(lambda: frame, file_name=f"segser-{key}", key=f"csv-{key}")
    open_remembered_selection()


def show_table(table: ClickableTable, key: str) -> None:
    """Show a table that does what a click on the chart does; fractions are shown in percent.

    Args:
        table: what is shown.
        key: of its own on the page.
    """
    shares = table.shown.select_dtypes("float").columns
    st.dataframe(
        shares_in_percent(table.shown, shares),
        key=f"table-{key}",
        hide_index=True,
        column_config=dict.fromkeys(shares, PERCENT_COLUMN),
        on_select=lambda: table.remember_row(f"table-{key}"),
        selection_mode="single-row",
    )
    open_remembered_selection()


def shares_in_percent(table: pd.DataFrame, shares: Iterable[str]) -> pd.DataFrame:
    """Turn columns of fractions to percent, rounded as `formatting.percent` does: a browser rounds halves up."""
    return table.assign(**{name: table[name].map(lambda share: float(f"{100 * share:.1f}")) for name in shares})


def lazy_expander(label: str, key: str) -> Any:
    """Show an expander whose content is made once it is opened, which `open` tells; for fragments, which then rerun."""
    return st.expander(label, key=f"open-{key}", on_change="rerun")


def offer_csv(data: Callable[[], pd.DataFrame], *, file_name: str, key: str) -> None:
    """Show a button that downloads a chart's data as CSV, made when it is pressed.

    Args:
        data: what the chart shows, as a table.
        file_name: without its ending.
        key: of the button.
    """
    st.download_button(
        "CSV",
        lambda: clips_to_csv(data()),
        f"{file_name}.csv",
        "text/csv",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        key=key,
        help="What this chart shows, as a table",
    )
