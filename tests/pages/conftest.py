"""Fixtures of the pages' tests."""

from collections.abc import Iterator

import pytest
import streamlit as st


@pytest.fixture(autouse=True)
def forget_cached_data() -> Iterator[None]:
    """Begin each test without what another one read or analysed; models stay loaded for all of them."""
    yield
    st.cache_data.clear()
