"""A stand-in for the Hugging Face hub, as far as its client needs it to upload and download.

Written from the requests that the client makes (huggingface_hub 2.4, without Xet).
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(ThreadingHTTPServer):
    """Keep repositories in memory.

    Attributes
    ----------
    repositories : dict of str to dict of str to bytes
        Content of the files of each.
    private : dict of str to bool
        Of each repository.
    stored : dict of str to bytes
        Large files by their SHA-256.
    token : str
        Without it nothing can be written, and no private repository is seen.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.private: dict[str, bool] = {}
        self.stored: dict[str, bytes] = {}
        self.token = "right"


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        parts = self.path.split("?")[0].strip("/").split("/")
        if parts[:2] == ["api", "models"]:
            name = "/".join(parts[2:4])
            if self.is_hidden(name):
                return self.answer({"error": "Repository not found"}, 404, "RepoNotFound")
            return self.answer({"id": name, "private": self.server.private[name], "sha": COMMIT})
        name, file = "/".join(parts[:2]), "/".join(parts[4:])
        if self.is_hidden(name):
            return self.answer({"error": "Repository not found"}, 404, "RepoNotFound")
        content = self.server.repositories[name].get(file)
        if content is None:
            return self.answer({"error": "Entry not found"}, 404, "EntryNotFound")
        return self.send(content)

    def do_PUT(self) -> None:
        content = self.body()
        self.server.stored[hashlib.sha256(content).hexdigest()] = content
        self.answer({})

    def do_POST(self) -> None:
        if self.headers.get("Authorization") != f"Bearer {self.server.token}":
            return self.answer({"error": "Invalid username or password."}, 401)
        body, path = self.body(), self.path.split("?")[0]
        if path == "/api/validate-yaml":
            return self.answer({"errors": [], "warnings": []})
        if path == "/api/repos/create":
            content = json.loads(body)
            name = f"{content['organization']}/{content['name']}"
            self.server.repositories[name] = {}
            self.server.private[name] = content.get("visibility") == "private"
            return self.answer({"url": f"{self.server.address}/{name}", "name": name})
        if path.endswith(".git/info/lfs/objects/batch"):
            return self.answer({"transfer": "basic", "objects": self.actions(json.loads(body))})
        name = "/".join(path.split("/")[3:5])
        if "/preupload/" in path:
            files = [
                {"path": file["path"], "uploadMode": self.mode(file["path"]), "shouldIgnore": False}
                for file in json.loads(body)["files"]
            ]
            return self.answer({"files": files})
        for line in body.splitlines():
            self.commit(name, json.loads(line))
        url = f"{self.server.address}/{name}/commit/{COMMIT}"
        return self.answer({"commitUrl": url, "commitOid": COMMIT})

    def is_hidden(self, name: str) -> bool:
        has_token = self.headers.get("Authorization") == f"Bearer {self.server.token}"
        return self.server.private.get(name, True) and not (
            has_token and name in self.server.repositories
        )

    @staticmethod
    def mode(path: str) -> str:
        return "lfs" if path.endswith(".safetensors") else "regular"

    def actions(self, batch: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            part | {"actions": {"upload": {"href": f"{self.server.address}/lfs/{part['oid']}"}}}
            for part in batch["objects"]
        ]

    def commit(self, name: str, item: dict[str, Any]) -> None:
        files, value = self.server.repositories[name], item["value"]
        if item["key"] == "file":
            files[value["path"]] = base64.b64decode(value["content"])
        elif item["key"] == "lfsFile":
            files[value["path"]] = self.server.stored[value["oid"]]

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        content = b""
        while size := int(self.rfile.readline(), 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return content

    def answer(self, content: dict[str, Any], status: int = 200, error: str = "") -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        if error:
            self.send_header("X-Error-Code", error)
        self.send_header("Content-Type", "application/json")
        self.finish_headers(body)

    def send(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.finish_headers(content)

    def finish_headers(self, body: bytes) -> None:
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Keep the requests out of the output of the tests."""


@contextmanager
def running_hub() -> Iterator[Hub]:
    hub = Hub()
    thread = threading.Thread(target=hub.serve_forever)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        thread.join()
        hub.server_close()
