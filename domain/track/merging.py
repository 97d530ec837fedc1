"""Merge calls: two people who are one (API-09, PPL-07)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.operations import Identifier, MergePeople
from domain.track.calls import Call, CallRefused, Fault, Rules
from domain.track.identifiers import person_of


def merge(body: Any, rules: Rules) -> Call:
    """The operation of `POST /merge_customers` and of v2 `merge`: each side names exactly one; raises CallRefused."""
    if not isinstance(body, Mapping):
        raise CallRefused([Fault("invalid", "", "the request must be a JSON object")])
    faults: list[Fault] = []
    primary = _side(body.get("primary"), "primary", rules, faults)
    secondary = _side(body.get("secondary"), "secondary", rules, faults)
    if primary is None or secondary is None:
        raise CallRefused(faults)
    return Call((MergePeople(primary=primary, secondary=secondary),))


def _side(said: Any, field: str, rules: Rules, faults: list[Fault]) -> Identifier | None:
    if said is None:
        faults.append(Fault("required", field, f"{field} must be present"))
        return None
    if not isinstance(said, Mapping):
        faults.append(Fault("invalid", field, f"{field} must be a hash"))
        return None
    if len(said) != 1:
        faults.append(Fault("invalid", field, f"{field} must hold exactly one of id, email and cio_id"))
        return None
    wrong: list[Fault] = []
    person = person_of(said, rules, wrong, field)
    faults += [_told(fault, field) for fault in wrong]
    return person


def _told(fault: Fault, field: str) -> Fault:
    """The fault with the side in its sentence, which is all that v1 answers."""
    message = fault.message if fault.message.startswith(field) else f"{field} {fault.message}"
    return fault._replace(message=message)


__all__ = ["merge"]
