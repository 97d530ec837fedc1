"""Files that a call asks us to fetch: over http or https, up to a size, and never from inside our own network (PPL-45)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import orjson

from channels import pinned
from domain.captured import FaultRule
from domain.errors import DomainError
from store import mailbox
from store.database import Database
from store.workspaces import WorkspaceRow

if TYPE_CHECKING:  # loaded when something is fetched: workers that fetch nothing do without it
    import httpx

MOST_HOPS = 5
STALL_SECONDS = 30.0
TOTAL_SECONDS = 300.0
_PIECE = 64 * 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_UNTOUCHED = (
    "A sandbox fetches nothing; a fault rule of channel webhook lets it (`pass_through`) or answers (`answer`)."
)


class FetchFailed(DomainError):
    """A file could not be fetched; `passing` where a later attempt may succeed, `status` what the server answered."""

    def __init__(
        self, message: str, *, code: str = "url_invalid", passing: bool = False, status: int | None = None
    ) -> None:
        super().__init__(code, message)
        self.passing = passing
        self.status = status


@dataclass(frozen=True, slots=True)
class Fetched:
    """A whole file."""

    body: bytes
    content_type: str


@dataclass
class Stream:
    """A file on its way in: its pieces, which end with FetchFailed where it is too large or breaks off."""

    content_type: str
    pieces: AsyncIterator[bytes]


async def fetch(
    db: Database, workspace: WorkspaceRow, url: str, *, limit: int, allow_private: bool = False, seconds: float = 30.0
) -> Fetched:
    """A file of at most `limit` bytes; raises FetchFailed (`url_invalid`, `private_address`, `length`).

    In a sandbox it comes from a fault rule of channel `webhook`, or really from the outside where one says so.
    """
    async with opened(db, workspace, url, limit=limit, allow_private=allow_private, seconds=seconds) as stream:
        body = b"".join([piece async for piece in stream.pieces])
        return Fetched(body, stream.content_type)


@asynccontextmanager
async def opened(
    db: Database,
    workspace: WorkspaceRow,
    url: str,
    *,
    limit: int,
    allow_private: bool = False,
    seconds: float = TOTAL_SECONDS,
    hops: int = MOST_HOPS,
) -> AsyncIterator[Stream]:
    """The same file piece by piece, for what is too large to be held; it may be redirected `hops` times."""
    check_url(url)
    if workspace.sandbox:
        async with db.transaction() as conn:
            rule = await mailbox.rule_for_call(conn, workspace.workspace_id, url)
        if rule is None or rule.outcome != "pass_through":
            yield _answered(rule, limit)
            return
        allow_private = True
    import httpx

    try:
        async with asyncio.timeout(seconds), pinned.client(STALL_SECONDS) as client:
            response = await _followed(client, url, allow_private=allow_private, hops=hops)
            try:
                yield Stream(response.headers.get("content-type", ""), _limited(response, limit))
            finally:
                await response.aclose()
    except TimeoutError:
        raise FetchFailed(f"The file was not there within {seconds:g} seconds.", passing=True) from None
    except httpx.HTTPError as error:
        raise FetchFailed(f"The file could not be fetched ({type(error).__name__}).", passing=True) from None


def check_url(url: str) -> httpx.URL:
    """The address as it can be called; raises FetchFailed."""
    import httpx

    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        raise FetchFailed("This is not a URL.") from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise FetchFailed("Give a URL that begins with http:// or https://.")
    return parsed


async def _followed(client: httpx.AsyncClient, url: str, *, allow_private: bool, hops: int) -> httpx.Response:
    """The answer at the end of the redirects, each hop looked at before it is called."""
    for _ in range(hops + 1):
        response = await _called(client, check_url(url), allow_private=allow_private)
        if response.status_code not in _REDIRECTS or "location" not in response.headers:
            break
        await response.aclose()
        url = _target(url, response.headers["location"])
    else:
        raise FetchFailed("The URL redirects too often.")
    if response.status_code != 200:
        await response.aclose()
        passing = response.status_code in (408, 425, 429) or response.status_code >= 500
        status = response.status_code
        raise FetchFailed(f"The URL answered with status {status}.", passing=passing, status=status)
    return response


def _target(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise FetchFailed("The URL redirects to something that is none.") from None


async def _called(client: httpx.AsyncClient, url: httpx.URL, *, allow_private: bool) -> httpx.Response:
    """The answer of one hop, called at the very address that was looked at, so that no second look-up can differ."""
    try:
        return await pinned.send(client, "GET", url, headers={"User-Agent": "Sojourn"}, allow_private=allow_private)
    except pinned.PrivateAddressError:
        message = "The URL leads to a private, loopback or link-local address."
        raise FetchFailed(message, code="private_address") from None
    except pinned.UnknownHostError:
        raise FetchFailed("The host of the URL is not known.", passing=True) from None


async def _limited(response: httpx.Response, limit: int) -> AsyncIterator[bytes]:
    declared = response.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > limit:
        raise _too_large(limit)
    size = 0
    async for piece in response.aiter_bytes(_PIECE):
        size += len(piece)
        if size > limit:
            raise _too_large(limit)
        yield piece


def _answered(rule: FaultRule | None, limit: int) -> Stream:
    """What a fault rule answers in place of the outside; a text as it is, everything else as JSON."""
    if rule is None:
        raise FetchFailed(_UNTOUCHED)
    if rule.outcome == "timeout":
        raise FetchFailed("The file was not there in time.", passing=True)
    status = rule.status or 200
    if rule.outcome == "http_status" or status != 200:
        raise FetchFailed(f"The URL answered with status {status}.", passing=status >= 500, status=status)
    text = isinstance(rule.body, str)
    body = rule.body.encode() if text else orjson.dumps({} if rule.body is None else rule.body)
    if len(body) > limit:
        raise _too_large(limit)

    async def pieces() -> AsyncIterator[bytes]:
        yield body

    return Stream("text/plain; charset=utf-8" if text else "application/json", pieces())


def _too_large(limit: int) -> FetchFailed:
    return FetchFailed(f"The file is larger than {limit} bytes.", code="length")


__all__ = ["FetchFailed", "Fetched", "Stream", "check_url", "fetch", "opened"]
