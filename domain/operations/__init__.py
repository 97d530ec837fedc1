"""The one internal operation all inbound dialects normalise to (API-30): the closed list of what may be accepted."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from domain.operations.base import (
    ANONYMOUS,
    DELIVERY,
    DEVICE,
    OBJECT,
    OBJECT_BY_CIO_ID,
    Identifier,
    IdentifierKind,
    ImportRef,
    Name,
    ObjectRef,
    Operation,
    Repeatable,
    identifier,
    key_of,
    key_of_name,
    object_key,
    ordering_keys,
)
from domain.operations.deliveries import ReportDelivery, Unsubscribe
from domain.operations.devices import AddDevice, DeleteDevice
from domain.operations.events import AnonymousEvent, EventKind, TrackEvent
from domain.operations.objects import ChangeRelationships, DeleteObject, Edge, IdentifyObject, ParkGroup
from domain.operations.own import EnterCampaign, FanOut, Reevaluate, ReevaluateRelated, StartByPayload
from domain.operations.people import (
    BindAnonymous,
    DeletePerson,
    Identify,
    MergePeople,
    SegmentMember,
    SuppressPerson,
    UnsuppressPerson,
)
from domain.operations.sending import SendTransactional

AnyOperation = Annotated[
    Identify
    | TrackEvent
    | AnonymousEvent
    | BindAnonymous
    | DeletePerson
    | SuppressPerson
    | UnsuppressPerson
    | MergePeople
    | SegmentMember
    | AddDevice
    | DeleteDevice
    | IdentifyObject
    | DeleteObject
    | ChangeRelationships
    | ParkGroup
    | ReportDelivery
    | Unsubscribe
    | SendTransactional
    | Reevaluate
    | ReevaluateRelated
    | StartByPayload
    | FanOut
    | EnterCampaign,
    Field(discriminator="op"),
]

__all__ = [
    "ANONYMOUS",
    "DELIVERY",
    "DEVICE",
    "OBJECT",
    "OBJECT_BY_CIO_ID",
    "AddDevice",
    "AnonymousEvent",
    "AnyOperation",
    "BindAnonymous",
    "ChangeRelationships",
    "DeleteDevice",
    "DeleteObject",
    "DeletePerson",
    "Edge",
    "EnterCampaign",
    "EventKind",
    "FanOut",
    "Identifier",
    "IdentifierKind",
    "Identify",
    "IdentifyObject",
    "ImportRef",
    "MergePeople",
    "Name",
    "ObjectRef",
    "Operation",
    "ParkGroup",
    "Reevaluate",
    "ReevaluateRelated",
    "Repeatable",
    "ReportDelivery",
    "SegmentMember",
    "SendTransactional",
    "StartByPayload",
    "SuppressPerson",
    "TrackEvent",
    "Unsubscribe",
    "UnsuppressPerson",
    "identifier",
    "key_of",
    "key_of_name",
    "object_key",
    "ordering_keys",
]
