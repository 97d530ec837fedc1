"""Group: an object with its attributes, and who belongs to it (API-23)."""

from __future__ import annotations

from typing import Final

from domain.operations import AnyOperation, ChangeRelationships, Edge, IdentifyObject, ParkGroup
from domain.pipelines.attributes import attributes_of
from domain.pipelines.envelope import Message, person_of, record
from domain.pipelines.findings import Findings
from domain.pipelines.objects import BAGS, TYPES, object_of, relationship_attributes
from domain.pipelines.terms import Terms

RESERVED: Final = frozenset({"relationship"})
_ELSEWHERE: Final = frozenset({*TYPES, *BAGS})


def operations(message: Message, terms: Terms, findings: Findings) -> list[AnyOperation]:
    """Update the object and relate the person; with only an anonymous id all of it waits until that is identified."""
    traits = record(message.body, "traits", findings)
    places = (("traits", traits),)
    ref = object_of(message.body.get("groupId"), "groupId", places, findings)
    if ref is None:
        return []
    plain = {name: value for name, value in traits.items() if name not in _ELSEWHERE}
    attributes = attributes_of(plain, "traits", terms, findings, reserved=RESERVED, created_at=True)
    relationship = relationship_attributes(places, terms, findings)
    if message.user_id is None and message.anonymous_id is not None:
        parked = ParkGroup(
            anonymous_id=message.anonymous_id,
            object=ref,
            attributes=attributes,
            relationship=relationship,
            timestamp=message.timestamp,
        )
        return [parked]
    found: list[AnyOperation] = [IdentifyObject(object=ref, attributes=attributes, timestamp=message.timestamp)]
    if message.user_id is not None:
        edge = Edge(person=person_of(message.user_id, terms), object=ref, attributes=relationship)
        found.append(ChangeRelationships(edges=[edge]))
    return found


__all__ = ["operations"]
