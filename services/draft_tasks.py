"""Many drafts at a time: rendered again after an edit, sent, deleted; what did not come about tried again (CMP-28).

A page is one transaction over some deliveries in the order of their making. Where so many a second are asked for, a page
gives each its instant on the workspace's clock instead of sending it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from domain.blocks import DataBlock
from domain.drafts import ATTRIBUTES
from domain.errors import DomainError
from ingest.catalog import Catalog
from ingest.unit import Unit
from services.data_drafts import document_of
from services.draft_releasing import can_be_retried, is_draft, let_go
from services.draft_rendering import HeldDelivery, hold, render_again
from services.task_pages import Page
from services.task_runner import PageOf
from services.tasks import TaskType
from store import deliveries as delivery_store
from store import drafts as store
from store.database import Connection
from store.drafts import Chosen, Place
from store.tasks import TaskRow

RENDERED: Final = 50
"""How many are rendered in one page: its transaction holds the log's readers back."""
NOTED: Final = 500
"""How many are deleted, or given an instant, in one page."""
LONGEST: Final = timedelta(days=400)


class DraftPages:
    """The pages of every type of task about drafts; `link_base_url` begins the links of messages."""

    def __init__(self, link_base_url: str) -> None:
        self._link_base_url = link_base_url

    @property
    def kinds(self) -> Mapping[TaskType, PageOf]:
        """Each type with its page."""
        return {
            "rerender_drafts": self.rerender,
            "send_drafts": self.bulk,
            "retry_failed": self.bulk,
            "delete_drafts": self.bulk,
        }

    async def rerender(
        self, conn: Connection, catalog: Catalog, task: TaskRow, now: datetime, real_now: datetime
    ) -> Page:
        """Render the drafts of blocks whose content was saved; what was edited by hand is lost."""
        found = await _next(conn, task, chosen_by(task.payload, task.created_at, failed=False), RENDERED)
        unit = await _unit(conn, catalog, [person for _, person in found], now, real_now)
        for place, _ in found:
            held = await hold(unit, place.delivery_id)
            if held is not None and is_draft(held.row):
                await _rerender(held, now, self._link_base_url)
        await unit.flush()
        return _page(task, len(found))

    async def bulk(self, conn: Connection, catalog: Catalog, task: TaskRow, now: datetime, real_now: datetime) -> Page:
        """Send or delete the next drafts, or try the next failures again."""
        failed, rate = task.type == "retry_failed", task.payload.get("per_second")
        each = task.type != "delete_drafts" and rate is None
        chosen = chosen_by(task.payload, task.created_at, failed=failed)
        ids: Sequence[str] | None = task.payload.get("ids")
        limit = RENDERED if each else NOTED
        if ids is None:
            found = await _next(conn, task, chosen, limit)
            looked, over = len(found), not found
        else:
            some = list(ids[task.cursor : task.cursor + limit])
            found = await store.page(conn, task.workspace_id, replace(chosen, ids=some), after=None, limit=limit)
            task.cursor += len(some)
            looked, over = len(some), not some
        if task.type == "delete_drafts":
            await store.delete(conn, task.workspace_id, [place.delivery_id for place, _ in found])
        elif rate is not None:
            await _spread(conn, task, [place.delivery_id for place, _ in found], rate, now)
        else:
            unit = await _unit(conn, catalog, [person for _, person in found], now, real_now)
            for place, _ in found:
                await _let_go(await hold(unit, place.delivery_id), now, self._link_base_url, failed=failed)
            await unit.flush()
        return Page(task.cursor, looked, "succeeded" if over else "running")


def chosen_by(payload: Mapping[str, Any], made_by: datetime, *, failed: bool) -> Chosen:
    """What a task is about, but for ids, which are taken page by page."""
    campaign_id, action_ids = payload.get("campaign_id"), payload.get("action_ids")
    sent_by = payload.get("transactional_id")
    return Chosen(made_by, failed=failed, campaign_id=campaign_id, action_ids=action_ids, transactional_id=sent_by)


async def _rerender(held: HeldDelivery, now: datetime, link_base_url: str) -> None:
    conn, block, key = held.unit.conn, held.block, held.key
    if held.to_be_delivered:
        again = render_again(held, now, link_base_url)
        if again is not None:
            await delivery_store.save(conn, again.row)
            await store.write(conn, again.row, again.document)
    elif isinstance(block, DataBlock) and key is not None:
        kept = {name: held.document[name] for name in (ATTRIBUTES,) if name in held.document}
        await delivery_store.save(conn, replace(held.row, subject=block.label(key)))
        await store.write(conn, held.row, {**document_of(block, key), **kept})


async def _let_go(held: HeldDelivery | None, now: datetime, link_base_url: str, *, failed: bool) -> None:
    """Let go of one; what has nothing left to be made of stays as it is."""
    if held is None or not (can_be_retried(held.row) if failed else is_draft(held.row)):
        return
    try:
        await let_go(held, now, link_base_url)
    except DomainError:
        return


async def _spread(conn: Connection, task: TaskRow, delivery_ids: Sequence[str], rate: float, now: datetime) -> None:
    """Give each its instant, so many a second counted from the task's beginning."""
    begun, asked = task.started_at or now, task.payload.get("asked", 0)
    await store.ask(
        conn,
        task.workspace_id,
        [(name, begun + _after(asked + n, rate)) for n, name in enumerate(delivery_ids)],
    )
    task.payload["asked"] = asked + len(delivery_ids)


def _after(number: int, rate: float) -> timedelta:
    longest = LONGEST.total_seconds()
    return timedelta(seconds=min(number / rate, longest)) if number < longest * rate else LONGEST


async def _next(conn: Connection, task: TaskRow, chosen: Chosen, limit: int) -> Sequence[tuple[Place, int | None]]:
    """The next deliveries; the payload remembers the last one."""
    after = task.payload.get("after")
    place = None if after is None else Place(datetime.fromisoformat(after[0]), after[1])
    found = await store.page(conn, task.workspace_id, chosen, after=place, limit=limit)
    if found:
        last = found[-1][0]
        task.payload["after"] = [last.created_at.isoformat(), last.delivery_id]
    return found


async def _unit(
    conn: Connection, catalog: Catalog, person_ids: Sequence[int | None], now: datetime, real_now: datetime
) -> Unit:
    """A unit over the people of a page, locked in one go."""
    known = {number for number in person_ids if number is not None}
    return await Unit.load(conn, catalog, known, now, real_now=real_now)


def _page(task: TaskRow, looked: int) -> Page:
    return Page(task.cursor, looked, "running" if looked else "succeeded")


__all__ = ["DraftPages", "chosen_by"]
