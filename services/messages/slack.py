"""Slack messages as a kind of delivery (ACT-35)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import orjson

from channels.base import SLACK_URL, HttpCall, Outgoing
from domain.blocks.slack import SlackMessage
from domain.definitions.provider import ProviderDefinition, SecretName, SlackConfig
from rendering.errors import RenderError
from rendering.liquid import render
from services.messages.base import Handing, Making

_PUBLIC: Final = ("channel", "fields", "headers", "payload", "errors")
_HEADERS: Final = (("Content-Type", "application/json; charset=utf-8"),)


@dataclass(frozen=True, slots=True)
class RenderedSlack:
    """A message as it was rendered: the fields that Slack takes."""

    payload: Mapping[str, str]

    @property
    def to(self) -> str:
        """The channel or member."""
        return self.payload["channel"]

    @property
    def headline(self) -> None:
        """Such messages have no subject."""

    def stored(self) -> dict[str, Any]:
        """The message as a document."""
        names = {"channel": "to", "text": "text", "username": "from"}
        fields = {names[name]: value for name, value in self.payload.items() if name in names}
        return {"channel": "slack", "fields": fields, "headers": [], "payload": dict(self.payload), "errors": []}


class SlackKind:
    """Slack messages."""

    channel: ClassVar[str] = "slack"
    word: ClassVar[str] = "slack_action"

    def render(self, making: Making) -> RenderedSlack:
        """The message for the journey as things stand now."""
        message = making.content
        assert isinstance(message, SlackMessage), "only Slack blocks ask for such a message"
        payload = {name: _text(text, name, making) for name, text in message.model_dump(exclude_none=True).items()}
        payload = {name: text for name, text in payload.items() if text or name in ("channel", "text")}
        payload["channel"] = payload["channel"].strip()
        for name, what in (("channel", "There is no channel to post to"), ("text", "There is nothing to post")):
            if not payload[name].strip():
                raise RenderError(what, name)
        return RenderedSlack(payload)

    def restored(self, document: Mapping[str, Any]) -> RenderedSlack:
        """The message behind a document."""
        payload = document.get("payload")
        if not isinstance(payload, Mapping) or not {"channel", "text"} <= set(payload):
            raise ValueError("the document holds no message")
        return RenderedSlack(dict(payload))

    def outgoing(self, rendered: RenderedSlack, handing: Handing) -> Outgoing:
        """What Slack is asked to post."""
        body = orjson.dumps(dict(rendered.payload))
        call = HttpCall("POST", SLACK_URL, _HEADERS, body, SLACK_URL, _authorization(handing))
        recipients = (handing.way.channel.normalise(rendered.to),)
        return handing.outgoing(recipients, body, self.shown(rendered), call=call)

    def copies(self, _rendered: RenderedSlack, _handing: Handing) -> Sequence[Outgoing]:
        """None."""
        return ()

    def shown(self, rendered: RenderedSlack) -> dict[str, Any]:
        """The message in the contract's shape."""
        return {name: value for name, value in rendered.stored().items() if name in _PUBLIC}


def _authorization(handing: Handing) -> str | None:
    """The token of the workspace's app, for a sandbox that lets a call pass; elsewhere the sender knows it."""
    for entry in handing.catalog.providers:
        provider = entry.definition
        if isinstance(provider, ProviderDefinition) and provider.enabled and isinstance(provider.config, SlackConfig):
            token = provider.config.bot_token
            value = handing.secrets.get(token.secret) if isinstance(token, SecretName) else token
            return None if value is None else f"Bearer {value}"
    return None


def _text(source: str, part: str, making: Making) -> str:
    try:
        return render(source, making.context, now=making.now)
    except RenderError as error:
        raise error.inside(part) from None


__all__ = ["RenderedSlack", "SlackKind"]
