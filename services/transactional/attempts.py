"""What is handed over of a transactional send: made when its turn comes, made anew where nothing of it is kept (CHN-09, CHN-11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from domain.contents.push import EVERY_DEVICE, LAST_DEVICE
from domain.definitions.transactional import UNCATEGORIZED
from domain.deliveries import Event, apply
from domain.sending.attachments import decoded
from ingest.belongings import read_for_templates
from ingest.catalog import Campaign
from ingest.records import RECIPIENT
from ingest.unit import Person, Unit
from services import suppressions
from services.delivery_figures import reached
from services.delivery_making import Made, make_message, nothing_kept
from services.delivery_sources import Source
from services.messages import MESSAGE_KINDS, Rendered
from store import content_ids, devices, drafts, requests
from store import deliveries as store
from store.database import Connection
from store.deliveries import DeliveryRow

TEMPLATE_GONE = "There is nothing to make it of: its template is gone, or says nothing"
NO_DEVICE = "The person has no device"
NOT_THEIRS = "The person has no device with this token"
OPEN = frozenset({"queued", "attempted"})


@dataclass(frozen=True, slots=True)
class Attempt:
    """A send on its way out: the row as it is stored now, what it says, and the devices that a push goes to."""

    row: DeliveryRow
    message: Rendered | None
    campaign: Campaign | None
    devices: tuple[str, ...] = ()


async def attempt(
    unit: Unit, row: DeliveryRow, person: Person | None, source: Source, *, link_base_url: str
) -> Attempt | None:
    """The next attempt at a send; None where it is over. The caller holds the person's lock and the row's.

    The first time it is made from the template and the data of now, and stays as it was made from then on, unless nothing
    of it is kept.
    """
    document = await store.content_of(unit.conn, row)
    if document is not None and not row.forgotten:
        message: Rendered | None = MESSAGE_KINDS[row.channel].restored(document)
        return await _leaving(unit, Attempt(row, message, source.campaign))
    made = await _made(unit, person, source, link_base_url)
    if made is not None and document is None and row.attempts == 0 and row.handed_over_at is None:
        fresh = await _begin(unit, row, made)
        return await _to_devices(unit, Attempt(fresh, made.message, source.campaign))
    if made is None or made.message is None:
        return await _unmade(unit, row, made)
    again = replace(row, recipient=made.row.recipient, language=made.row.language, content_id=made.row.content_id)
    await store.save(unit.conn, again)
    return await _leaving(unit, Attempt(again, made.message, source.campaign))


async def attachments(conn: Connection, row: DeliveryRow) -> tuple[tuple[str, bytes], ...]:
    """The files that go with an email (MSG-25)."""
    return decoded(await requests.attachments(conn, row)) if row.channel == "email" else ()


async def over(unit: Unit, row: DeliveryRow) -> None:
    """Forget what was asked for once nothing more comes of a send of which nothing is kept."""
    if row.forgotten and row.status not in OPEN and row.status != "drafted":
        await requests.forget(unit.conn, row)


async def _made(unit: Unit, person: Person | None, source: Source, link_base_url: str) -> Made | None:
    """The send as things stand now, kept back where its address is; None where there is nothing to make it of."""
    campaign, key, journey = source
    if campaign is None or key is None or journey is None:
        return None
    if person is not None:
        await read_for_templates(unit.conn, unit.catalog, campaign, person, journey)
    made = make_message(unit.catalog, campaign, key, person, journey, now=unit.now, link_base_url=link_base_url)
    made = await suppressions.looked_up(unit.conn, unit.catalog, made, unit.now)
    made.row.content_id = await _content_id(unit, made.row)
    made.row.forgotten = bool(getattr(campaign.definition, "hidden", False))
    return made


async def _unmade(unit: Unit, row: DeliveryRow, made: Made | None) -> Attempt | None:
    """A send that does not come about now: it is over, unless it may be with its provider already."""
    if row.handed_over_at is not None:
        return Attempt(row, None, None)
    if made is None:
        await _end(unit, row, "failed", TEMPLATE_GONE)
    else:
        event: Event = "failed" if made.row.status == "drafted" else made.row.status  # type: ignore[assignment]
        await _end(unit, row, event, made.row.failure_message)
    return None


async def _begin(unit: Unit, row: DeliveryRow, made: Made) -> DeliveryRow:
    """The send made for the first time: its row and, where it is kept, its content."""
    hidden = made.row.forgotten
    fresh = replace(
        made.row,
        created_at=row.created_at,
        metrics={**made.row.metrics, "created": row.metrics["created"]},
        recipient=made.row.recipient or row.recipient,
        subject=None if hidden else made.row.subject,
    )
    await store.save(unit.conn, fresh)
    await drafts.write(unit.conn, fresh, nothing_kept(fresh) if hidden else made.rendered)
    await store.unschedule(unit.conn, row.workspace_id, row.delivery_id)
    news = tuple(metric for metric in fresh.metrics if metric not in row.metrics)
    await reached(unit, fresh, news, RECIPIENT)
    await over(unit, fresh)
    return fresh


async def _content_id(unit: Unit, row: DeliveryRow) -> int | None:
    """The number of what its template says in its language; None where all that it says is of its call (APP-08)."""
    template = unit.catalog.find("transactional", row.transactional_id or UNCATEGORIZED)
    if template is None or getattr(template.definition, "content", None) is None:
        return None
    workspace_id = unit.catalog.workspace_id
    return await content_ids.content_id(
        unit.conn, workspace_id, "transactional", template.id, language=row.language, now=unit.now
    )


async def _leaving(unit: Unit, attempt: Attempt) -> Attempt | None:
    """The attempt, unless its address has come onto the list of those that get nothing (SUB-16)."""
    kept = await suppressions.withheld(unit.conn, unit.catalog, attempt.row, attempt.message, unit.now)
    if kept is None:
        return await _to_devices(unit, attempt)
    await _ended(unit, *kept)
    return None


async def _to_devices(unit: Unit, attempt: Attempt) -> Attempt | None:
    """The attempt with the devices of a push; without any it is undeliverable (CHN-06)."""
    row, message = attempt.row, attempt.message
    if row.channel != "push" or row.status not in OPEN or message is None or row.person_id is None:
        return attempt
    known = [one.token for one in await devices.of_people(unit.conn, row.workspace_id, [row.person_id])]
    fields = message.stored().get("fields", {})
    which = fields.get("devices")
    wanted = known if which == EVERY_DEVICE else known[:1] if which == LAST_DEVICE else [fields.get("to", "")]
    found = [token for token in wanted if token in known]
    if not found:
        await _end(unit, row, "undeliverable", NOT_THEIRS if known else NO_DEVICE)
        return None
    return replace(attempt, devices=tuple(found))


async def _end(unit: Unit, row: DeliveryRow, event: Event, why: str | None) -> None:
    """Nothing comes of it."""
    change = apply(row.status, row.metrics, event, unit.now, row.channel)  # type: ignore[arg-type]
    ended = replace(row, status=change.status, metrics=change.metrics, failure_message=why, held_until=None)
    await _ended(unit, ended, change.reached)


async def _ended(unit: Unit, row: DeliveryRow, metrics: Sequence[str]) -> None:
    await store.save(unit.conn, row)
    await store.unschedule(unit.conn, row.workspace_id, row.delivery_id)
    await reached(unit, row, metrics)
    await over(unit, row)


__all__ = ["NO_DEVICE", "TEMPLATE_GONE", "Attempt", "attachments", "attempt", "over"]
