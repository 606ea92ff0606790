"""A publisher on the loopback for each test."""

import pytest

from tests.support.publisher_server import serve_publisher


@pytest.fixture
def server():
    with serve_publisher() as known:
        yield known
