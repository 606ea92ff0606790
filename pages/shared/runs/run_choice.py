"""The runs that a page shows, and a cache that tells runs by their content."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

import streamlit as st

from segser_core.prediction.rules import Aggregate
from segser_core.runs.clip_filter import ClipFilter
from segser_core.runs.run import Run

CachedFunction = TypeVar("CachedFunction", bound=Callable)


@dataclass(frozen=True, kw_only=True)
class RunChoice:
    """The runs that a page shows, and the rule under which it scores them.

    Attributes:
        run: the chosen run.
        other: the one that it is compared with, if any.
        rule: of aggregation; None: each run's own.
        corpus: to whose clips the runs are narrowed, where they are of several.
    """

    run: Run
    other: Run | None = None
    rule: Aggregate | None = None
    corpus: str | None = None

    def narrow(self, clip_filter: ClipFilter) -> ClipFilter:
        """Narrow a filter to the clips that are shown."""
        return clip_filter if self.corpus is None else replace(clip_filter, corpus=self.corpus)

    @property
    def both(self) -> tuple[Run, ...]:
        """The run, and the other one if there is one."""
        return (self.run,) if self.other is None else (self.run, self.other)


def cached_by_run(*, max_entries: int, show_spinner: bool | str = False) -> Callable[[CachedFunction], CachedFunction]:
    """Make a decorator that caches a function of runs or choices of runs for all visitors.

    A run is told from others, and from what was in its folder before it was replaced, by its path, its name, the
    corpus that it is narrowed to, and its stamp. A result that is kept is shared, so nobody may write into it.

    Args:
        max_entries: how many results are kept.
        show_spinner: whether a spinner is shown meanwhile, or its text.
    """
    key_functions: dict[str | type[Any], Callable[[Any], Any]] = {Run: _run_key, RunChoice: _choice_key}
    decorator = st.cache_resource(max_entries=max_entries, show_spinner=show_spinner, hash_funcs=key_functions)
    return cast(Callable[[CachedFunction], CachedFunction], decorator)


def _run_key(run: Run) -> tuple:
    return str(run.path), run.name, run.corpus, run.stamp


def _choice_key(choice: RunChoice) -> tuple:
    return tuple(_run_key(run) for run in choice.both), choice.rule
