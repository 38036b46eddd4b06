"""A real Git server for tests: ``git http-backend`` behind HTTPS on loopback, which asks for a name and a token.

Its certificate is its own: point ``GIT_SSL_CAINFO`` at ``certificate``. What is protected is so by a hook, as on
servers that people run.
"""

from __future__ import annotations

import base64
import ipaddress
import os
import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.testing.serving import Serving

if TYPE_CHECKING:
    from types import TracebackType

#: Refuses pushes to ``main`` by others than those who merge, and history that is rewritten there.
_PROTECTION = """#!/bin/sh
while read -r old new ref; do
    if [ "$ref" = refs/heads/main ] && [ "$REMOTE_USER" != maintainer ]; then
        echo "main is protected: open a pull request" >&2
        exit 1
    fi
done
"""


class GitServer:
    """Serves the bare repositories in ``root``. A context manager.

    ``token``: the password that any user must show. ``requests``: what came, as ``METHOD /path user``.
    """

    def __init__(self, root: Path, token: str, scratch: Path) -> None:
        """``scratch``: where key and certificate go."""
        self.root, self.token, self.certificate = root, token, scratch / "git-server.pem"
        self.requests: list[str] = []

    def __enter__(self) -> GitServer:
        key = _certificate(self.certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        outer = self

        class Handler(_Handler):
            server_of = outer

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._serving = Serving(self._server, "git-server")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._serving.stop()

    @property
    def address(self) -> str:
        """``https://127.0.0.1:PORT``."""
        return f"https://127.0.0.1:{self._server.server_port}"

    def protect(self, repository: str) -> None:
        """Let nobody but ``maintainer`` push to main."""
        hook = self.root / repository / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(_PROTECTION)
        hook.chmod(0o755)


class _Handler(BaseHTTPRequestHandler):
    server_of: GitServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, *_: object) -> None:
        """Requests are remembered, not logged."""

    def _serve(self) -> None:
        body = self._body()
        user = self._user()
        path, _, query = self.path.partition("?")
        self.server_of.requests.append(f"{self.command} {path} {user or '-'}")
        if user is None:
            self._answer(401, {"WWW-Authenticate": 'Basic realm="git"'}, b"")
            return
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.server_of.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REMOTE_USER": user,
            "REMOTE_ADDR": "127.0.0.1",
        }
        settings = ("http.receivepack=true", "uploadpack.allowFilter=true", "safe.directory=*")
        words = ["git", *(part for setting in settings for part in ("-c", setting)), "http-backend"]
        done = subprocess.run(words, input=body, env=environment, capture_output=True, check=False)  # noqa: S603
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines() if ": " in line)
        self._answer(int(headers.pop("Status", "200").split()[0]), headers, content)

    def _answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _user(self) -> str | None:
        kind, _, given = self.headers.get("Authorization", "").partition(" ")
        user, _, password = base64.b64decode(given or b"").decode(errors="replace").partition(":")
        return user if kind == "Basic" and password == self.server_of.token else None

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)


def _certificate(file: Path) -> Path:
    """Write a certificate for 127.0.0.1, and its key beside it; the key's path."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    private, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    file.write_bytes(made.public_bytes(form.Encoding.PEM))
    key = file.with_suffix(".key")
    key.touch(mode=0o600)
    key.write_bytes(private.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()))
    return key
