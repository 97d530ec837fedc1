"""Calls over HTTP that cannot be lured into our own network: a host is looked up once, looked at, and called there."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Final

from domain.web_addresses import is_public

if TYPE_CHECKING:  # loaded when something is called: processes that call nothing do without it
    import ssl

    import httpx


_FIRST_BYTE: Final = "http11.send_request_headers.started"


class UnknownHostError(Exception):
    """Nobody knows the host."""


class PrivateAddressError(Exception):
    """The host is, or may be, inside a private network."""


def client(seconds: float, tls: ssl.SSLContext | None = None) -> httpx.AsyncClient:
    """A client for `send`: it follows no redirects, asks no proxy, keeps no connection for another host and no cookies."""
    import httpx

    # A proxy of the environment would resolve names itself, past our look at the addresses. A connection that is kept
    # is known by its address only, so that it could carry a call meant for another name, whose certificate nobody saw.
    return httpx.AsyncClient(
        timeout=seconds,
        trust_env=False,
        follow_redirects=False,
        verify=tls if tls is not None else True,
        limits=httpx.Limits(max_keepalive_connections=0),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )


async def send(
    through: httpx.AsyncClient,
    method: str,
    url: httpx.URL,
    *,
    headers: Mapping[str, str],
    allow_private: bool,
    content: bytes | None = None,
    before: Callable[[], Awaitable[None]] | None = None,
    sending: Callable[[], None] | None = None,
) -> httpx.Response:
    """The answer of one call, its body still to be read; made at the very address that was looked at.

    `before` is awaited when the address is known and nothing has been sent, `sending` called when a connection stands and the
    first byte of the request is about to leave. Raises UnknownHostError, PrivateAddressError and
    what httpx raises.
    """
    import httpx

    addresses = await _addresses(url)
    if not allow_private and not all(is_public(address) for address in addresses):
        raise PrivateAddressError
    if before is not None:
        await before()
    named = {"Host": url.netloc.decode("ascii").rpartition("@")[2], **headers}

    async def trace(event: str, _info: Mapping[str, object]) -> None:
        if event == _FIRST_BYTE and sending is not None:
            sending()

    watched = {} if sending is None else {"trace": trace}
    failure: httpx.TransportError | None = None
    for address in addresses:
        request = through.build_request(
            method,
            url.copy_with(host=address),
            headers=[(name.encode(), value.encode()) for name, value in named.items()],
            content=content,
            extensions={"sni_hostname": url.raw_host.decode("ascii"), **watched},
        )
        try:
            return await through.send(request, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            failure = error
    assert failure is not None, "a name that resolves has an address"
    raise failure


async def _addresses(url: httpx.URL) -> list[str]:
    loop = asyncio.get_running_loop()
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        found = await loop.getaddrinfo(url.raw_host.decode("ascii"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise UnknownHostError from None
    return list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))


__all__ = ["PrivateAddressError", "UnknownHostError", "client", "send"]
