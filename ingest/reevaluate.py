"""Facts of our own making: the clock moved a membership, somebody left by a message's link."""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.condition_keys import RELATED, kind_of_records, messages_that
from domain.facts import Position
from domain.operations import DELIVERY, Name, Reevaluate, ReevaluateRelated, Unsubscribe
from domain.outcomes import Done
from domain.values import EPOCH
from ingest.identify import Update, finish, write_attributes
from ingest.manual_segments import clear
from ingest.settle import Change, settle
from ingest.unit import OWN_SOURCE, Membership, Unit, microseconds
from store import conversions, relationships
from store.message_events import MessageEvent

NOBODY = Done("ignored", note="The person is gone.")
RELATED_PAGE = 2_000
UNSUBSCRIBED = "unsubscribed"
BUILT = "built: its conditions were saved"
"""Why a segment takes somebody in quietly, in words of the activity log."""


async def reevaluate(unit: Unit, operation: Reevaluate, at: Position) -> Done:
    """Look again at memberships of one person; what moved is settled like any change."""
    person = unit.people.get(operation.person_id)
    if person is None:
        return NOBODY
    if operation.why in ("clear", "clear_mute"):
        return await clear(unit, person, operation, at)
    refs = frozenset((kind, ref) for kind, ref in operation.refs)
    quiet = operation.why == "build"
    records = frozenset(operation.records)
    because = BUILT if quiet else None
    instants = (EPOCH + timedelta(microseconds=micros) for micros in operation.instants)
    came: dict[Membership, datetime] = dict(zip(operation.refs, instants, strict=False))
    before = unit.facts_of(person)
    change = Change(before, at, refs=refs, quiet=quiet, records=records, because=because, came=came)
    await settle(unit, person, change)
    return Done("applied", person.person_id)


async def reevaluate_related(unit: Unit, operation: ReevaluateRelated, _at: Position) -> Done:
    """Have the next people looked at again who are related to an object or in a journey of it, then those after them."""
    found = await relationships.concerned(
        unit.conn, unit.catalog.workspace_id, operation.object_no, operation.after, RELATED_PAGE
    )
    for person_id in found:
        unit.touch(person_id, RELATED)
    if len(found) == RELATED_PAGE:
        unit.append(operation.model_copy(update={"after": found[-1]}), OWN_SOURCE)
    return Done("applied")


async def unsubscribe(unit: Unit, operation: Unsubscribe, at: Position) -> Done:
    """Write the person's `unsubscribed` and credit the delivery whose link was used (SUB-09, SUB-10)."""
    owner = unit.names.get(Name(DELIVERY, operation.delivery_id))
    person = unit.people.get(operation.person_id if owner is None else owner)
    if person is None:
        return NOBODY
    before = unit.facts_of(person)
    update = Update(unit, person, at, "cio_id", microseconds(at.at))
    write_attributes(update, {"unsubscribed": operation.unsubscribe})
    records: frozenset[str] = frozenset()
    if operation.unsubscribe:
        records = frozenset({messages_that(UNSUBSCRIBED)})
        await _credit(unit, operation, at, known=owner is not None)
        await unit.renew([person.person_id], frozenset(map(kind_of_records, records)))
    # Attribute and message are seen at once: between the two, conditions on both might hold that never do.
    await finish(update, before, records=records)
    if operation.unsubscribe:
        unit.record(person, UNSUBSCRIBED, None, {"delivery_id": operation.delivery_id}, at)
    return Done("applied", person.person_id)


async def _credit(unit: Unit, operation: Unsubscribe, at: Position, *, known: bool) -> None:
    """Write the leaving down with the delivery whose link was used, where it is `known`."""
    conn, workspace_id, delivery_id = unit.conn, unit.catalog.workspace_id, operation.delivery_id
    if await conversions.mark(conn, workspace_id, delivery_id, microseconds(unit.now), UNSUBSCRIBED):
        for kind, ref in await conversions.origin(conn, workspace_id, delivery_id):
            unit.count(kind, ref, UNSUBSCRIBED)
    if known:
        unit.happened(MessageEvent(delivery_id, at.seq, UNSUBSCRIBED, at.at, human=True))


__all__ = ["reevaluate", "reevaluate_related", "unsubscribe"]
