"""Whom and what a call names: people by the shape of a text or by kind, objects by type and id (API-03, PPL-25)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from domain.emails import bare_address
from domain.operations import Identifier, ObjectRef
from domain.track.calls import CallRefused, Fault, Rules
from domain.track.limits import ID_BYTES, LARGEST_TYPE, required_text, size

CIO_PREFIX: Final = "cio_"
ANONYMOUS_ID: Final = "anonymous_id"


def identifier_of(text: str, *, email_identifies: bool = True) -> Identifier:
    """The identifier that a path value or a user id means by its shape (API-03)."""
    if text.startswith(CIO_PREFIX) and len(text) > len(CIO_PREFIX):
        return Identifier(kind="cio_id", value=text.removeprefix(CIO_PREFIX))
    if email_identifies and "@" in text and bare_address(text) is not None:
        return Identifier(kind="email", value=text.strip())
    return Identifier(kind="id", value=text)


def subject_of(text: str, rules: Rules) -> Identifier:
    """The person a path names; raises CallRefused."""
    faults = list(id_faults(text))
    if faults:
        raise CallRefused(faults)
    return identifier_of(text, email_identifies=rules.email_identifies)


def id_faults(value: Any, field: str = "id") -> list[Fault]:
    """What is wrong with an identifier."""
    if value is None:
        return [Fault("required", field, "id attribute must be present")]
    if not isinstance(value, str):
        return [Fault("invalid", field, "id attribute must be a string value")]
    if not value.strip():
        return [Fault("required", field, "id attribute cannot be an empty string")]
    if size(value) > ID_BYTES:
        return [Fault("too_long", field, f"id attribute cannot be longer than {ID_BYTES} bytes")]
    return []


def person_of(said: Any, rules: Rules, faults: list[Fault], field: str = "identifiers") -> Identifier | None:
    """The person that an object with exactly one of id, email and cio_id names; an anonymous id beside it is no name."""
    if said is None or said == {}:
        faults += id_faults(None, field)
        return None
    if not isinstance(said, Mapping):
        faults.append(Fault("invalid", field, f"{_last(field)} must be a hash"))
        return None
    given = [name for name in said if name != ANONYMOUS_ID]
    if len(given) != 1 or given[0] not in ("id", "email", "cio_id"):
        faults.append(Fault("invalid", field, f"{_last(field)} must hold exactly one of id, email and cio_id"))
        return None
    return _person(given[0], said[given[0]], rules, faults, field)


def anonymous_of(said: Any, faults: list[Fault], field: str = "identifiers") -> str:
    """The anonymous id that an object with nothing but one names."""
    if not isinstance(said, Mapping) or set(said) != {ANONYMOUS_ID}:
        faults.append(Fault("invalid", field, f"{_last(field)} must hold an anonymous_id and nothing else"))
        return ""
    return required_text(said[ANONYMOUS_ID], f"{field}.{ANONYMOUS_ID}", ANONYMOUS_ID, faults)


def names_anonymous(said: Any) -> bool:
    """Whether identifiers hold an anonymous id and nothing else."""
    return isinstance(said, Mapping) and set(said) == {ANONYMOUS_ID}


def object_of(said: Any, faults: list[Fault], field: str = "identifiers") -> ObjectRef | None:
    """The object that `object_type_id` (default 1) with `object_id`, or `cio_object_id`, names."""
    if said is None or said == {}:
        faults.append(Fault("required", field, f"{_last(field)} must be present"))
        return None
    if not isinstance(said, Mapping):
        faults.append(Fault("invalid", field, f"{_last(field)} must be a hash"))
        return None
    before = len(faults)
    if "cio_object_id" in said:
        if "object_id" in said or "objectId" in said:
            message = f"{_last(field)} must hold either an object_id or a cio_object_id"
            faults.append(Fault("invalid", field, message))
        ours = required_text(said["cio_object_id"], f"{field}.cio_object_id", "cio_object_id", faults)
        return ObjectRef(cio_object_id=ours) if len(faults) == before else None
    given = said.get("object_id", said.get("objectId"))
    object_id = required_text(given, f"{field}.object_id", "object_id", faults)
    kind = object_type_of(said.get("object_type_id"), faults, f"{field}.object_type_id")
    return ObjectRef(object_type_id=kind, object_id=object_id) if len(faults) == before else None


def object_type_of(value: Any, faults: list[Fault], field: str = "object_type_id") -> int:
    """The number of an object type, from an integer or its text; 1 where none is given (PPL-24)."""
    if value is None or value == "":
        return 1
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 10:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= LARGEST_TYPE:
        return value
    faults.append(Fault("invalid", field, "object_type_id must be a whole number from 1"))
    return 1


def _person(kind: str, value: Any, rules: Rules, faults: list[Fault], field: str) -> Identifier | None:
    wrong = [
        Fault(fault.reason, f"{field}.{kind}", fault.message.replace("id attribute", f"{kind} attribute", 1))
        for fault in id_faults(value)
    ]
    if not wrong and kind == "email":
        wrong = _email_faults(value, f"{field}.email", rules)
    faults += wrong
    if wrong:
        return None
    if kind == "email":
        return Identifier(kind="email", value=value.strip())
    if kind == "cio_id":
        return Identifier(kind="cio_id", value=value.removeprefix(CIO_PREFIX))
    return Identifier(kind="id", value=value)


def _email_faults(value: str, field: str, rules: Rules) -> list[Fault]:
    if not rules.email_identifies:
        return [Fault("invalid", field, "email is not an identifier in this workspace")]
    if bare_address(value) is None:
        return [Fault("invalid", field, "email is not a valid address")]
    return []


def _last(field: str) -> str:
    return field.rpartition(".")[2]


__all__ = [
    "ANONYMOUS_ID",
    "CIO_PREFIX",
    "anonymous_of",
    "id_faults",
    "identifier_of",
    "names_anonymous",
    "object_of",
    "object_type_of",
    "person_of",
    "subject_of",
]
