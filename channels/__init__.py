"""How providers are spoken to: the registry of channels, and the senders that are open in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from channels.base import Channel, HandingOver, Outgoing, Outside, Probe, Receipt, Sender
from channels.capture import CaptureChannel
from channels.http import HttpChannel
from channels.slack import SlackChannel
from channels.smtp import SmtpChannel, SmtpSender
from domain.definitions.provider import ProviderDefinition

CHANNELS: Final[Mapping[str, Channel]] = {
    channel.kind: channel for channel in (CaptureChannel(), SmtpChannel(), SlackChannel())
}
"""Every kind of provider by the word its definition uses."""

BUILT_IN: Final[Mapping[str, Channel]] = {channel.kind: channel for channel in (HttpChannel(),)}
"""Ways out that need no definition."""

CAPTURE: Final = ProviderDefinition.model_validate(
    {"kind": "provider", "key": "capture", "channel": "email", "provider": "capture"}
)
"""What stands in for every provider of a sandbox."""

_BUILT_IN: Final[Mapping[str, Any]] = {"kind": "provider", "key": "http", "channel": "webhook", "provider": "http"}
HTTP: Final = ProviderDefinition.model_construct(**_BUILT_IN)
"""The way of webhooks, which nobody has to define."""


EVERYBODY: Final = 0
"""No workspace has this number."""


class WayOut(NamedTuple):
    """An open sender with what is known of it."""

    key: str
    idempotent: bool
    channel: Channel
    sender: Sender
    probe: Probe | None = None
    """Where the provider is a server that may be away."""


class _Paced:
    """A sender that lets no more through than its provider allows."""

    def __init__(self, sender: Sender, per_second: float) -> None:
        self._sender = sender
        self._gap = 1.0 / per_second
        self._next = 0.0

    async def send(self, outgoing: Outgoing, handing_over: HandingOver) -> Receipt:
        """Wait for a place, then send."""
        now = asyncio.get_running_loop().time()
        place = max(now, self._next)
        self._next = place + self._gap
        await asyncio.sleep(place - now)
        return await self._sender.send(outgoing, handing_over)

    async def close(self) -> None:
        """Close the sender."""
        await self._sender.close()


class Channels:
    """The senders of this process, one for each provider of each workspace, opened anew when its definition changes."""

    def __init__(self) -> None:
        self._open: dict[tuple[int, str], tuple[ProviderDefinition, WayOut]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def open(self, workspace_id: int, provider: ProviderDefinition, outside: Outside) -> WayOut:
        """The way out that a provider definition describes."""
        # A way that nobody defines is the same for everybody, and no provider that is called like it takes its place.
        key = (EVERYBODY if provider.provider in BUILT_IN else workspace_id, provider.key)
        known = self._open.get(key)
        if known is not None:
            if known[0] is provider or known[0] == provider:
                return known[1]
            self._close_later(known[1].sender)
        channel = BUILT_IN.get(provider.provider) or CHANNELS[provider.provider]
        options = provider.config if provider.config is not None else channel.Options()
        sender = channel.open(options, outside)
        probe = sender.probe if isinstance(sender, SmtpSender) else None
        if provider.max_per_second is not None:
            sender = _Paced(sender, provider.max_per_second)
        way = WayOut(provider.key, channel.idempotent, channel, sender, probe)
        self._open[key] = (provider, way)
        return way

    def _close_later(self, sender: Sender) -> None:
        task = asyncio.get_running_loop().create_task(sender.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Close everything that is open."""
        for _, way in self._open.values():
            await way.sender.close()
        self._open.clear()
        if self._closing:
            await asyncio.gather(*self._closing)


__all__ = [
    "BUILT_IN",
    "CAPTURE",
    "CHANNELS",
    "HTTP",
    "Channel",
    "Channels",
    "Outgoing",
    "Outside",
    "Receipt",
    "Sender",
    "WayOut",
]
