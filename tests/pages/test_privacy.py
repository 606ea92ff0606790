"""What leaves the process: to the network, to the disk, to the log; and who may come in."""

import http.client
import json
import os
import re
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.audio_files import make_swelling_hum
from tests.support.paths import ROOT, SAMPLE
from tests.support.serving import serve_app
from tests.support.visitor import Visitor

NAME = "a-name-that-nobody-must-read"
LARGE = make_swelling_hum(60)  # above what Starlette keeps in memory by itself
LOOPBACK = ("127.", "localhost", "::1", "None")


def watched(folder: Path) -> dict[str, str]:
    """Surroundings in which a process notes what it does, its own home and place of temporary files among them."""
    for name in ("home", "tmp"):
        (folder / name).mkdir()
    paths = os.pathsep.join([str(ROOT / "tests" / "support" / "watch"), str(ROOT)])
    own = {"HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp"), "HF_HUB_OFFLINE": ""}
    return {**own, "PYTHONPATH": paths, "SEGSER_WATCH": str(folder / "notes"), "PYTHONDONTWRITEBYTECODE": "1"}


def called(folder: Path) -> list[str]:
    """Whom a watched process called outside of this machine."""
    notes = [json.loads(line) for line in (folder / "notes").read_text().splitlines()]
    whom = [str(what[0] if isinstance(what, list) else what) for event, what in notes if event != "open"]
    return [name for name in whom if not name.startswith((*LOOPBACK, "/"))]


def left(folder: Path) -> list[str]:
    """What a watched process opened to write, but for devices and pipes."""
    notes = [json.loads(line) for line in (folder / "notes").read_text().splitlines()]
    files = [str(what) for event, what in notes if event == "open"]
    return [name for name in files if not name.startswith("/dev/") and not name.isdigit()]


def knock(address: str, **headers: str) -> int:
    """The answer to a session that is opened as by a page of another origin, or under another name; 101 lets it in."""
    own = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
    own["Sec-WebSocket-Key"] = "AAAAAAAAAAAAAAAAAAAAAA=="
    connection.request("GET", "/_stcore/stream", headers=own | headers)
    status = connection.getresponse().status
    connection.close()
    return status


@dataclass(frozen=True)
class Visit:
    """What came of a visit with two recordings and one that is none."""

    folder: Path
    said: str
    names: list[str]
    refused: list[str]
    statuses: dict[str, int]


@pytest.fixture(scope="module")
def visit(tmp_path_factory) -> Iterator[Visit]:
    folder = tmp_path_factory.mktemp("watched")
    names, refused, log = [], [], folder / "log"
    with serve_app(env=watched(folder), log=log) as address:
        with Visitor(address) as visitor:
            statuses = {"small": visitor.bring(f"{NAME}.flac", SAMPLE.read_bytes())}
            for name, content in (("large", LARGE), ("broken", b"no sound"), ("too large", bytes(101 * 2**20))):
                visitor.run()
                names += [text.body for text in visitor.all("text")]
                refused += [alert.body for alert in visitor.all("alert")]
                statuses[name] = visitor.upload("upload-widget-several", f"{NAME}-{name}.wav", content)
            place = visitor._place("x.wav").upload_url
            statuses["no token"] = visitor.put(place, "x.wav", b"x", "")
            stranger = place.replace(visitor.session_id, "0" * 36)
            statuses["stranger"] = visitor.put(stranger, "x.wav", b"x", visitor.token)
        statuses["same origin"] = knock(address)
        statuses["another origin"] = knock(address, Origin="https://elsewhere.example")
        statuses["another name"] = knock(address, Host="elsewhere.example")
        statuses["listens"] = listens(urlsplit(address).port)
    yield Visit(folder, log.read_text(), names, refused, statuses)


