"""Downloads from a server on the loopback that breaks off, lies about sizes, ignores ranges, and refuses."""

import hashlib
import random

import pytest

from segser_core.errors import DownloadError
from tests.support.publisher_server import ServedFile
from training.corpora.fetching import download
from training.corpora.fetching.download import Downloader, RemoteFile

CONTENT = random.Random(0).randbytes(300_000)
MD5 = hashlib.md5(CONTENT).hexdigest()


def remote(server, *, size: int = len(CONTENT), digest: str = MD5, exact: bool = True) -> RemoteFile:
    return RemoteFile(address=f"{server.address}/a.zip", most_bytes=size, digest=digest, exact=exact)


def fetch(server, tmp_path, file: RemoteFile | None = None, shown: list[int] | None = None):
    with Downloader(server.publisher()) as web:
        return web.download(file or remote(server), tmp_path / "a.zip", (shown if shown is not None else []).append)


def test_a_file_comes_whole_in_one_request(server, tmp_path):
    server.files["/a.zip"] = ServedFile(CONTENT)
    shown: list[int] = []
    assert fetch(server, tmp_path, shown=shown).read_bytes() == CONTENT
    assert server.requests == [("/a.zip", "")]
    assert [shown[0], shown[-1]] == [0, len(CONTENT)] and shown == sorted(shown)
    assert [p.name for p in tmp_path.iterdir()] == ["a.zip.part"]


def test_a_download_that_breaks_off_goes_on_where_it_was(server, tmp_path):
    server.files["/a.zip"] = ServedFile(CONTENT, breaks_after=100_000)
    assert fetch(server, tmp_path).read_bytes() == CONTENT
    assert server.ranges("/a.zip") == ["", "bytes=100000-", "bytes=200000-"]


def test_a_later_call_goes_on_where_an_earlier_one_was(server, tmp_path):
    server.files["/a.zip"] = ServedFile(CONTENT)
    (tmp_path / "a.zip.part").write_bytes(CONTENT[:1234])
    assert fetch(server, tmp_path).read_bytes() == CONTENT
    assert server.ranges("/a.zip") == ["bytes=1234-"]


def test_a_file_that_came_whole_is_not_asked_for_again(server, tmp_path):
    (tmp_path / "a.zip.part").write_bytes(CONTENT)
    assert fetch(server, tmp_path).read_bytes() == CONTENT
    assert server.requests == []


def test_where_ranges_are_ignored_the_file_begins_anew(server, tmp_path):
    server.files["/a.zip"] = ServedFile(CONTENT, ranges=False, breaks_after=200_000, breaks=2)
    assert fetch(server, tmp_path).read_bytes() == CONTENT
    assert server.ranges("/a.zip") == ["", "bytes=200000-", "bytes=200000-"]


def test_a_server_that_always_breaks_off_is_given_up_and_what_came_is_kept(server, tmp_path):
    server.files["/a.zip"] = ServedFile(CONTENT, ranges=False, breaks_after=200_000)
    with pytest.raises(DownloadError, match=r"3 times in a row; the 200000 bytes that came are kept: run the command"):
        fetch(server, tmp_path)
    assert len(server.requests) == 4
    assert (tmp_path / "a.zip.part").read_bytes() == CONTENT[:200_000]


