"""What people do with drafts and with deliveries that did not come about: edit, send, delete, try again (CMP-28, ACT-31)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from domain.blocks import DeliveringBlock
from domain.drafts import FIELDS
from domain.errors import DomainError, InvalidInput, NotFound, Problem
from ingest.catalog import Catalogs
from ingest.unit import Unit
from rendering.liquid import check_syntax
from services.draft_releasing import can_be_retried, is_draft, let_go
from services.draft_rendering import HeldDelivery, content_of, editable, hold, render_again
from services.looking import messages as looking
from store import deliveries as delivery_store
from store import drafts as store
from store import tasks
from store.database import Connection, Database
from store.notify import Notifier

TOGETHER = 500
"""How many drafts are deleted in one transaction."""


class Drafts:
    """The drafts of all workspaces, as people handle them; `link_base_url` begins the links of messages."""

    def __init__(self, db: Database, catalogs: Catalogs, notifier: Notifier, link_base_url: str) -> None:
        self._db = db
        self._catalogs = catalogs
        self._notifier = notifier
        self._link_base_url = link_base_url

    async def edit(self, workspace_id: int, delivery_id: str, body: Any, real_now: datetime) -> dict[str, Any]:
        """Change what one draft says; `body` is as received. Texts are templates, and rendered again when it is sent.

        Raises NotFound, DomainError `invalid_state` for what is no draft, InvalidInput.
        """
        edits = _edits(body)
        async with self._held(workspace_id, delivery_id, real_now) as held:
            if not is_draft(held.row):
                raise _no_draft(held, "edited")
            if held.row.forgotten:
                raise DomainError("invalid_state", "Nothing that it says is kept, so that it cannot be edited.")
            block = held.block
            known: Mapping[str, str] = {}
            if isinstance(block, DeliveringBlock) and not held.row.holdout:
                known = editable(block, content_of(block, held.row.variant))
            strange = [name for name in edits if name not in known]
            if strange and (block is not None or not held.to_be_delivered):
                raise InvalidInput([_not_said(name, held.row.channel) for name in strange])
            again = render_again(held, held.unit.now, self._link_base_url, edits=held.edits | edits)
            if again is None:
                raise DomainError(
                    "invalid_state", "Its campaign or block is gone, so that it can be sent as it is only."
                )
            await delivery_store.save(held.unit.conn, again.row)
            await store.write(held.unit.conn, again.row, again.document)
        return await looking.one(self._db, workspace_id, delivery_id)

    async def send(self, workspace_id: int, delivery_id: str, real_now: datetime) -> dict[str, Any]:
        """Send one draft; raises NotFound, DomainError `invalid_state` for what is no draft."""
        async with self._held(workspace_id, delivery_id, real_now) as held:
            if not is_draft(held.row):
                raise _no_draft(held, "sent")
            await let_go(held, held.unit.now, self._link_base_url)
        self._notifier.send("due")
        return await looking.one(self._db, workspace_id, delivery_id)

    async def retry(self, workspace_id: int, delivery_id: str, body: Any, real_now: datetime) -> dict[str, Any]:
        """Try again what failed or was undeliverable; `body` is `{"message_limit", "link_tracking"}` or nothing.

        Raises NotFound, DomainError `invalid_state`, InvalidInput.
        """
        link_tracking = _retry(body)
        async with self._held(workspace_id, delivery_id, real_now) as held:
            if not can_be_retried(held.row):
                message = f"Only what failed or was undeliverable is tried again, and this is {_state(held)}."
                raise DomainError("invalid_state", message)
            if link_tracking is not None and not _tracks_links(held):
                message = "There are no links to track in this kind of delivery."
                raise InvalidInput([Problem(code="not_applicable", pointer="/link_tracking", message=message)])
            await let_go(held, held.unit.now, self._link_base_url, link_tracking=link_tracking)
        self._notifier.send("due")
        return await looking.one(self._db, workspace_id, delivery_id)

    async def delete(self, workspace_id: int, delivery_id: str, real_now: datetime) -> None:
        """Delete one draft for good; raises NotFound, DomainError `invalid_state` for what is no draft."""
        async with self._held(workspace_id, delivery_id, real_now) as held:
            if not is_draft(held.row):
                raise _no_draft(held, "deleted")
            if not await store.delete(held.unit.conn, workspace_id, [delivery_id]):
                raise DomainError("invalid_state", "Its journey is making it just now: try again in a moment.")

    @asynccontextmanager
    async def _held(self, workspace_id: int, delivery_id: str, real_now: datetime) -> AsyncIterator[HeldDelivery]:
        """A delivery under its person's lock; what was changed is written at the end."""
        async with self._db.transaction() as conn:
            unit = await unit_of(conn, self._catalogs, workspace_id, real_now)
            held = None if "\x00" in delivery_id else await hold(unit, delivery_id)
            if held is None:
                raise NotFound("message", delivery_id)
            yield held
            await unit.flush()
        unit.tell(self._notifier)


