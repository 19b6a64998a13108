"""A proxy before the S3 server that answers some requests as a store in trouble does."""

from __future__ import annotations

import contextlib
import http.client
import socket
import struct
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

Plan = Callable[[int, str, str], str]
"""From the number of a request, its method and path to what becomes of it.

`pass`; `500`, `503` or the code of one of `LASTING`, an error instead; `reset`, the connection ends before the request
takes effect; `lost`, it ends after, without an answer.
"""

LASTING = {
    "ExpiredToken": (400, "The provided token has expired."),
    "InvalidToken": (400, "The provided token is malformed or otherwise invalid."),
    "AccessDenied": (403, "Access Denied"),
    "InvalidAccessKeyId": (403, "The AWS Access Key Id you provided does not exist in our records."),
    "SignatureDoesNotMatch": (403, "The request signature we calculated does not match the signature you provided."),
    "RequestTimeTooSkewed": (403, "The difference between the request time and the current time is too large."),
    "NoSuchBucket": (404, "The specified bucket does not exist"),
    "AuthorizationHeaderMalformed": (400, "The authorization header is malformed; the region 'eu' is wrong"),
}
"""Errors that stay however long one waits, as S3 tells them: code, status and message."""
_ERRORS = {"500": ("InternalError", 500, "trouble"), "503": ("SlowDown", 503, "trouble")}
_ERRORS |= {code: (code, status, message) for code, (status, message) in LASTING.items()}


class FaultyProxy:
    """Runs in threads of this process while the block lasts."""

    def __init__(self, upstream: str, plan: Plan) -> None:
        self.upstream, self.plan, self.count = urlsplit(upstream).netloc, plan, 0
        self.met: list[str] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> FaultyProxy:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _decide(self, method: str, path: str) -> str:
        with self._lock:
            self.count += 1
            fate = self.plan(self.count - 1, method, path)
            self.met += [fate] * (fate != "pass")
            return fate

    def _handler(proxy) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def forward(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                fate = proxy._decide(self.command, self.path)
                if fate in _ERRORS:
                    name, status, told = _ERRORS[fate]
                    text = f"<?xml version='1.0'?><Error><Code>{name}</Code><Message>{told}</Message></Error>"
                    self.answer(status, [("Content-Type", "application/xml")], text.encode())
                    return
                if fate != "reset":
                    upstream = http.client.HTTPConnection(proxy.upstream, timeout=60)
                    upstream.request(self.command, self.path, body, dict(self.headers))
                    response = upstream.getresponse()
                    data = response.read()
                    upstream.close()
                if fate in {"reset", "lost"}:  # without lingering, so that the client gets a RST
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.close_connection = True
                    self.connection.close()
                    return
                skipped = {"transfer-encoding", "connection", "date", "server"}
                headers = [h for h in response.getheaders() if h[0].lower() not in skipped]
                self.answer(response.status, headers, data)

            def answer(self, status: int, headers: list[tuple[str, str]], data: bytes) -> None:
                self.send_response_only(status)
                for name, value in headers:
                    if not (name.lower() == "content-length" and self.command != "HEAD"):
                        self.send_header(name, value)
                if self.command != "HEAD":
                    self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data if self.command != "HEAD" else b"")

            def handle(self) -> None:
                with contextlib.suppress(OSError, ValueError):
                    super().handle()

            def log_message(self, *_: object) -> None:
                pass

            do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = forward  # noqa: N815

        return Handler
