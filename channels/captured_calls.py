"""Calls of a sandbox: kept in the mailbox, and answered by its rules instead of by their endpoints (ACT-29)."""

from __future__ import annotations

from dataclasses import replace

import orjson

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
from channels.http import LARGEST_ANSWER, HttpCaller
from channels.http_answers import asked, judged
from channels.slack import posted
from domain.captured import CapturedMail, FaultRule


class CapturedCalls:
    """Answers calls as the rules of a workspace say; only one that lets them pass has them really made."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._caller = HttpCaller(outside, allow_private=True)

    async def send(self, outgoing: Outgoing, mail: CapturedMail, handing_over: HandingOver) -> Receipt:
        """Keep the call and answer it."""
        call = outgoing.call
        assert call is not None, "only calls go this way"
        await handing_over()
        rule = await self._outside.mailbox.take_call(mail, call.url)
        try:
            answer = await self._answer(outgoing, call, rule)
        except SendFailure as failure:
            failure.ambiguous = False
            raise
        return posted(outgoing, call, answer) if outgoing.channel == "slack" else judged(call, answer, outgoing.at)

    async def close(self) -> None:
        """Give up what is open."""
        await self._caller.close()

    async def _answer(self, outgoing: Outgoing, call: HttpCall, rule: FaultRule) -> HttpAnswer:
        if rule.outcome == "pass_through":
            url = self._outside.slack_url if outgoing.channel == "slack" else call.url
            return await self._caller.call(replace(call, url=url), _nothing)
        if rule.outcome == "timeout":
            raise Unavailable(f"No answer to {asked(call)} within {self._outside.call_seconds:g} seconds")
        body = _bytes(rule)
        if len(body) > LARGEST_ANSWER:
            raise Refused(f"The answer to {asked(call)} is larger than {LARGEST_ANSWER} bytes")
        return HttpAnswer(rule.status or 200, body)


def _bytes(rule: FaultRule) -> bytes:
    """The body of an answer: a text as it is, everything else as JSON."""
    if isinstance(rule.body, str):
        return rule.body.encode()
    if rule.body is None and rule.outcome == "http_status":
        return b""
    return orjson.dumps({} if rule.body is None else rule.body)


async def _nothing() -> None:
    """What is noted before a call that was noted already."""


__all__ = ["CapturedCalls"]
