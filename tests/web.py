"""A local web server that can break off a response and drop requests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from semantoks.artifacts.provenance import sha256

COMMIT = "0123456789abcdef0123456789abcdef01234567"

ALL_REQUESTS = 10**6


class UnreliableServer(ThreadingHTTPServer):
    """Serve the files of a folder, each under the last component of the URL.

    Responses also carry the headers that the client of the Hugging Face hub relies on.

    Attributes
    ----------
    folder : Path
    address : str
        URL of the server.
    truncate_at : int or None
        Number of bytes after which the next larger file is cut off, once.
    drop_after_truncation : int
        Number of requests to drop as soon as a file was cut off.
    drop : int
        Number of requests to drop from now on.
    ranges : list of str
        Range headers received so far.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder = folder
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.truncate_at: int | None = None
        self.drop_after_truncation = 0
        self.drop = 0
        self.ranges: list[str] = []


class Handler(BaseHTTPRequestHandler):
    server: UnreliableServer

    def do_HEAD(self) -> None:
        self.answer(with_body=False)

    def do_GET(self) -> None:
        self.answer(with_body=True)

    def answer(self, with_body: bool) -> None:
        if self.server.drop > 0:
            self.server.drop -= 1
            self.close_connection = True
            return
        path = self.server.folder / self.path.split("/")[-1]
        if not path.is_file():
            self.send_error(404)
            return
        size, start = path.stat().st_size, self.requested_start()
        self.send_response(200 if start is None else 206)
        if start is not None:
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        self.send_header("Content-Length", str(size - (start or 0)))
        self.send_header("ETag", f'"{sha256(path)}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if with_body:
            self.send_body(path.read_bytes(), start or 0)

    def requested_start(self) -> int | None:
        """Return the first byte of the Range header, if there is one."""
        header = self.headers.get("Range")
        if not header:
            return None
        self.server.ranges.append(header)
        return int(header.removeprefix("bytes=").split("-")[0])

    def send_body(self, content: bytes, start: int) -> None:
        limit = self.server.truncate_at
        if limit is None or len(content) <= limit:
            self.wfile.write(content[start:])
            return
        self.server.truncate_at, self.server.drop = None, self.server.drop_after_truncation
        self.wfile.write(content[start:limit])
        self.close_connection = True

    def log_message(self, *arguments: object) -> None:
        """Keep the requests out of the output of the tests."""


@contextmanager
def serving(folder: Path) -> Iterator[UnreliableServer]:
    """Serve a folder within the context."""
    server = UnreliableServer(folder)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
