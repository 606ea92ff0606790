"""Serve files on the loopback as a publisher does, or as one with a fault; and make small files to be served."""

import io
import re
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

from segser_core.audio.waveform import encode_wav
from training.corpora.fetching.source import Publisher


@dataclass
class ServedFile:
    """A file of the server, and its faults.

    Attributes:
        content: bytes.
        breaks_after: bytes of each answer after which the connection is closed, for the first answers.
        breaks: how many answers break off.
        ranges: whether requests for a range are heeded.
        named_size: what Content-Length says in place of the truth.
        named_start: what Content-Range says in place of the truth.
        statuses: of the first answers, before the file is sent.
        moved_to: an address that the answer redirects to.
        headers: of the answers with one of `statuses`.
    """

    content: bytes = b""
    breaks_after: int = 0
    breaks: int = 10**6
    ranges: bool = True
    named_size: int | None = None
    named_start: int | None = None
    statuses: list[int] = field(default_factory=list)
    moved_to: str = ""
    headers: dict[str, str] = field(default_factory=dict)


class PublisherServer:
    """Files by path, and the requests that came: paths, and the range of each ("" for the whole file)."""

    def __init__(self, address: str):
        self.address = address
        self.files: dict[str, ServedFile] = {}
        self.requests: list[tuple[str, str]] = []

    def publisher(self, *others: str, tries: int = 3) -> Publisher:
        """Make a publisher whose addresses are this server's, and others."""
        return Publisher(
            name="the test server",
            page=f"{self.address}/page",
            origins=(self.address, *others),
            tries=tries,
            pause_s=0.0,
        )

    def ranges(self, path: str) -> list[str]:
        """List the ranges that were asked of a file."""
        return [span for asked, span in self.requests if asked == path]


@contextmanager
def serve_publisher() -> Iterator[PublisherServer]:
    """Serve for the time of a block on a free port of the loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            path = self.path.partition("?")[0]
            known.requests.append((path, self.headers.get("Range", "")))
            answer(self, known.files.get(path))

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # a client that has enough closes the connection
    known = PublisherServer(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)


def answer(request: BaseHTTPRequestHandler, file: ServedFile | None) -> None:
    """Send a file, a part of it, or what its faults say."""
    if file is None or file.statuses:
        return send_empty(request, file.statuses.pop(0) if file else 404, file.headers if file else {})
    if file.moved_to:
        return send_empty(request, 302, {"Location": file.moved_to})
    asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", "")) if file.ranges else None
    start = int(asked[1]) if asked else 0
    if asked and start >= len(file.content):
        return send_empty(request, 416, {})
    body = file.content[start:]
    request.send_response(206 if asked else 200)
    if asked:
        first = start if file.named_start is None else file.named_start
        size = len(file.content) if file.named_size is None else file.named_size
        request.send_header("Content-Range", f"bytes {first}-{len(file.content) - 1}/{size}")
        request.send_header("Content-Length", str(len(body)))
    else:
        request.send_header("Content-Length", str(len(body) if file.named_size is None else file.named_size))
    request.end_headers()
    if file.breaks_after and file.breaks > 0:
        file.breaks -= 1
        body = body[: file.breaks_after]
        request.close_connection = True
    request.wfile.write(body)
    if file.named_size is not None:
        request.close_connection = True
    return None


def send_empty(request: BaseHTTPRequestHandler, status: int, headers: dict[str, str]) -> None:
    """Send an answer without a body."""
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name, value)
    request.send_header("Content-Length", "0")
    request.end_headers()


def short_wav(seed: int) -> bytes:
    """Make a WAV file of half a second of noise."""
    return encode_wav(np.random.default_rng(seed).normal(0, 0.1, 8000), 0, 1)


def zip_of(*members: tuple[str, bytes]) -> bytes:
    """Pack members of these names and contents."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()
