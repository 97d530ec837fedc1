"""`cio_relationships`: which people and objects belong together, in the shapes of both versions (API-04, API-13, PPL-26)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, NamedTuple, TypeVar

from domain.operations import ChangeRelationships, Edge, Identifier, ObjectRef
from domain.track.calls import Fault, Rules
from domain.track.identifiers import anonymous_of, object_of, person_of
from domain.track.limits import attribute_faults, total_faults

RELATIONSHIPS: Final = "cio_relationships"
Action = Literal["add", "delete"]
ACTIONS: Final[Mapping[str, Action]] = {
    "add_relationships": "add",
    "delete_relationships": "delete",
    "remove_relationships": "delete",
}

_End = TypeVar("_End")


class Side(NamedTuple):
    """What stands at the end of relationships, as a call says it: where it says so, and what the workspace allows."""

    said: Any
    field: str
    rules: Rules


def of_attribute(person: Identifier, side: Side, faults: list[Fault]) -> ChangeRelationships | None:
    """The change that the reserved attribute asks for: an action with relationships, or a bare array to add (API-04)."""
    said, action = side.said, "add_relationships"
    if said is None:
        return None
    if isinstance(said, Mapping):
        action = said.get("action", action)
        side = Side(said.get("relationships"), f"{side.field}.relationships", side.rules)
    if not isinstance(action, str) or action not in ACTIONS:
        message = f"{RELATIONSHIPS} action must be add_relationships or delete_relationships"
        faults.append(Fault("invalid", f"{RELATIONSHIPS}.action", message))
        return None
    return of_person(person, side, faults, action=ACTIONS[action], existing_people=True)


def of_person(
    person: Identifier, side: Side, faults: list[Fault], *, action: Action = "add", existing_people: bool = False
) -> ChangeRelationships | None:
    """The change between one person and the objects of an array; None where it is empty."""
    ends = _ends(side, faults, object_of)
    edges = [Edge(person=person, object=ref, attributes=_kept(action, attributes)) for ref, attributes in ends]
    if not edges:
        return None
    return ChangeRelationships(action=action, edges=edges, existing_people=existing_people)


def of_object(ref: ObjectRef, side: Side, faults: list[Fault], *, action: Action = "add") -> ChangeRelationships | None:
    """The change between one object and the people of an array; None where it is empty."""

    def read(said: Any, faults: list[Fault], field: str) -> Identifier | None:
        return person_of(said, side.rules, faults, field)

    edges = [
        Edge(person=person, object=ref, attributes=_kept(action, attributes))
        for person, attributes in _ends(side, faults, read)
    ]
    return ChangeRelationships(action=action, edges=edges) if edges else None


def of_anonymous(side: Side, faults: list[Fault]) -> list[tuple[str, dict[str, Any]]]:
    """The anonymous ids of an array, each with the attributes of its relationship."""
    return _ends(side, faults, anonymous_of)


def _kept(action: Action, attributes: dict[str, Any]) -> dict[str, Any]:
    return attributes if action == "add" else {}


def _ends(
    side: Side, faults: list[Fault], read: Callable[[Any, list[Fault], str], _End | None]
) -> list[tuple[_End, dict[str, Any]]]:
    said, field, rules = side
    if said is None:
        faults.append(Fault("required", field, f"{field} must be present"))
        return []
    if not isinstance(said, list):
        faults.append(Fault("invalid", field, f"{field} must be an array"))
        return []
    found = []
    for number, item in enumerate(said):
        here = f"{field}.{number}"
        if not isinstance(item, Mapping):
            faults.append(Fault("invalid", here, "a relationship must be a hash"))
            continue
        attributes = _attributes(item.get("relationship_attributes"), f"{here}.relationship_attributes", rules, faults)
        end = read(item.get("identifiers"), faults, f"{here}.identifiers")
        if end is not None:
            found.append((end, attributes))
    return found


def _attributes(said: Any, field: str, rules: Rules, faults: list[Fault]) -> dict[str, Any]:
    if said is None:
        return {}
    if not isinstance(said, dict):
        faults.append(Fault("invalid", field, "relationship_attributes must be a hash"))
        return {}
    faults += attribute_faults(said, rules, field=field)
    faults += total_faults(said, field)
    return said


__all__ = ["ACTIONS", "RELATIONSHIPS", "Action", "Side", "of_anonymous", "of_attribute", "of_object", "of_person"]
