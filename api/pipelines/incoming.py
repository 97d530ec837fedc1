"""One Pipelines call on its way in: whose it is, what it comes to, what of it is only noted (API-18)."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from fastapi import Request

from api import counts
from api.bodies import json_value
from api.deps import parts
from api.limits import admit
from api.pipelines.keys import body_key, header_keys
from clock import system_now
from domain.errors import DomainError
from domain.pipelines import (
    MESSAGE_BYTES,
    Batch,
    Fault,
    MessageRefused,
    Note,
    Terms,
    outer_of,
    read,
    read_batch,
)
from services.access import Caller, unauthorized

logger = logging.getLogger("sojourn.api.pipelines")

BATCH_BYTES: Final = 1024 * 1024
BATCH: Final = "batch"
KEYS: Final = frozenset({"unauthorized", "forbidden_address"})
FORGIVEN: Final = KEYS | {"too_large", "unsupported_media_type", "invalid_json", "invalid_request"}
"""What callers who did not ask for strictness are not told of."""
MOST_LINES: Final = 20


class Incoming:
    """One call. `kind` is the type that its path says, or `batch`."""

    def __init__(self, request: Request, kind: str) -> None:
        self._request = request
        self._kind = kind
        self._received = system_now()
        self._caller: Caller | None = None
        self._strict = request.headers.get("x-strict-mode", "").strip() == "1"

    async def take(self) -> None:
        """Return once everything in it that can be taken is committed; raises DomainError where the caller is told."""
        try:
            await self._take()
        except DomainError as error:
            if not self._forgives(error):
                raise
            faults = error.faults if isinstance(error, MessageRefused) else [Fault("", error.message)]
            await self._note([(fault.place, error.code, fault.message) for fault in faults])

    async def _take(self) -> None:
        keys = header_keys(self._request.headers.get("authorization", ""))
        if keys:
            await self._let_in(keys)
        body = await json_value(self._request, BATCH_BYTES if self._kind == BATCH else MESSAGE_BYTES)
        if self._caller is None:
            key = body_key(body)
            await self._let_in([] if key is None else [key])
        if not isinstance(body, dict):
            raise MessageRefused([Fault("", "the body must be a JSON object")])
        batch = await self._read(body)
        caller = self._known()
        assert caller.workspace_id is not None, "write keys belong to a workspace"
        acceptor = parts(self._request).acceptor
        await acceptor.append(caller.workspace_id, batch.operations, _source(caller), system_now())
        found: list[tuple[int | None, str, str]] = [(f.place, "invalid_request", f.message) for f in batch.faults]
        found += [(place, note.code, note.message) for place, note in batch.notes]
        await self._note(found)

    async def _let_in(self, keys: list[str]) -> None:
        """Find the caller behind the first key that is known."""
        access = parts(self._request).access
        for key in keys:
            try:
                caller = await access.pipelines(key)
            except DomainError:
                continue
            await admit(self._request, caller, "pipelines", _source(caller))
            self._caller = caller
            return
        raise unauthorized()

    async def _read(self, body: dict[str, Any]) -> Batch:
        terms = await self._terms()
        if self._kind != BATCH:
            reading = read(self._kind, body, terms)
            notes: list[tuple[int | None, Note]] = [(None, note) for note in reading.notes]
            return Batch(list(reading.operations), notes)
        items = body.get("batch")
        if not isinstance(items, list):
            raise MessageRefused([Fault("batch", "batch must be an array")])
        batch = read_batch(items, terms, outer_of(body))
        if batch.faults and self._strict:
            raise MessageRefused(batch.faults)
        return batch

    async def _terms(self) -> Terms:
        caller = self._known()
        rules = await parts(self._request).access.rules(caller)
        return Terms(
            received=caller.clock_now or self._received,
            scope=str(caller.credential_id),
            sandbox=caller.sandbox,
            strict=self._strict,
            client_side=caller.client_side,
            blocked=caller.blocked_events,
            email_identifies=rules.email_identifies,
            aliases=rules.semantic_event_aliases,
            most_attributes=rules.attributes_per_call,
        )

    def _known(self) -> Caller:
        assert self._caller is not None, "nothing is read before the caller is known"
        return self._caller

    def _forgives(self, error: DomainError) -> bool:
        if self._strict or error.code not in FORGIVEN:
            return False
        return error.code not in KEYS or not parts(self._request).pipelines_reject_bad_keys

    async def _note(self, found: list[tuple[int | None, str, str]]) -> None:
        """Say what had no effect: in the figures, in the process's log, and in the source's where it is known."""
        if not found:
            return
        for _, code, _ in found:
            counts.count_pipelines(code)
        caller = self._caller
        _log(found, self._kind, caller)
        rejections = parts(self._request).rejections
        if caller is None or caller.workspace_id is None or rejections is None:
            return
        await rejections.note(
            caller.workspace_id,
            source=_source(caller),
            path=str(self._request.scope["path"]),
            status=200,
            errors=[message if place is None else f"batch[{place}]: {message}" for place, _, message in found],
            body=getattr(self._request.state, "body", b""),
            at=self._received,
        )


def _log(found: Iterable[tuple[int | None, str, str]], kind: str, caller: Caller | None) -> None:
    """One line for each thing that was found, however often."""
    lines = Counter((code, message) for _, code, message in found)
    ids = {} if caller is None else {"workspace": caller.workspace_id, "credential": caller.credential_id}
    for (code, message), times in lines.most_common(MOST_LINES):
        extra = {**ids, "call": kind, "code": code, "times": times}
        logger.info("Taken without effect: %s.", message.rstrip("."), extra=extra)


def _source(caller: Caller) -> str:
    return f"Pipelines API: {caller.name}"


__all__ = ["Incoming"]