async def unit_of(conn: Connection, catalogs: Catalogs, workspace_id: int, real_now: datetime) -> Unit:
    """A unit of work at the workspace's present instant, over nobody yet."""
    # With a number of its own before it reads them, so that builds by later definitions wait for it.
    await tasks.own_number(conn)
    catalog = await catalogs.get(conn, workspace_id)
    return Unit(conn, catalog, catalog.now(real_now), real_now)


async def delete_of_campaign(
    conn: Connection, workspace_id: int, campaign_id: int, now: datetime, *, limit: int = TOGETHER
) -> int:
    """Delete the next unsent drafts of a campaign that is archived or deleted; returns how many, 0 when none are left.

    `now` is the workspace's instant. The caller ends the campaign's journeys first and calls until nothing is deleted.
    """
    chosen = store.Chosen(now, campaign_id=campaign_id)
    found = await store.page(conn, workspace_id, chosen, after=None, limit=limit)
    return len(await store.delete(conn, workspace_id, [place.delivery_id for place, _ in found]))


def _edits(body: Any) -> dict[str, str]:
    fields = _fields(body, FIELDS)
    problems = []
    for name, text in fields.items():
        if not isinstance(text, str):
            problems.append(Problem(code="type", pointer=f"/{name}", message="Give a text."))
        elif (fault := check_syntax(text)) is not None:
            problems.append(Problem(code="liquid_syntax", pointer=f"/{name}", message=fault))
    if not fields:
        problems = [Problem(code="required", message=f"Give at least one of {', '.join(FIELDS)}.")]
    if problems:
        raise InvalidInput(problems)
    return dict(fields)


def _retry(body: Any) -> bool | None:
    """Whether links are to be tracked, None where that is left as it is."""
    fields = {} if body is None else _fields(body, ("message_limit", "link_tracking"))
    problems = []
    limit, tracking = fields.get("message_limit", "observe"), fields.get("link_tracking")
    if not isinstance(limit, str):
        problems.append(Problem(code="type", pointer="/message_limit", message="Give a text."))
    elif limit not in ("observe", "ignore"):
        problems.append(Problem(code="enum", pointer="/message_limit", message="Write observe or ignore."))
    if "link_tracking" in fields and not isinstance(tracking, bool):
        problems.append(Problem(code="type", pointer="/link_tracking", message="Say true or false."))
    if problems:
        raise InvalidInput(problems)
    return tracking


def _fields(body: Any, known: Any) -> Mapping[str, Any]:
    if not isinstance(body, dict):
        raise InvalidInput([Problem(code="type", message="Send an object.")])
    unknown = [name for name in body if name not in known]
    if unknown:
        message = "There is no such field here."
        raise InvalidInput([Problem(code="unknown_field", pointer=f"/{_escaped(n)}", message=message) for n in unknown])
    return body


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _not_said(name: str, channel: str) -> Problem:
    return Problem(code="not_applicable", pointer=f"/{name}", message=f"A draft of type '{channel}' has no {name}.")


def _tracks_links(held: HeldDelivery) -> bool:
    content = content_of(held.block, held.row.variant) if isinstance(held.block, DeliveringBlock) else None
    return content is not None and "link_tracking" in type(content).model_fields


def _state(held: HeldDelivery) -> str:
    return "a draft" if is_draft(held.row) else held.row.status


def _no_draft(held: HeldDelivery, verb: str) -> DomainError:
    return DomainError("invalid_state", f"Only a draft can be {verb}, and this is {_state(held)}.")


__all__ = ["Drafts", "delete_of_campaign", "unit_of"]
