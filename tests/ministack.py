"""A second local AWS for the tests, in a process of its own: it enforces IAM, has change sets and detects drift."""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from boto3.session import Session

from reconciler.testing.outsiders import outsider

ROOT = Path(__file__).resolve().parents[1]
ACCOUNT, REGION = "111111111111", "us-east-1"


class Ministack:
    """The emulator as a process of its own. ``settings``: its own variables."""

    def __init__(self, program: str, log: Path, **settings: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        environment = {
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "HOME": str(log.parent),
            **settings,
        }
        with log.open("wb") as output:
            self._process = subprocess.Popen([program], env=environment, stdout=output, stderr=output)
        self._wait(log)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def reset(self) -> None:
        request = urllib.request.Request(f"{self.endpoint}/_ministack/reset", method="POST")
        urllib.request.urlopen(request, timeout=30).read()

    def environment(self) -> dict[str, str]:
        """Variables with which any AWS SDK or tool talks to it, as whoever owns the account."""
        return {
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str, key: str = ACCOUNT, secret: str = "test") -> Any:
        with outsider():
            session: Any = Session(aws_access_key_id=key, aws_secret_access_key=secret, region_name=REGION)
        return session.client(service, endpoint_url=self.endpoint)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def _wait(self, log: Path) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"{self.endpoint}/_ministack/health", timeout=5).read()
                return
            except urllib.error.HTTPError:
                return
            except OSError:
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)