def listens(port: int | None) -> int:
    """On how many addresses a port is open; all of them must be of the loopback."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    rows += [line.split() for line in Path("/proc/net/tcp6").read_text().splitlines()[1:]]
    own = [row[1].split(":")[0] for row in rows if row[3] == "0A" and int(row[1].split(":")[1], 16) == port]
    assert all(socket.inet_ntoa(struct.pack("=I", int(address, 16))) == "127.0.0.1" for address in own)
    return len(own)


def test_the_app_calls_nobody(visit):
    assert f"{NAME}.flac" in visit.names and f"{NAME}-large.wav" in visit.names, "it was used"
    assert called(visit.folder) == []


def test_the_watch_sees_a_call_and_a_file(tmp_path):
    code = (
        "import socket, tempfile; tempfile.TemporaryFile(); socket.socket(socket.AF_INET, 2).connect(('192.0.2.1', 9))"
    )
    subprocess.run([sys.executable, "-c", code], env={**os.environ, **watched(tmp_path)}, check=True)
    assert called(tmp_path) == ["192.0.2.1"]
    assert left(tmp_path)


def test_nothing_of_a_voice_is_written(visit):
    assert left(visit.folder) == []
    files = [p for name in ("home", "tmp") for p in (visit.folder / name).rglob("*") if p.is_file()]
    assert files == []


def test_the_log_names_no_recording(visit):
    assert any("not an audio file" in line for line in visit.refused), "the page did refuse one"
    assert NAME not in visit.said
    assert "Traceback" not in visit.said


def test_who_may_send_what(visit):
    files = {"small": 204, "large": 204, "broken": 204, "too large": 413, "no token": 403, "stranger": 400}
    assert visit.statuses == files | {"same origin": 101, "another origin": 403, "another name": 403, "listens": 1}


def test_an_error_is_whole_in_the_log_and_redacted_in_the_page(tmp_path):
    (tmp_path / ".streamlit").symlink_to(ROOT / ".streamlit")
    (tmp_path / "app.py").write_text("secret = 4711\nraise ValueError(f'a secret: {secret}')\n")
    with serve_app(root=tmp_path, log=tmp_path / "log") as address, Visitor(address) as visitor:
        (shown,) = visitor.all("exception")
    assert "4711" not in str(shown)
    assert "app.py" not in str(shown)
    said = re.sub(r"\x1b\[[\d;]*m", "", (tmp_path / "log").read_text())
    assert "ValueError: a secret: 4711" in said
    assert "app.py" in said


def test_the_command_line_calls_nobody_and_needs_no_network(tmp_path):
    """In a namespace without any network, where that can be had."""
    alone = ["unshare", "-n"] if subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode == 0 else []
    command = [*alone, sys.executable, "-m", "segser_core", "analyze", str(SAMPLE), "--format", "csv"]
    done = subprocess.run(command, env={**os.environ, **watched(tmp_path)}, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0 and len(done.stdout.splitlines()) > 2, done.stderr
    assert called(tmp_path) == []
    assert left(tmp_path) == []


def test_pages_hold_no_markup_of_others():
    using = [p.name for p in (ROOT / "pages").rglob("*.py") if "unsafe_allow_html" in p.read_text()]
    assert using == []


AUTH = """[auth]
redirect_uri = "https://segser.example/oauth2callback"
cookie_secret = "a-secret-of-thirty-two-characters"
"""


@pytest.mark.parametrize("secrets", [AUTH, "[auth"], ids=["named", "unreadable"])
def test_where_a_provider_of_identity_is_named_a_visitor_signs_in_first(secrets, tmp_path):
    for name in ("app.py", "pages", "segser_core"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "config.toml").symlink_to(ROOT / ".streamlit" / "config.toml")
    (tmp_path / ".streamlit" / "secrets.toml").write_text(secrets)
    with serve_app(root=tmp_path) as address, Visitor(address) as visitor:
        assert [heading.body for heading in visitor.all("heading")] == ["segser"]
        assert [button.label for button in visitor.all("button")] == ["Sign in"]
        assert not visitor.all("file_uploader")
        assert not visitor.all("plotly_chart")
        assert not visitor.all("button_group")
