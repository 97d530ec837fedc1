"""HTTP: endpoints of webhooks, called as they are, each within 16 seconds (ACT-29 to ACT-31)."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar, Final

from pydantic import BaseModel

from channels import pinned
from channels.base import (
    HandingOver,
    HttpAnswer,
    HttpCall,
    Outgoing,
    Outside,
    Receipt,
    Refused,
    SendFailure,
    Unavailable,
)
from channels.http_answers import asked, judged
from domain.documents import Document

if TYPE_CHECKING:  # loaded with the first call
    import httpx

LARGEST_ANSWER: Final = 102_400
_PACKED: Final[Mapping[str, int]] = {
    "gzip": zlib.MAX_WBITS | 16,
    "x-gzip": zlib.MAX_WBITS | 16,
    "deflate": zlib.MAX_WBITS,
}
_DEFAULTS: Final = (("User-Agent", "Sojourn"), ("Accept", "*/*"), ("Accept-Encoding", "identity"))


class HttpOptions(Document):
    """Nothing to configure."""


class HttpCaller:
    """Calls endpoints; `allow_private` lets it into private networks."""

    def __init__(self, outside: Outside, *, allow_private: bool) -> None:
        self._outside = outside
        self._allow_private = allow_private
        self._client: httpx.AsyncClient | None = None
        self._in_hand = 0
        self._idle = asyncio.Event()

    async def call(self, call: HttpCall, handing_over: HandingOver) -> HttpAnswer:
        """What the endpoint answers, whatever it is; raises a SendFailure where there is no answer that can be used.

        One that says `ambiguous` came after the request had been sent.
        """
        import httpx

        seconds = self._outside.call_seconds
        if self._client is None:
            self._client = pinned.client(seconds, self._outside.tls)
        begun = _Begun(handing_over)
        try:
            with self._counted():
                async with asyncio.timeout(None) as limit:
                    begun.limit, begun.seconds = limit, seconds
                    limit.reschedule(asyncio.get_running_loop().time() + seconds)
                    response = await pinned.send(
                        self._client,
                        call.method,
                        httpx.URL(call.url),
                        headers=_headers(call),
                        content=call.body,
                        allow_private=self._allow_private,
                        before=begun,
                        sending=begun.sending,
                    )
                    try:
                        body = await _limited(response, call)
                    finally:
                        await response.aclose()
        except pinned.PrivateAddressError:
            raise Refused(f"{asked(call)} leads to a private, loopback or link-local address") from None
        except pinned.UnknownHostError:
            raise Unavailable(f"The host of {asked(call)} is not known") from None
        except httpx.InvalidURL:
            raise Refused(f"{asked(call)} is no URL that can be called") from None
        except (TimeoutError, httpx.TimeoutException):
            raise Unavailable(f"No answer to {asked(call)} within {seconds:g} seconds", ambiguous=begun.sent) from None
        except (httpx.ConnectError, httpx.UnsupportedProtocol) as error:
            raise Unavailable(f"{asked(call)} could not be connected to ({type(error).__name__})") from None
        except httpx.LocalProtocolError:
            raise Refused(f"{asked(call)} cannot be sent as it is written") from None
        except httpx.HTTPError as error:
            said = f"The connection of {asked(call)} broke ({type(error).__name__})"
            raise Unavailable(said, ambiguous=begun.sent) from None
        return HttpAnswer(response.status_code, body, response.reason_phrase, response.headers.get("retry-after"))

    async def close(self) -> None:
        """Give the client up; calls in hand are answered first."""
        client, self._client = self._client, None
        while self._in_hand:
            self._idle.clear()
            await self._idle.wait()
        if client is not None:
            await client.aclose()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self._in_hand += 1
        try:
            yield
        finally:
            self._in_hand -= 1
            if not self._in_hand:
                self._idle.set()


class _Begun:
    """How far the hand-over has come; noting that takes nothing of the endpoint's time."""

    def __init__(self, handing_over: HandingOver) -> None:
        self._handing_over = handing_over
        self.sent = False
        self.limit: asyncio.Timeout | None = None
        self.seconds = 0.0

    def sending(self) -> None:
        """Until now the endpoint has certainly not heard of it."""
        self.sent = True

    async def __call__(self) -> None:
        await self._handing_over()
        if self.limit is not None:
            self.limit.reschedule(asyncio.get_running_loop().time() + self.seconds)


class HttpSender:
    """Calls the endpoint that a message names."""

    def __init__(self, outside: Outside) -> None:
        self._caller = HttpCaller(outside, allow_private=outside.allow_private)

    async def send(self, outgoing: Outgoing, handing_over: HandingOver) -> Receipt:
        """Make the call; what may have been taken without an answer is asked again, with the same key (ACT-30)."""
        assert outgoing.call is not None, "only calls go this way"
        try:
            answer = await self._caller.call(outgoing.call, handing_over)
        except SendFailure as failure:
            failure.ambiguous = False
            raise
        return judged(outgoing.call, answer, outgoing.at)

    async def close(self) -> None:
        """Give up what is open."""
        await self._caller.close()


class HttpChannel:
    """The way to any endpoint: built in, with nothing to configure. A call is known by its idempotency key."""

    kind: ClassVar[str] = "http"
    channel: ClassVar[str] = "webhook"
    idempotent: ClassVar[bool] = True
    Options: ClassVar[type[BaseModel]] = HttpOptions

    def normalise(self, address: str) -> str:
        """An address is called as it is."""
        return address

    def open(self, _options: HttpOptions, outside: Outside) -> HttpSender:
        """A sender of calls."""
        return HttpSender(outside)


def _headers(call: HttpCall) -> dict[str, str]:
    given = dict(call.headers)
    known = {name.casefold() for name in given}
    if call.authorization is not None and "authorization" not in known:
        given["Authorization"] = call.authorization
    return {**{name: value for name, value in _DEFAULTS if name.casefold() not in known}, **given}


async def _limited(response: httpx.Response, call: HttpCall) -> bytes:
    """The body, as far as it may be long."""
    pieces: list[bytes] = []
    size = 0
    async for piece in response.aiter_raw(LARGEST_ANSWER):
        size += len(piece)
        if size > LARGEST_ANSWER:
            break
        pieces.append(piece)
    else:
        body = _unpacked(b"".join(pieces), response.headers.get("content-encoding", ""))
        if len(body) <= LARGEST_ANSWER:
            return body
    raise Refused(f"The answer to {asked(call)} is larger than {LARGEST_ANSWER} bytes")


def _unpacked(body: bytes, encoding: str) -> bytes:
    """The body as it was packed: no answer is asked to be, and none is unpacked much further than it may be long."""
    bits = _PACKED.get(encoding.strip().casefold())
    if bits is None or not body:
        return body
    try:
        return zlib.decompressobj(bits).decompress(body, LARGEST_ANSWER + 1)
    except zlib.error:
        return body


__all__ = ["LARGEST_ANSWER", "HttpCaller", "HttpChannel", "HttpOptions", "HttpSender"]
