"""Asking a language model: three attempts, one record, and what stands in where it answers nothing that fits (ACT-34)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date
from typing import Any, Final

import orjson

from domain.blocks.llm import LlmBlock
from domain.captured import CapturedMail
from domain.deliveries import delivery_id, journey_subject
from domain.errors import DomainError
from domain.journey_attributes import accept
from domain.llm_fields import LlmField, parsed, read_output
from ingest.identify import write_person
from rendering.errors import RenderError
from rendering.liquid import render, storable
from services.actions.base import Done
from services.calls.base import CallContext, Clock
from services.llm import LlmAccess, Provider, provider
from services.llm.base import Answered, Ask, LlmFailure
from services.llm.fake import NAME as FAKE
from services.llm.fake import URL as FAKE_URL
from services.llm.fake import answer as fake_answer
from store import llm_usage, mailbox
from store.database import Database
from store.locks import SharedLocks
from telemetry import tracing
from telemetry.figures import LLM_CALLS, LLM_SECONDS

logger = logging.getLogger("sojourn.llm")

ATTEMPTS: Final = 3
SECONDS: Final = 60.0
IN_HAND: Final = "Somebody else is asking the model this very thing."
SPENT: Final = "The workspace has used up its tokens of today."


@dataclass(frozen=True, slots=True)
class Prepared:
    """A question as it is to be asked; `key` names it, whoever asks it."""

    ask: Ask
    provider: str
    key: str
    mail: CapturedMail
    sandbox: bool
    day: date


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of it: values that fit the fields, or why there are none; after how many attempts, for how many tokens."""

    values: Mapping[str, Any] | None
    why: str | None = None
    attempts: int = 0
    tokens: int = 0


@dataclass
class _Spent:
    """The tokens of one question."""

    tokens: int = 0


