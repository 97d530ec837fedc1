"""What version two of the Track API does with objects: `type: object` and its actions (API-13, PPL-25)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from domain.operations import AnyOperation, DeleteObject, IdentifyObject, ObjectRef, ParkGroup
from domain.track.calls import Call, Fault, Rules, refuse_if
from domain.track.identifiers import object_of
from domain.track.limits import attribute_faults, moment, total_faults
from domain.track.people import Reader
from domain.track.relationships import RELATIONSHIPS, Action, Side, of_anonymous, of_object


def _identify(body: Mapping[str, Any], rules: Rules) -> Call:
    ref, faults = _object(body)
    first = _update(ref, body, rules, faults)
    said = body.get(RELATIONSHIPS)
    change = None if said is None else of_object(ref, Side(said, RELATIONSHIPS, rules), faults)
    refuse_if(faults)
    return Call((first,) if change is None else (first, change))


def _identify_anonymous(body: Mapping[str, Any], rules: Rules) -> Call:
    """What it says of the object holds at once; that somebody belongs to it waits until they are known."""
    ref, faults = _object(body)
    first = _update(ref, body, rules, faults)
    said = body.get(RELATIONSHIPS)
    ends = [] if said is None else of_anonymous(Side(said, RELATIONSHIPS, rules), faults)
    refuse_if(faults)
    parked = [ParkGroup(anonymous_id=who, object=ref, relationship=attributes) for who, attributes in ends]
    operations: list[AnyOperation] = [first] if first.attributes or not parked else []
    return Call((*operations, *parked))


def _delete(body: Mapping[str, Any], _rules: Rules) -> Call:
    ref, _ = _object(body)
    return Call((DeleteObject(object=ref),))


def _relationships(action: Action, body: Mapping[str, Any], rules: Rules) -> Call:
    ref, faults = _object(body)
    change = of_object(ref, Side(body.get(RELATIONSHIPS), RELATIONSHIPS, rules), faults, action=action)
    refuse_if(faults)
    return Call((change,) if change is not None else ())


def _update(ref: ObjectRef, body: Mapping[str, Any], rules: Rules, faults: list[Fault]) -> IdentifyObject:
    attributes = body.get("attributes")
    attributes = {} if attributes is None else attributes
    when = moment(body.get("timestamp"), "timestamp", faults)
    if not isinstance(attributes, dict):
        faults.append(Fault("invalid", "attributes", "attributes must be a hash"))
        attributes = {}
    faults += attribute_faults(attributes, rules, forbidden="relationship")
    faults += total_faults(attributes, "attributes")
    return IdentifyObject(object=ref, attributes=attributes, timestamp=when)


def _object(body: Mapping[str, Any]) -> tuple[ObjectRef, list[Fault]]:
    """The object a call is about, and room for what else is wrong; raises CallRefused where it names none."""
    faults: list[Fault] = []
    ref = object_of(body.get("identifiers"), faults)
    refuse_if(faults)
    assert ref is not None, "there would be a fault"
    return ref, faults


ACTIONS: Final[Mapping[str, Reader]] = {
    "identify": _identify,
    "identify_anonymous": _identify_anonymous,
    "delete": _delete,
    "add_relationships": partial(_relationships, "add"),
    "delete_relationships": partial(_relationships, "delete"),
}

__all__ = ["ACTIONS"]
