"""Slack: messages by the bot of an app that was installed there (ACT-35)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import orjson
from pydantic import BaseModel

from channels.base import (
    HandingOver,
    HttpAnswer,
    HttpCall,
    Outgoing,
    Outside,
    Receipt,
    Refused,
    SendFailure,
    Throttled,
    Unavailable,
)
from channels.http import HttpCaller
from channels.http_answers import asked_until, failed, told
from domain.definitions.provider import SecretName, SlackConfig

_PASSING = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable", "team_added_to_org"})
_TOO_MANY = frozenset({"message_limit_exceeded", "rate_limited", "ratelimited"})


class SlackSender:
    """Posts messages with one bot's token."""

    def __init__(self, config: SlackConfig, outside: Outside) -> None:
        self._config = config
        self._outside = outside
        self._caller = HttpCaller(outside, allow_private=outside.allow_private)

    async def send(self, outgoing: Outgoing, handing_over: HandingOver) -> Receipt:
        """Post the message; Slack knows no key, so that one it may have taken without an answer is not posted again."""
        assert outgoing.call is not None, "only calls go this way"
        call = replace(outgoing.call, url=self._outside.slack_url, authorization=f"Bearer {self._token()}")
        return posted(outgoing, call, await self._caller.call(call, handing_over))

    async def close(self) -> None:
        """Give up what is open."""
        await self._caller.close()

    def _token(self) -> str:
        token = self._config.bot_token
        if not isinstance(token, SecretName):
            return token
        if token.secret not in self._outside.secrets:
            raise Refused(f"The deployment has no secret named {token.secret}")
        return self._outside.secrets[token.secret]


class SlackChannel:
    """Slack's own interface."""

    kind: ClassVar[str] = "slack"
    channel: ClassVar[str] = "slack"
    idempotent: ClassVar[bool] = False
    Options: ClassVar[type[BaseModel]] = SlackConfig

    def normalise(self, address: str) -> str:
        """A channel or member as the author wrote it."""
        return address

    def open(self, options: SlackConfig, outside: Outside) -> SlackSender:
        """A sender with the bot's token."""
        return SlackSender(options, outside)


def posted(outgoing: Outgoing, call: HttpCall, answer: HttpAnswer) -> Receipt:
    """The receipt of a message that Slack answered to; raises a SendFailure, named by Slack's own word."""
    if not 200 <= answer.status < 300:
        raise failed(answer, told(call, answer), outgoing.at)
    said = _read(answer.body)
    if said.get("ok") is not False:
        stamp = said.get("ts")
        return Receipt(told(call, answer), ref=stamp if isinstance(stamp, str) else None, response=answer)
    word = said.get("error")
    word = word if isinstance(word, str) and word else "unknown_error"
    failure: SendFailure = Refused(word)
    if word in _TOO_MANY:
        failure = Throttled(word, asked_until(answer, outgoing.at))
    elif word in _PASSING:
        failure = Unavailable(word)
    failure.response = answer
    raise failure


def _read(body: bytes) -> Mapping[str, Any]:
    try:
        found = orjson.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


__all__ = ["SlackChannel", "SlackSender", "posted"]
