"""A visitor without a browser, who speaks the app's own protocol: opens a page, chooses, uploads, reads, leaves."""

import http.client
import re
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileURLs, UploadedFileInfo
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import connect


class Visitor:
    """One session with the app; what the page shows is in `elements`, by place.

    Args:
        address: of the app, such as http://127.0.0.1:8501.
        patience_s: how long to wait for the next message.
    """

    def __init__(self, address: str, patience_s: float = 60):
        self.host, self.patience_s = urlsplit(address).netloc, patience_s
        self.token = self._cookie()
        self.session = connect(
            f"ws://{self.host}/_stcore/stream",
            subprotocols=["streamlit", self.token],  # type: ignore[list-item]
            additional_headers={"Cookie": f"_streamlit_xsrf={self.token}"},
            origin=f"http://{self.host}",  # type: ignore[arg-type]
            max_size=None,
            open_timeout=patience_s,
            ping_interval=None,
        )
        self.session_id, self.widgets, self.elements = "", {}, {}  # type: ignore[var-annotated]

    def _cookie(self) -> str:
        connection = http.client.HTTPConnection(self.host, timeout=self.patience_s)
        connection.request("GET", "/_stcore/health")
        found = re.search(r"_streamlit_xsrf=([^;]+)", connection.getresponse().getheader("Set-Cookie") or "")
        connection.close()
        assert found, "the app gave no XSRF token"
        return found[1]

    def __enter__(self) -> "Visitor":
        self.socket = self.session.__enter__()
        self.run()
        return self

    def __exit__(self, *error: Any) -> None:
        self.session.__exit__(*error)

    def run(self, seen: Callable[[Element], None] | None = None) -> None:
        """Have the page drawn with what is chosen now, to its end; `seen` is told each element as it comes."""
        self.begin()
        for message in self._messages():
            if message.WhichOneof("type") == "script_finished":
                return
            if seen and message.WhichOneof("type") == "delta":
                seen(message.delta.new_element)
        raise ConnectionError("the app closed the connection")

    def begin(self) -> None:
        """Have the page drawn, and do not wait."""
        self.elements.clear()
        message = BackMsg()
        message.rerun_script.widget_states.widgets.extend(self.widgets.values())
        self._send(message)

    def _send(self, message: BackMsg) -> None:
        self.socket.send(message.SerializeToString())

    def _messages(self) -> Iterator[ForwardMsg]:
        end = time.monotonic() + 10 * self.patience_s
        while time.monotonic() < end:
            message = ForwardMsg.FromString(self.socket.recv(timeout=self.patience_s))  # type: ignore[arg-type]
            if message.WhichOneof("type") == "new_session":
                self.session_id = message.new_session.initialize.session_id
            if message.WhichOneof("type") == "delta" and message.delta.WhichOneof("type") == "new_element":
                self.elements[tuple(message.metadata.delta_path)] = message.delta.new_element
            yield message

    def all(self, kind: str) -> list[Any]:
        """What the page shows of a kind of element, such as `metric`."""
        return [getattr(e, kind) for _, e in sorted(self.elements.items()) if e.WhichOneof("type") == kind]

    def choose(self, key: str, kind: str, **value: Any) -> None:
        """Set a widget, found by its key among those of a kind, such as `checkbox`."""
        (widget,) = [w for w in self.all(kind) if w.id.endswith(f"-{key}")]
        state = WidgetState(id=widget.id)
        for name, content in value.items():
            if name == "string_array_value":
                state.string_array_value.data.extend(content)
            else:
                setattr(state, name, content)
        self.widgets[widget.id] = state

    def upload(self, key: str, name: str, content: bytes) -> int:
        """Send a file and set the uploader to it; the status of the answer to the sending."""
        (widget,) = [w for w in self.all("file_uploader") if w.id.endswith(f"-{key}")]
        place = self._place(name)
        status = self.put(place.upload_url, name, content, self.token)
        if status < 300:
            info = UploadedFileInfo(name=name, size=len(content), file_id=place.file_id, file_urls=place)
            state = WidgetState(id=widget.id)
            state.file_uploader_state_value.uploaded_file_info.append(info)
            self.widgets[widget.id] = state
        return status

    def _place(self, name: str) -> FileURLs:
        message = BackMsg()
        message.file_urls_request.request_id = str(uuid4())
        message.file_urls_request.session_id = self.session_id
        message.file_urls_request.file_names.append(name)
        self._send(message)
        response = next(m for m in self._messages() if m.WhichOneof("type") == "file_urls_response")
        return response.file_urls_response.file_urls[0]

    def put(self, url: str, name: str, content: bytes, token: str) -> int:
        """Send a file to an address of the app; the status of the answer."""
        mark = uuid4().hex
        head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        body = f"{head}Content-Type: audio/wav\r\n\r\n".encode() + content + f"\r\n--{mark}--\r\n".encode()
        headers = {
            "Content-Type": f"multipart/form-data; boundary={mark}",
            "X-Xsrftoken": token,
            "Cookie": f"_streamlit_xsrf={self.token}",
        }
        connection = http.client.HTTPConnection(self.host, timeout=self.patience_s)
        connection.request("PUT", url, body, headers)
        status = connection.getresponse().status
        connection.close()
        return status

    def bring(self, name: str, content: bytes) -> int:
        """On the page Timeline: agree, and upload a recording; the status of the answer. `run` then analyses it."""
        self.choose("source", "button_group", string_array_value=["Upload"])
        self.run()
        self.choose("consent", "checkbox", bool_value=True)
        self.run()
        return self.upload("upload-widget-several", name, content)
