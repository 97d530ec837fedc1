"""Identify: a person, their traits, the anonymous id that becomes theirs, the object they belong to (API-20)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from domain.operations import AnyOperation, BindAnonymous, ChangeRelationships, Edge, Identifier, Identify
from domain.pipelines.attributes import attributes_of
from domain.pipelines.envelope import Message, checked_id, need_somebody, person_by_email, person_of, record, text_of
from domain.pipelines.findings import Findings
from domain.pipelines.iso import CREATED_AT
from domain.pipelines.objects import BAGS, TYPES, first, object_of, relationship_attributes
from domain.pipelines.terms import Terms
from domain.values import is_blank

OBJECT_ID: Final = "objectId"
RESERVED: Final = frozenset({"cio_id", "cio_relationships", "_relationship", "_timestamp", "_update"})
"""Words that instruct the Track API and mean nothing here."""
_ELSEWHERE: Final = frozenset({OBJECT_ID, *TYPES, *BAGS, "createdAt", CREATED_AT, "anonymous_id", "id"})


def operations(message: Message, terms: Terms, findings: Findings) -> list[AnyOperation]:
    """Update the person, bind their anonymous id, relate them to an object; nothing for somebody merely anonymous."""
    traits = record(message.body, "traits", findings)
    subject = _subject(message, traits, terms)
    if subject is None:
        if need_somebody(message, findings):
            findings.note("anonymous_identify", "", "an identify call with only an anonymousId has no effect")
        return []
    found: list[AnyOperation] = [
        Identify(
            subject=subject,
            attributes=_attributes(traits, terms, findings),
            timestamp=message.timestamp,
            merge_preferences=True,
        )
    ]
    anonymous_id = message.anonymous_id or text_of(traits.get("anonymous_id"))
    if anonymous_id is not None and checked_id(anonymous_id, "anonymousId", findings):
        found.append(BindAnonymous(subject=subject, anonymous_id=anonymous_id))
    edge = _edge(subject, traits, message.context, terms, findings)
    if edge is not None:
        found.append(ChangeRelationships(edges=[edge], existing_people=True))
    return found


def _subject(message: Message, traits: Mapping[str, Any], terms: Terms) -> Identifier | None:
    if message.user_id is not None:
        return person_of(message.user_id, terms)
    return person_by_email(traits.get("email"), terms)


def _attributes(traits: Mapping[str, Any], terms: Terms, findings: Findings) -> dict[str, Any]:
    plain = {name: value for name, value in traits.items() if name not in _ELSEWHERE}
    for spelling in (CREATED_AT, "createdAt"):
        if spelling in traits and is_blank(plain.get(CREATED_AT)):
            plain[CREATED_AT] = traits[spelling]
    name = _full_name(traits)
    if name is not None:
        plain["name"] = name
    kept = attributes_of(plain, "traits", terms, findings, reserved=RESERVED, created_at=True)
    if "id" in traits:
        # Left as it came: an id that looks like a date is an id.
        identifier = traits["id"] if is_blank(traits["id"]) else text_of(traits["id"])
        if identifier is None and traits["id"] is not None:
            findings.doubt("traits.id", "traits.id must be a string")
        else:
            kept["id"] = identifier
    return kept


def _full_name(traits: Mapping[str, Any]) -> str | None:
    """First and last name, where the whole name is not given."""
    if "name" in traits:
        return None
    parts = [traits.get(camel) or traits.get(snake) for camel, snake in _HALVES]
    texts = [part.strip() for part in parts if isinstance(part, str) and part.strip()]
    return " ".join(texts) if len(texts) == len(_HALVES) else None


_HALVES: Final = (("firstName", "first_name"), ("lastName", "last_name"))


def _edge(
    subject: Identifier, traits: Mapping[str, Any], context: Mapping[str, Any], terms: Terms, findings: Findings
) -> Edge | None:
    """What the person belongs to: named in the traits, else in the context, else by the context's group."""
    places = (("traits", traits), ("context", context))
    found = first((OBJECT_ID,), places) or first(("groupId",), places[1:])
    if found is None:
        return None
    field, object_id = found
    doubts = Findings(strict=False)
    ref = object_of(object_id, field, places, doubts)
    for fault in doubts.faults:
        findings.doubt(fault.field, fault.message)
    if ref is None:
        return None
    return Edge(person=subject, object=ref, attributes=relationship_attributes(places, terms, findings))


__all__ = ["operations"]