@dataclass(frozen=True)
class LlmCall:
    """The call of LLM blocks; `access` says how the deployment reaches which provider, `fake` whether the fake answers."""

    db: Database
    access: Mapping[str, LlmAccess] = field(default_factory=dict, repr=False)
    fake: bool = False
    seconds: float = SECONDS
    locks: SharedLocks = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "locks", SharedLocks(self.db))

    async def prepare(self, context: CallContext) -> Prepared | Done:
        """The prompt, rendered; where that fails or the day's tokens are used up, the fallbacks are set at once."""
        block, workspace = _block(context), context.unit.catalog.workspace
        now = context.at.at
        try:
            prompt = render(block.prompt, context.variables, now=now)
        except RenderError as error:
            return await _fall_back(context, f"The prompt could not be rendered: {error}")
        day = now.astimezone(UTC).date()
        budget = context.unit.catalog.settings.llm_daily_tokens
        if budget is not None:
            used = await llm_usage.used(context.unit.conn, workspace.workspace_id, day)
            if used >= budget:
                return await _fall_back(context, SPENT)
        key = delivery_id(
            workspace.delivery_key,
            journey_subject(context.journey.journey_id, context.campaign.actions[context.key]),
        )
        ask = Ask(block.model, prompt, block.fields_)
        return Prepared(ask, block.provider, key, _mail(context, block, ask, key), workspace.sandbox, day)

    async def perform(self, prepared: Prepared, clock: Clock) -> Asked:
        """The answer, asked for up to three times; raises DomainError `call_in_hand` where another process asks already."""
        del clock
        spent = _Spent()
        # A model takes its time: no connection of the pool is kept from others meanwhile.
        if not await self.locks.hold(f"llm/{prepared.key}"):
            raise DomainError("call_in_hand", IN_HAND)
        try:
            return await self._ask(prepared, spent)
        finally:
            await self.locks.release(f"llm/{prepared.key}")
            if spent.tokens:
                async with self.db.connection() as conn:
                    await llm_usage.add(conn, prepared.mail.workspace_id, prepared.day, spent.tokens)

    async def _ask(self, prepared: Prepared, spent: _Spent) -> Asked:
        why = ""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with _watched(prepared.provider, prepared.ask.model, attempt):
                    answered = await self._attempt(prepared, attempt)
            except LlmFailure as failure:
                spent.tokens += failure.tokens
                why = failure.reason
            else:
                spent.tokens += answered.tokens
                values, fault = read_output(prepared.ask.fields, answered.output)
                if fault is None:
                    return Asked(_clean(values), None, attempt, spent.tokens)
                why = f"the answer does not fit: {fault}"
            logger.info("A language model gave no answer.", extra={"attempt": attempt, "provider": prepared.provider})
        return Asked(None, why, ATTEMPTS, spent.tokens)

    async def _attempt(self, prepared: Prepared, attempt: int) -> Answered:
        """One attempt; in a sandbox it is recorded, and goes outside where a rule says so only."""
        speaker = provider(prepared.provider, self.access.get(prepared.provider))
        if prepared.sandbox:
            answered = await self._captured(prepared, speaker, attempt)
            if answered is not None:
                return answered
        elif prepared.provider == FAKE and self.fake:
            return fake_answer(prepared.ask)
        if speaker is None or prepared.provider not in self.access:
            raise LlmFailure(f"the provider '{prepared.provider}' is not configured")
        return await self._called(speaker, prepared.ask)

    async def _captured(self, prepared: Prepared, speaker: Provider | None, attempt: int) -> Answered | None:
        """What a sandbox answers; None where the call passes through."""
        ask = prepared.ask
        url = speaker.url if speaker is not None else FAKE_URL
        body = speaker.request(ask)[1] if speaker is not None else {"model": ask.model, "prompt": ask.prompt}
        usual = fake_answer(ask).output if prepared.provider == FAKE else {}
        mail = _attempted(prepared.mail, url, body, attempt)
        async with self.db.transaction() as conn:
            rule = await mailbox.take_call(conn, mail, url, usual=usual)
        if rule.outcome == "pass_through":
            return None
        if rule.outcome == "timeout":
            raise LlmFailure(f"no answer within {self.seconds:g} s")
        status = rule.status or 200
        if rule.outcome == "http_status" or not 200 <= status < 300:
            raise LlmFailure(f"status {status}")
        return Answered(parsed(rule.body) if isinstance(rule.body, str) else rule.body or {}, 0)

    async def _called(self, speaker: Provider, ask: Ask) -> Answered:
        import httpx

        headers, body = speaker.request(ask)
        try:
            async with asyncio.timeout(self.seconds), httpx.AsyncClient(timeout=self.seconds) as client:
                answer = await client.post(
                    speaker.url, content=orjson.dumps(body), headers={"content-type": "application/json", **headers}
                )
        except (TimeoutError, httpx.TimeoutException):
            raise LlmFailure(f"no answer within {self.seconds:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise LlmFailure(f"the provider could not be reached ({type(error).__name__})") from None
        return speaker.read(answer.status_code, parsed(answer.text))

    async def record(self, context: CallContext, _prepared: Prepared, outcome: Asked) -> Done:
        """The values kept where the fields say; the fallbacks where there is no answer."""
        noted = {"attempts": outcome.attempts, "tokens": outcome.tokens}
        if outcome.values is None:
            return await _fall_back(context, f"No answer after {outcome.attempts} attempts: {outcome.why}.", noted)
        refused = await _keep(context, _block(context).fields_, outcome.values)
        return Done(explanation=refused, noted=noted)


@contextlib.contextmanager
def _watched(provider: str, model: str, attempt: int) -> Iterator[None]:
    """Count an attempt, and record it where it is traced: of what is asked and answered, nothing."""
    answer = "failed"
    with (
        LLM_SECONDS.labels(provider).time(),
        tracing.span("llm.call", "client", provider=provider, model=model, attempt=attempt),
    ):
        try:
            yield
            answer = "answered"
        finally:
            LLM_CALLS.labels(provider, answer).inc()


async def _fall_back(context: CallContext, why: str, noted: Mapping[str, Any] | None = None) -> Done:
    """Set what stands in for an answer; a field without anything of the kind stays as it is."""
    fields = _block(context).fields_
    values = {field.name: field.fallback for field in fields if field.fallback is not None}
    refused = await _keep(context, fields, _clean(values))
    return Done("failed", " ".join(filter(None, (why, refused))), noted=noted or {})


async def _keep(context: CallContext, fields: tuple[LlmField, ...], values: Mapping[str, Any]) -> str | None:
    """Write values to the journey, where it is still under way, and to its person; what was refused, and why."""
    by_target: dict[str, dict[str, Any]] = {"journey": {}, "customer": {}}
    for field_ in fields:
        if field_.name in values:
            by_target[field_.target][field_.name] = values[field_.name]
    refused: dict[str, str] = {}
    journey = context.journey
    if by_target["journey"] and journey.active:
        journey.attributes, refused = accept(journey.attributes, by_target["journey"])
        context.unit.changed_journey(journey)
    if by_target["customer"] and journey.travelled:
        refused = refused | await write_person(context.unit, context.person, by_target["customer"], context.at)
    return " ".join(f"{name}: {why}" for name, why in refused.items()) or None


def _block(context: CallContext) -> LlmBlock:
    assert isinstance(context.block, LlmBlock), "only such blocks ask models"
    return context.block


def _clean(value: Any) -> Any:
    """The value without what cannot be stored, its lists as lists."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    if isinstance(value, Mapping):
        return {name: _clean(item) for name, item in value.items()}
    return value


def _mail(context: CallContext, block: LlmBlock, ask: Ask, key: str) -> CapturedMail:
    """The call as a sandbox keeps it, but for what only the provider knows."""
    return CapturedMail(
        workspace_id=context.unit.catalog.workspace_id,
        delivery_id=key,
        attempt=0,
        purpose="delivery",
        channel="llm",
        recipients=(),
        sender=None,
        at=context.at.at,
        rendered={
            "channel": "llm",
            "fields": {"provider": block.provider, "model": ask.model, "prompt": ask.prompt},
            "headers": [],
        },
        person_id=context.journey.person_id or None,
        campaign=context.campaign.key,
        block=context.key,
    )


def _attempted(mail: CapturedMail, url: str, body: Mapping[str, Any], attempt: int) -> CapturedMail:
    rendered = {**mail.rendered, "payload": dict(body)}
    return replace(mail, attempt=attempt, recipients=(url,), rendered=rendered, raw=orjson.dumps(body))


__all__ = ["ATTEMPTS", "SECONDS", "Asked", "LlmCall", "Prepared"]
