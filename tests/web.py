"""A web server on this machine whose network can fail in the middle of a file."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from semantoks.artifacts.provenance import sha256

COMMIT = "0123456789abcdef0123456789abcdef01234567"

FOR_EVER = 10**6


class Web(ThreadingHTTPServer):
    """Serves the files of a folder by the last part of an address.

    Headers are those that the Hugging Face hub sends, too.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.folder = folder
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.ends_after: int | None = None  # bytes of the next file that is longer
        self.deaf_after_that = 0  # requests without an answer, once it has broken off
        self.deaf = 0  # requests without an answer, from now on
        self.ranges: list[str] = []  # that were asked for


class Answer(BaseHTTPRequestHandler):
    server: Web

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, body: bool) -> None:
        if self.server.deaf > 0:
            self.server.deaf -= 1
            self.close_connection = True
            return
        path = self.server.folder / self.path.split("/")[-1]
        if not path.is_file():
            self.send_error(404)
            return
        content, start, asked = path.read_bytes(), 0, self.headers.get("Range")
        if asked:
            self.server.ranges.append(asked)
            start = int(asked.removeprefix("bytes=").split("-")[0])
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.send_header("ETag", f'"{sha256(path)}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        limit = self.server.ends_after
        if body and limit is not None and len(content) > limit:
            self.server.ends_after, self.server.deaf = None, self.server.deaf_after_that
            self.wfile.write(content[start:limit])
            self.close_connection = True
        elif body:
            self.wfile.write(content[start:])

    def log_message(self, *arguments: object) -> None:
        """Say nothing on the terminal."""


@contextmanager
def serving(folder: Path) -> Iterator[Web]:
    """Serve a folder as long as the context lasts."""
    web = Web(folder)
    thread = threading.Thread(target=web.serve_forever)
    thread.start()
    try:
        yield web
    finally:
        web.shutdown()
        thread.join()
        web.server_close()
