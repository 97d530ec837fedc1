"""Transactional sends when their turn comes: the person is found or made, then the delivery is theirs (CHN-03)."""

from __future__ import annotations

from domain import consent
from domain.facts import Position
from domain.operations import SendTransactional
from domain.outcomes import Done
from domain.sends import SEND_AT
from ingest.creation import create, owner_of
from ingest.devices import add_device
from ingest.settle import Change, settle
from ingest.unit import Unit, microseconds
from store import deliveries, requests


async def send_transactional(unit: Unit, operation: SendTransactional, at: Position) -> Done:
    """Give a delivery its person and have it sent, at once or at its instant; one that was cancelled stays so.

    The person gets the identifier and nothing else: what the call says is for this message alone.
    """
    subject = operation.subject
    person = owner_of(unit, subject)
    if person is None and subject.kind == "cio_id":
        await give_up(unit, operation)
        return Done("ignored", note="Nobody has this cio_id.")
    if person is None:
        person = await create(unit, subject, at)
        if person is None:
            await give_up(unit, operation)
            return Done("suppressed")
        await settle(unit, person, Change(unit.nobody(), at, attributes=frozenset({subject.kind})))
    if operation.device is not None:
        await add_device(unit, operation.device, at)
    workspace_id = unit.catalog.workspace_id
    found = await requests.belongs_to(unit.conn, workspace_id, operation.delivery_id, person.person_id)
    if found is None:
        return Done("ignored", person.person_id, "There is no such delivery.")
    if found.status == "queued":
        if found.held_until is None:
            unit.send(operation.delivery_id, operation.transactional_id)
        else:
            # One whose instant has come meanwhile is due at once.
            await deliveries.ask(unit.conn, workspace_id, SEND_AT, operation.delivery_id, found.held_until)
    return Done("applied", person.person_id)


async def give_up(unit: Unit, operation: SendTransactional) -> None:
    """End a delivery for whom there is nobody, or nobody any more; of whom it was for nothing is kept (PPL-12)."""
    instant = microseconds(unit.now)
    if await requests.give_up(unit.conn, unit.catalog.workspace_id, operation.delivery_id, consent.GONE, instant):
        unit.count("transactional", operation.transactional_id, "undeliverable")


__all__ = ["give_up", "send_transactional"]
