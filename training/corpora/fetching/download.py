"""Download of a file over HTTP: resumed after a break, from the publisher's addresses alone, checked at its end."""

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import httpx2

from segser_core import __version__
from segser_core.errors import DownloadError
from training.corpora.fetching.checksums import file_digest
from training.corpora.fetching.source import Publisher

TIMEOUT_S = 30.0
LONGEST_WAIT_S = 120.0
_PASSING_STATUSES = (408, 425, 429, 500, 502, 503, 504)
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """A file at its publisher's.

    Attributes:
        address: where it is.
        most_bytes: its size, or where that is not known the most that is taken.
        exact: whether `most_bytes` is the size.
        algorithm: of the checksum, `md5` or `sha256`.
        digest: the checksum in hexadecimal digits; empty where it is not known.
    """

    address: str
    most_bytes: int
    exact: bool = True
    algorithm: str = "md5"
    digest: str = ""


class DownloadBroken(Exception):
    """A request that failed and may be repeated, after some seconds where the server names them."""

    def __init__(self, why: str, wait_s: float | None = None):
        super().__init__(why)
        self.wait_s = wait_s


class Downloader:
    """HTTP client that asks one publisher's addresses and no others; it may be shared among threads."""

    def __init__(self, publisher: Publisher):
        self.publisher = publisher
        self._client = httpx2.Client(
            follow_redirects=True,
            timeout=TIMEOUT_S,
            headers={"User-Agent": f"segser/{__version__}", "Accept-Encoding": "identity"},
            event_hooks={"request": [self._check_origin]},  # called for each redirection, too
        )

    def __enter__(self) -> "Downloader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def download(self, file: RemoteFile, path: Path, show: Callable[[int], object] = lambda n: None) -> Path:
        """Download a file to `path` with `.part` added to its name, going on with what is there already.

        Args:
            file: what to download.
            path: the file's later place; the folder must be there.
            show: told how many bytes of the file are there, each time that some have come.

        Returns:
            The path with `.part`, whose content has the size and checksum of `file`.

        Raises:
            DownloadError: the server cannot be reached, refuses, or sends anything else than `file`.
        """
        part = path.with_name(f"{path.name}.part")
        if (file.exact and _size(part) > file.most_bytes) or not file.exact:
            part.unlink(missing_ok=True)
        resumed = _size(part) > 0
        show(_size(part))
        if not (file.exact and _size(part) == file.most_bytes):
            self._receive_whole(file, part, show)
        try:
            self._check_digest(file, part)
        except DownloadError as error:
            part.unlink()
            if not resumed:
                raise
            _log.warning("%s; it was begun by an earlier call, and is downloaded anew", error)
            return self.download(file, path, show)
        return part

    def _receive_whole(self, file: RemoteFile, part: Path, show: Callable[[int], object]) -> None:
        """Ask for a file until it is whole; give up after some failures in a row without a further byte."""
        failures, most = 0, _size(part)
        while True:
            try:
                self._receive(file, part, show)
                return
            except httpx2.TransportError as error:
                if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout) and not most:
                    raise DownloadError(
                        f"{file.address} cannot be reached ({error}); is this computer connected to the internet?"
                    ) from error
                why, wait_s = str(error) or type(error).__name__, None
            except DownloadBroken as error:
                why, wait_s = str(error), error.wait_s
            failures = 0 if _size(part) > most else failures + 1
            most = max(most, _size(part))
            if failures >= self.publisher.tries:
                raise DownloadError(
                    f"{file.address}: {why}, {failures} times in a row; the {_size(part)} bytes that came are kept: "
                    "run the command again later to go on"
                )
            pause_s = self.publisher.pause_s * 2 ** max(0, failures - 1) if wait_s is None else wait_s
            time.sleep(min(pause_s, LONGEST_WAIT_S))

    def _receive(self, file: RemoteFile, part: Path, show: Callable[[int], object]) -> None:
        """Ask for what is missing of a file once, and write what comes."""
        have = _size(part) if file.exact else 0
        headers = {"Range": f"bytes={have}-"} if have else {}
        with self._client.stream("GET", file.address, headers=headers) as response:
            start = self._first_byte(response, file, part, have)
            with part.open("r+b" if start else "wb") as out:
                out.seek(start)
                out.truncate()
                for block in response.iter_raw():  # blocks of a set size would lose the last one in a break
                    if out.tell() + len(block) > file.most_bytes:
                        raise DownloadError(
                            f"{file.address} sends more than {file.most_bytes} bytes, the publisher's size; "
                            f"see {self.publisher.page}"
                        )
                    out.write(block)
                    show(out.tell())
        if file.exact and _size(part) < file.most_bytes:
            raise DownloadBroken(f"the server ended after {_size(part)} of {file.most_bytes} bytes")

    def _first_byte(self, response: httpx2.Response, file: RemoteFile, part: Path, have: int) -> int:
        """Read from an answer's head which byte of the file comes first, and check the size that it names."""
        status = response.status_code
        if status == 200:
            size, start = response.headers.get("Content-Length", "*"), 0
        elif status == 206 and (found := _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))):
            start, size = int(found[1]), found[2]
        elif status in (206, 416):
            part.unlink(missing_ok=True)  # the next request asks for the whole file
            raise DownloadBroken(f"the server cannot go on at byte {have}")
        else:
            raise self._refusal(response, file)
        if start not in (0, have):
            part.unlink(missing_ok=True)
            raise DownloadBroken(f"the server went on at byte {start} in place of {have}")
        if size.isdigit() and (int(size) > file.most_bytes or (file.exact and int(size) != file.most_bytes)):
            raise DownloadError(
                f"{file.address} has {size} bytes; expected {'' if file.exact else 'at most '}{file.most_bytes}: the "
                f"publisher may have changed it, see {self.publisher.page}"
            )
        return start

    def _refusal(self, response: httpx2.Response, file: RemoteFile) -> Exception:
        """Make the error of an answer that brings no file; one that may pass is worth another try."""
        answer = f"the server answers {response.status_code} {response.reason_phrase}".rstrip()
        if response.status_code in _PASSING_STATUSES:
            wait = response.headers.get("Retry-After", "")
            return DownloadBroken(answer, float(wait) if wait.isdigit() else None)
        return DownloadError(f"{file.address}: {answer}; see {self.publisher.page} whether the file has moved")

    def _check_digest(self, file: RemoteFile, part: Path) -> None:
        if not file.digest:
            return
        got = file_digest(part, file.algorithm)
        if got != file.digest:
            raise DownloadError(
                f"what came from {file.address} has the {file.algorithm.upper()} {got}; expected {file.digest}, the "
                "publisher's; it is removed"
            )

    def _check_origin(self, request: httpx2.Request) -> None:
        origin = f"{request.url.scheme}://{request.url.netloc.decode('ascii')}"
        if origin not in self.publisher.origins:
            raise DownloadError(
                f"{self.publisher.name} leads to {origin}, which is none of its own addresses "
                f"({', '.join(self.publisher.origins)}); nothing was asked there"
            )


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
