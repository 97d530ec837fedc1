"""The registry of what applies which operation, and what holds for all of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from domain.facts import Position
from domain.operations import (
    AddDevice,
    AnonymousEvent,
    AnyOperation,
    BindAnonymous,
    ChangeRelationships,
    DeleteDevice,
    DeleteObject,
    DeletePerson,
    EnterCampaign,
    FanOut,
    Identify,
    IdentifyObject,
    MergePeople,
    Name,
    ParkGroup,
    Reevaluate,
    ReevaluateRelated,
    ReportDelivery,
    SegmentMember,
    SendTransactional,
    StartByPayload,
    SuppressPerson,
    TrackEvent,
    Unsubscribe,
    UnsuppressPerson,
)
from domain.outcomes import Done
from domain.row_outcomes import row_outcome
from ingest.anonymous import bind, keep_event, park
from ingest.devices import add_device, delete_device
from ingest.events import track
from ingest.identify import identify
from ingest.manual_segments import change_membership
from ingest.merging import merge
from ingest.object_entry import enter_campaign, fan_out
from ingest.objects import delete_object, identify_object
from ingest.reevaluate import reevaluate, reevaluate_related, unsubscribe
from ingest.relationships import change_relationships
from ingest.removal import delete, suppress, unsuppress
from ingest.reports import report_delivery
from ingest.sending import give_up, send_transactional
from ingest.suppressing import subject_of
from ingest.unit import Unit
from ingest.webhook_entry import start_by_payload

Handler = Callable[[Unit, Any, Position], Awaitable[Done]]

HANDLERS: Final[Mapping[type[object], Handler]] = {
    Identify: identify,
    TrackEvent: track,
    AnonymousEvent: keep_event,
    BindAnonymous: bind,
    DeletePerson: delete,
    SuppressPerson: suppress,
    UnsuppressPerson: unsuppress,
    MergePeople: merge,
    SegmentMember: change_membership,
    AddDevice: add_device,
    DeleteDevice: delete_device,
    IdentifyObject: identify_object,
    DeleteObject: delete_object,
    ChangeRelationships: change_relationships,
    ParkGroup: park,
    ReportDelivery: report_delivery,
    Unsubscribe: unsubscribe,
    SendTransactional: send_transactional,
    Reevaluate: reevaluate,
    ReevaluateRelated: reevaluate_related,
    FanOut: fan_out,
    EnterCampaign: enter_campaign,
    StartByPayload: start_by_payload,
}
CREATING: Final = (Identify, TrackEvent, AddDevice, SegmentMember, ChangeRelationships, SendTransactional)
"""Operations that may create the people they are about."""
SUPPRESSED: Final = Done("suppressed")
BY_EMAIL: Final = Done("failed", note="In this workspace an email names nobody.")


async def handle(unit: Unit, operation: AnyOperation, at: Position) -> Done:
    """Apply one operation. What is about a suppressed identifier has no effect and leaves no trace (PPL-12)."""
    if operation.row is None:
        return await _handle(unit, operation, at)
    people, known = len(unit.people), _object_known(unit, operation)
    done = await _handle(unit, operation, at)
    created = len(unit.people) > people or known != _object_known(unit, operation)
    unit.note_row(row_outcome(operation, done, created=created))
    return done


async def _handle(unit: Unit, operation: AnyOperation, at: Position) -> Done:
    if unit.suppressed and not isinstance(operation, UnsuppressPerson):
        subject = subject_of(operation)
        if subject is not None and unit.is_suppressed(subject):
            return await _dropped(unit, operation, SUPPRESSED)
    if unit.catalog.settings.identifiers == "id_only" and _by_email(operation):
        return await _dropped(unit, operation, BY_EMAIL)
    return await HANDLERS[type(operation)](unit, operation, at)


async def _dropped(unit: Unit, operation: AnyOperation, why: Done) -> Done:
    """An operation that has no effect; what it was to send is over."""
    if isinstance(operation, SendTransactional):
        await give_up(unit, operation)
    return why


def _by_email(operation: AnyOperation) -> bool:
    """Whether an address is to name somebody: accepted before the workspace changed, or said by a workflow's block."""
    if isinstance(operation, AnonymousEvent):
        return False
    subject = subject_of(operation)
    named = operation.identifiers() if subject is None else [subject]
    return any(who.kind == "email" for who in named)


def _object_known(unit: Unit, operation: AnyOperation) -> bool:
    """Whether the object that an operation makes or updates is there."""
    return isinstance(operation, IdentifyObject) and unit.names.get(operation.object.name) is not None


def most_new(operation: AnyOperation, names: Mapping[Name, int]) -> int:
    """How many people the operation may create: those it may create whose name nobody has."""
    if not isinstance(operation, CREATING):
        return 0
    subject = subject_of(operation)
    subjects = operation.identifiers() if subject is None else [subject]
    return sum(who.kind != "cio_id" and who.name not in names for who in subjects)


__all__ = ["CREATING", "HANDLERS", "handle", "most_new"]
