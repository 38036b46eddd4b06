"""Calls to an OPA server, every failure turned into PolicyUnavailable with its cause."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlsplit

from reconciler.model.errors import ConfigurationError, PolicyUnavailable
from reconciler.policy.bundle import PACKAGE, RULE

if TYPE_CHECKING:
    import requests

T = TypeVar("T")

_PORT = 8181


class Server:
    """One OPA server. Thread-safe. All methods raise PolicyUnavailable (unreachable, timeout, malformed …)."""

    def __init__(self, address: str, *, timeout: float, token: str | None, ca: str | None, cert: str | None) -> None:
        self.address = address
        scheme, host, port = _parse(address)
        # retries=0: the one repetition that is right (a connection that went stale) is made here.
        options = {"ssl": ca or True, "cert": cert} if scheme == "https" else {"ssl": False}
        self._client = _client()(host=host, port=port, token=token, retries=0, timeout=timeout, **options)

    def query(self, document: Mapping[str, Any]) -> Any:
        """The value of ``data.reconciler.decision`` for an input. Raises also undefined."""
        body = self._call(lambda: self._client.query_rule(document, PACKAGE, RULE))
        if not isinstance(body, dict):
            raise PolicyUnavailable("malformed", f"OPA at {self.address} answered with something that isn't an object")
        if "result" not in body:
            raise PolicyUnavailable("undefined", f"OPA at {self.address}: data.{PACKAGE}.{RULE} is undefined")
        return body["result"]

    def healthy(self) -> bool:
        """Whether OPA says that it is."""
        return bool(self._client.check_health())

    def data(self, key: str) -> Any:
        """A document under ``data``; None if there is none."""
        from opa_client.errors import PolicyNotFoundError

        try:
            return self._call(lambda: self._client.get_data(key))["result"]
        except PolicyNotFoundError:
            return None

    def policies(self) -> dict[str, str]:
        """The source of every policy on the server, by id."""
        ids = self._call(self._client.get_policies_list)
        return {name: self._source(name) for name in ids}

    def _source(self, name: str) -> str:
        return str(self._call(lambda: self._client.get_policy(name))["result"].get("raw", ""))

    def put_policy(self, name: str, source: str) -> None:
        """Upload one module as it is. Raises also compile."""
        # rego_compat would rewrite a policy that doesn't compile until it does.
        self._change(lambda: self._client.update_policy_from_string(source, name, rego_compat=False))

    def delete_policy(self, name: str) -> None:
        """Remove one module. Raises also compile (others need it)."""
        self._change(lambda: self._client.delete_policy(name))

    def put_data(self, documents: Mapping[str, Any]) -> None:
        """Set top-level documents, one after the other."""
        for key, value in documents.items():
            self._put_document(quote(key, safe=""), value)

    def delete_data(self, key: str) -> None:
        """Remove a top-level document; none there is fine."""
        from opa_client.errors import DeleteDataError

        try:
            self._call(lambda: self._client.delete_data(quote(key, safe="")))
        except DeleteDataError:
            if self.data(key) is not None:
                raise PolicyUnavailable("malformed", f"OPA at {self.address} keeps data.{key}") from None

    def _put_document(self, key: str, value: Any) -> None:
        self._change(lambda: self._client.patch_data(key, [{"op": "add", "path": "/", "value": value}]))

    def _change(self, call: Callable[[], Any]) -> None:
        from opa_client.errors import DeletePolicyError, PatchDataError, RegoParseError

        try:
            self._call(call)
        except (RegoParseError, DeletePolicyError, PatchDataError) as error:
            raise PolicyUnavailable("compile", f"OPA refuses the policies: {_explain(error)}") from error

    def _call(self, call: Callable[[], T]) -> T:
        import requests

        try:
            try:
                return call()
            except requests.exceptions.Timeout:
                raise
            except requests.exceptions.ConnectionError:
                return call()
        except requests.exceptions.Timeout as error:
            raise PolicyUnavailable("timeout", f"OPA at {self.address} didn't answer in time") from error
        except requests.exceptions.HTTPError as error:
            status = error.response.status_code if error.response is not None else "an error"
            raise PolicyUnavailable("malformed", f"OPA at {self.address} answered HTTP {status}") from error
        except requests.exceptions.ConnectionError as error:
            raise PolicyUnavailable("unreachable", f"OPA at {self.address} can't be reached") from error
        except (requests.exceptions.RequestException, ValueError) as error:
            raise PolicyUnavailable("malformed", f"OPA at {self.address} answered with no valid JSON") from error


def _client() -> Any:
    """The client class, with the environment's proxies and netrc (which could redirect or re-sign) left out."""
    from opa_client.opa import OpaClient

    class Client(OpaClient):  # type: ignore[misc]  # the library has no types
        def _init_session(self) -> requests.Session:
            session: requests.Session = super()._init_session()
            session.trust_env = False
            session.max_redirects = 1  # the client's own paths end in a slash that OPA redirects away
            return session

    return Client


def _parse(address: str) -> tuple[str, str, int]:
    parts = urlsplit(address if "://" in address else f"http://{address}")
    try:
        port = parts.port or _PORT
    except ValueError:
        port = 0
    if parts.scheme not in ("http", "https") or not parts.hostname or not port or parts.path not in ("", "/"):
        raise ConfigurationError(f"OPA address {address!r}: expected http://host:port or https://host:port")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return parts.scheme, host, port


def _explain(error: Any) -> str:
    details = [_detail(item) for item in getattr(error, "errors", []) if isinstance(item, dict)]
    return "; ".join(details[:3]) or str(error.message)


def _detail(item: Mapping[str, Any]) -> str:
    location = item.get("location", {})
    return f"{location.get('file', '')}:{location.get('row', '')}: {item.get('message', '')}"
