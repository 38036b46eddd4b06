"""microburst, a proxy that knows AWS's protocols and fails in AWS's words, between the daemon and the local AWS."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

Rule = dict[str, Any]


class Microburst:
    """A process of its own. A rule stands until it is replaced, or has fired as often as its ``times``."""

    def __init__(self, command: str, upstream: str, log: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.endpoint = f"http://127.0.0.1:{probe.getsockname()[1]}"
        port = self.endpoint.rpartition(":")[2]
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [command, "--upstream", upstream, "--port", port], stdout=output, stderr=output
            )
        deadline = time.monotonic() + 60
        while True:
            try:
                self._ask("GET", "health")
                return
            except OSError:
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)

    def warm(self, services: Sequence[str]) -> None:
        """Let it load what it knows of these services, which takes seconds where nobody should wait for so long."""
        for rules in ([], [{"service": "*", "error": {"code": "Throttling"}}]):
            self.rules(rules)
            for service in services:
                scope = f"AKIAWARM000000000000/20260101/us-east-1/{service}/aws4_request"
                header = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
                with suppress(HTTPError):
                    urlopen(Request(f"{self.endpoint}/", headers={"Authorization": header}), timeout=60).read()
        self.rules([])
        self.fired()

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()

    def rules(self, rules: Sequence[Rule]) -> None:
        """These from now on, instead of the former ones."""
        self._ask("POST", "rules", rules)

    def fired(self) -> list[dict[str, Any]]:
        """What it has done since it was asked last."""
        fired: list[dict[str, Any]] = self._ask("GET", "fired")
        self._ask("DELETE", "fired")
        return fired

    def _ask(self, method: str, what: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.endpoint}/_microburst/{what}", data, method=method)
        with urlopen(request, timeout=30) as answer:
            return json.load(answer)