@pytest.mark.parametrize("size", [len(CONTENT) - 1, len(CONTENT) + 1, 10**12])
def test_another_size_than_the_publishers_is_refused_before_a_byte_is_written(server, tmp_path, size):
    server.files["/a.zip"] = ServedFile(CONTENT, named_size=size)
    with pytest.raises(DownloadError, match=rf"has {size} bytes; expected 300000: the publisher may have changed it"):
        fetch(server, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_another_size_of_the_rest_is_refused(server, tmp_path):
    server.files["/a.zip"] = ServedFile(CONTENT, named_size=400_000)
    (tmp_path / "a.zip.part").write_bytes(CONTENT[:1234])
    with pytest.raises(DownloadError, match="has 400000 bytes; expected 300000"):
        fetch(server, tmp_path)


def test_no_more_is_taken_than_the_publishers_size(server, tmp_path):
    """The head of the answer names the right size of the rest, and more follows."""
    server.files["/a.zip"] = ServedFile(CONTENT * 3, named_size=len(CONTENT))
    (tmp_path / "a.zip.part").write_bytes(CONTENT[:1234])
    with pytest.raises(DownloadError, match="sends more than 300000 bytes"):
        fetch(server, tmp_path)
    assert (tmp_path / "a.zip.part").stat().st_size <= len(CONTENT)


def test_a_file_of_unknown_size_has_a_bound(server, tmp_path):
    server.files["/a.zip"] = ServedFile(CONTENT)
    unknown = remote(server, size=10**6, digest="", exact=False)
    assert fetch(server, tmp_path, unknown).read_bytes() == CONTENT
    with pytest.raises(DownloadError, match="has 300000 bytes; expected at most 1000"):
        fetch(server, tmp_path, remote(server, size=1000, digest="", exact=False))


def test_a_file_of_unknown_size_that_breaks_off_begins_anew(server, tmp_path):
    server.files["/a.zip"] = ServedFile(CONTENT, breaks_after=100_000, breaks=2)
    assert fetch(server, tmp_path, remote(server, size=10**6, digest="", exact=False)).read_bytes() == CONTENT
    assert server.ranges("/a.zip") == ["", "", ""]


def test_another_checksum_is_refused_and_nothing_of_it_stays(server, tmp_path):
    server.files["/a.zip"] = ServedFile(CONTENT[:-1] + b"?")
    got = hashlib.md5(CONTENT[:-1] + b"?").hexdigest()
    with pytest.raises(DownloadError, match=rf"has the MD5 {got}; expected {MD5}, the publisher's; it is removed"):
        fetch(server, tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert len(server.requests) == 1


@pytest.mark.parametrize("left", [b"?" * 1234, b"?" * len(CONTENT), b"?" * (len(CONTENT) + 1)])
def test_what_an_earlier_call_left_is_thrown_away_where_it_does_not_fit(server, tmp_path, left):
    server.files["/a.zip"] = ServedFile(CONTENT)
    (tmp_path / "a.zip.part").write_bytes(left)
    assert fetch(server, tmp_path).read_bytes() == CONTENT


def test_a_server_that_goes_on_elsewhere_is_not_believed(server, tmp_path):
    server.files["/a.zip"] = ServedFile(CONTENT, named_start=99)
    (tmp_path / "a.zip.part").write_bytes(CONTENT[:1234])
    assert fetch(server, tmp_path).read_bytes() == CONTENT
    assert server.ranges("/a.zip") == ["bytes=1234-", ""]


@pytest.mark.parametrize("status", [404, 403, 401, 410])
def test_a_refusal_ends_at_once(server, tmp_path, status):
    server.files["/a.zip"] = ServedFile(CONTENT, statuses=[status])
    with pytest.raises(DownloadError, match=rf"the server answers {status} .*; see .*/page whether the file has moved"):
        fetch(server, tmp_path)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_a_fault_that_passes_is_waited_for(server, tmp_path, status):
    server.files["/a.zip"] = ServedFile(CONTENT, statuses=[status, status])
    assert fetch(server, tmp_path).read_bytes() == CONTENT
    assert len(server.requests) == 3


def test_a_fault_that_stays_is_said(server, tmp_path):
    server.files["/a.zip"] = ServedFile(CONTENT, statuses=[500] * 9)
    with pytest.raises(DownloadError, match="the server answers 500 Internal Server Error, 3 times in a row"):
        fetch(server, tmp_path)


def test_as_long_is_waited_as_the_server_asks_but_not_longer_than_two_minutes(server, tmp_path, monkeypatch):
    waited: list[float] = []
    monkeypatch.setattr(download.time, "sleep", waited.append)
    server.files["/a.zip"] = ServedFile(CONTENT, statuses=[429], headers={"Retry-After": "7"})
    fetch(server, tmp_path)
    server.files["/a.zip"] = ServedFile(CONTENT, statuses=[429], headers={"Retry-After": "86400"})
    (tmp_path / "a.zip.part").unlink()
    fetch(server, tmp_path)
    assert waited == [7.0, 120.0]


def test_an_address_that_is_not_the_publishers_is_not_asked(server, tmp_path):
    server.files["/b.zip"] = ServedFile(CONTENT)
    elsewhere = server.address.replace("127.0.0.1", "localhost")
    server.files["/a.zip"] = ServedFile(moved_to=f"{elsewhere}/b.zip")
    with pytest.raises(DownloadError, match=rf"leads to {elsewhere}, which is none of its own addresses"):
        fetch(server, tmp_path)
    assert server.requests == [("/a.zip", "")]
    with Downloader(server.publisher(elsewhere)) as web:
        assert web.download(remote(server), tmp_path / "a.zip").read_bytes() == CONTENT


def test_a_server_that_is_not_there_is_said_at_once(server, tmp_path):
    file = RemoteFile(address="http://127.0.0.1:9/a.zip", most_bytes=1)
    publisher = server.publisher("http://127.0.0.1:9")
    with Downloader(publisher) as web, pytest.raises(DownloadError, match=r"cannot be reached .* internet\?"):
        web.download(file, tmp_path / "a.zip")
