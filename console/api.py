"""The management API as the command line uses it: plain calls, and refusals as `Refused`."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import httpx

from console.failure import Failure, Refused

PAGE = 200
LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})
TIMEOUT = httpx.Timeout(10.0, read=330.0)
"""A call may run as long as the longest `settle` or `advance` that a caller can ask for."""

_NAMED: Final = re.compile(r'filename="([A-Za-z0-9._-]+)"')
_HINTS: Mapping[int, str] = {
    401: "Check the key: --key or SOJOURN_KEY; `sojourn token` prints the one of a stack that runs here.",
    403: "The key lacks a scope; use a key of the workspace with all scopes, or the service-account token.",
}


class Received(NamedTuple):
    """A file on its way in: what it is called, and its pieces."""

    name: str
    pieces: Iterator[bytes]


class Api:
    """One workspace of one server, seen with one key."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        workspace_id: int | None = None,
        ca_file: Path | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        if workspace_id is not None:
            headers["X-Workspace-Id"] = str(workspace_id)
        local = httpx.URL(self.url).host in LOCAL
        self._client = httpx.Client(
            base_url=self.url,
            headers=headers,
            timeout=TIMEOUT,
            transport=transport,
            trust_env=not local,  # a proxy for the outside is none for this machine
            verify=ssl.create_default_context(cafile=str(ca_file)) if ca_file and ca_file.exists() else True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """What a read answers; parameters that are None are left out."""
        return self._answer("GET", path, query)

    def post(self, path: str, body: Mapping[str, Any] | None = None, **query: Any) -> dict[str, Any]:
        """What a verb answers."""
        return self._answer("POST", path, query, body)

    def put(
        self, path: str, body: Mapping[str, Any], *, headers: Mapping[str, str] | None = None, **query: Any
    ) -> dict[str, Any]:
        """What a write answers."""
        return self._answer("PUT", path, query, body, headers=headers)

    def delete(self, path: str) -> None:
        """Remove something."""
        self._call("DELETE", path, {}, None)

    def raw(self, path: str) -> bytes:
        """The bytes of an answer that is not JSON."""
        return self._call("GET", path, {}, None).content

    def send(self, path: str, content: Iterator[bytes], kind: str, **query: Any) -> dict[str, Any]:
        """What a call answers whose body is a file, sent piece by piece."""
        return self._answer("POST", path, query, content=content, headers={"Content-Type": kind})

    @contextmanager
    def stream(self, url: str) -> Iterator[Received]:
        """A file that comes in piece by piece, from a link that is its own key."""
        # The server names itself as others reach it, which need not be how we do.
        path = httpx.URL(url).raw_path.decode("ascii")
        try:
            with self._client.stream("GET", path) as response:
                if not response.is_success:
                    response.read()
                    raise self._refusal(response)
                yield Received(_file_name(response), response.iter_bytes())
        except httpx.HTTPError as error:
            raise Failure(f"{self.url} broke off: {error}") from None

    def listed(self, path: str, name: str, *, limit: int, **query: Any) -> Iterator[dict[str, Any]]:
        """Up to `limit` items of a list, page after page."""
        start: str | None = None
        while limit > 0:
            page = self.get(path, limit=min(limit, PAGE), start=start, **query)
            yield from page[name][:limit]
            limit -= len(page[name])
            start = page.get("next") or None
            if start is None:
                break

    def _answer(
        self, method: str, path: str, query: Mapping[str, Any], body: Mapping[str, Any] | None = None, **sent: Any
    ) -> dict[str, Any]:
        response = self._call(method, path, query, body, **sent)
        if not response.content:
            return {}
        try:
            answer = response.json()
        except ValueError:
            raise self._stranger(response) from None
        return answer if isinstance(answer, dict) else {"items": answer}

    def _call(
        self, method: str, path: str, query: Mapping[str, Any], body: Mapping[str, Any] | None, **sent: Any
    ) -> httpx.Response:
        params = {name: _text(value) for name, value in query.items() if value is not None}
        try:
            response = self._client.request(method, path, params=params, json=body, **sent)
        except httpx.TimeoutException:
            raise Failure(f"{self.url} did not answer in time.", "Is it very busy? Try again in a moment.") from None
        except httpx.HTTPError as error:
            hint = "Is the server running? `make up` starts one here; --url or SOJOURN_URL names another."
            raise Failure(f"{self.url} cannot be reached: {error}", hint) from None
        if response.is_success:
            return response
        raise self._refusal(response)

    def _refusal(self, response: httpx.Response) -> Failure:
        try:
            errors = response.json()["errors"]
        except (ValueError, KeyError, TypeError):
            return self._stranger(response)
        return Refused(response.status_code, errors, _HINTS.get(response.status_code, ""))

    def _stranger(self, response: httpx.Response) -> Failure:
        path = response.request.url.path
        message = f"{self.url} answered {path} with status {response.status_code} and nothing that can be read."
        return Failure(message, "Is this the address of a Sojourn server? Its log (.sojourn/logs/api.log) says more.")


def _file_name(response: httpx.Response) -> str:
    """What the server calls a file, without any folder."""
    found = _NAMED.search(response.headers.get("content-disposition", ""))
    return found.group(1) if found else "export"


def _text(value: Any) -> Any:
    """A query parameter as the server reads it."""
    return str(value).lower() if isinstance(value, bool) else value
