"""In front of PYTHONPATH: notes in the file `SEGSER_WATCH` what a process opens to write, and whom it calls."""

import json
import os
import sys

WRITING = os.O_WRONLY | os.O_RDWR
NOTES = os.open(os.environ["SEGSER_WATCH"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def note(event: str, arguments: tuple) -> None:
    """Called by Python at each event that may be audited."""
    if event == "open":
        what = arguments[0] if isinstance(arguments[2], int) and arguments[2] & WRITING else None
    elif event in ("socket.connect", "socket.sendto"):
        what = arguments[1]
    else:
        what = arguments[0] if event == "socket.getaddrinfo" else None
    if what is not None:
        os.write(NOTES, f"{json.dumps([event, what], default=str)}\n".encode())


sys.addaudithook(note)
