"""Objects and relationships as Pipelines messages name them: type, id, the bag of relationship attributes (API-23)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from domain.operations import ObjectRef
from domain.pipelines.attributes import attributes_of
from domain.pipelines.envelope import required_id
from domain.pipelines.findings import Findings
from domain.pipelines.terms import Terms
from domain.track.limits import LARGEST_TYPE
from domain.values import is_blank

TYPES: Final = ("objectTypeId", "object_type_id")
BAGS: Final = ("relationshipAttributes", "relationshipTraits", "relationship_traits", "relationship_attributes")
DEFAULT_TYPE: Final = 1
_Places = Sequence[tuple[str, Mapping[str, Any]]]
"""Where to look, first things first: what a place is called, and what is there."""


def object_of(object_id: Any, field: str, places: _Places, findings: Findings) -> ObjectRef | None:
    """The object of that id, with the first type that is named, else 1; None where one of them cannot be."""
    text = required_id(object_id, field, findings)
    if text is None:
        return None
    found = first(TYPES, places)
    number = DEFAULT_TYPE if found is None else _number(found[1])
    if number is None and found is not None:
        findings.fault(found[0], f"{found[0]} must be an integer from 1")
    return None if number is None else ObjectRef(object_type_id=number, object_id=text)


def relationship_attributes(places: _Places, terms: Terms, findings: Findings) -> dict[str, Any]:
    """The attributes of the relationship, under whichever of the names they stand."""
    found = first(BAGS, places)
    if found is None:
        return {}
    field, bag = found
    if not isinstance(bag, Mapping):
        findings.doubt(field, f"{field} must be an object")
        return {}
    return attributes_of(bag, field, terms, findings)


def first(names: Iterable[str], places: _Places) -> tuple[str, Any] | None:
    """The first of the places' members with one of the names that is not blank, and its path."""
    wanted = tuple(names)
    for place, members in places:
        for name in wanted:
            if not is_blank(members.get(name)):
                return f"{place}.{name}", members[name]
    return None


def _number(value: Any) -> int | None:
    if (
        isinstance(value, str)
        and value.strip().isascii()
        and value.strip().isdecimal()
        and len(value) <= len(str(LARGEST_TYPE))
    ):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 1 <= value <= LARGEST_TYPE else None


__all__ = ["BAGS", "TYPES", "first", "object_of", "relationship_attributes"]
