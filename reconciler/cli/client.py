"""Asks the running daemon for a pass, over its HTTP API."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from reconciler.model.codec import from_json
from reconciler.model.errors import ConfigurationError, ReconcilerError
from reconciler.model.report import Receipt

if TYPE_CHECKING:
    from pydantic import SecretStr

_TIMEOUT = 30.0
_POLL = 0.2


class Client:
    """The API at ``host`` and ``port``; an address that means "every interface" is reached on this machine."""

    def __init__(self, host: str, port: int, token: SecretStr | None) -> None:
        reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
        self.url = f"http://{f'[{reachable}]' if ':' in reachable else reachable}:{port}"
        self._token = token

    def sync(self, plans: Sequence[str] | None) -> Receipt:
        """Ask for a pass of ``plans`` (None: all). Raises ConfigurationError, ReconcilerError."""
        body = {"plans": list(plans)} if plans else {}
        return self._receipt("POST", "/api/v1/sync", body)

    def wait_for(self, receipt: Receipt, seconds: float) -> Receipt:
        """The receipt once it is answered, or as it stands after ``seconds``."""
        until = time.monotonic() + seconds
        while not receipt.answered and time.monotonic() < until:
            time.sleep(_POLL)
            receipt = self._receipt("GET", f"/api/v1/requests/{receipt.id}", None)
        return receipt

    def _receipt(self, method: str, path: str, body: dict[str, Any] | None) -> Receipt:
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token.get_secret_value()}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)  # noqa: S310 - http, by __init__
        # A proxy from the environment must not see the token of a daemon on this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=_TIMEOUT) as response:
                return from_json(Receipt, response.read())
        except urllib.error.HTTPError as error:
            raise _refused(error) from None
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise ConfigurationError(
                f"no daemon answers at {self.url} ({reason}); start it with `reconciler run`, "
                "or make the pass here with `reconciler apply`"
            ) from None
        except ValueError:
            raise ReconcilerError(f"what answers at {self.url} is not this program's API") from None


def _refused(error: urllib.error.HTTPError) -> ReconcilerError:
    """The API's own words; 401 and 403 are about the token in the configuration."""
    try:
        answer = json.loads(error.read())
        told = answer.get("error", answer)
        message = str(told.get("message") or told)
    except (ValueError, AttributeError, OSError):
        message = error.reason if isinstance(error.reason, str) else str(error.reason)
    if error.code in (401, 403):
        return ConfigurationError(f"the daemon refuses: {message}")
    return ReconcilerError(f"the daemon answers {error.code}: {message}")
