"""What every operation is made of: identifiers of people, references to objects, the names that order it."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from domain.emails import bare_address

IdentifierKind = Literal["id", "email", "cio_id"]

OBJECT_BY_CIO_ID = "cio_object_id"
OBJECT = "object"
DEVICE = "device"
DELIVERY = "delivery"
ANONYMOUS = "anonymous"


class Name(NamedTuple):
    """A name in the form it is compared in: its kind, and its normalised value.

    Kinds are those of identifiers, and `object`, `cio_object_id`, `device`, `delivery`, `anonymous`.
    """

    kind: str
    value_key: str


class Identifier(BaseModel):
    """One name of a person: its kind and the value as the caller wrote it (API-03)."""

    model_config = ConfigDict(frozen=True)

    kind: IdentifierKind
    value: str

    @property
    def value_key(self) -> str:
        """The form in which identifiers are compared: ids verbatim, email and cio_id trimmed and casefolded."""
        return _name(self.kind, self.value).value_key

    @property
    def name(self) -> Name:
        """The identifier as it is looked up."""
        return _name(self.kind, self.value)


@lru_cache(maxsize=4_096)
def identifier(kind: IdentifierKind, value: str) -> Identifier:
    """The identifier of these; those of one call are asked for several times."""
    return Identifier(kind=kind, value=value)


class ObjectRef(BaseModel):
    """An object: by its type and id, or by the id that we gave it (PPL-25)."""

    model_config = ConfigDict(frozen=True)

    object_type_id: int = 1
    object_id: str | None = None
    cio_object_id: str | None = None

    @property
    def name(self) -> Name:
        """The reference as it is looked up."""
        if self.object_id is None:
            return Name(OBJECT_BY_CIO_ID, (self.cio_object_id or "").strip().casefold())
        return Name(OBJECT, object_key(self.object_type_id, self.object_id))


def object_key(object_type_id: int, object_id: str) -> str:
    """The form in which objects are looked up by type and id."""
    return f"{object_type_id}:{object_id}"


class Repeatable(BaseModel):
    """A message id that makes repeats within twelve hours of receipt nothing (API-19); `scope` is the source."""

    model_config = ConfigDict(frozen=True)

    scope: str
    message_id: str


class ImportRef(BaseModel):
    """The row of an import that an operation comes from; what becomes of it is written there (PPL-45)."""

    model_config = ConfigDict(frozen=True)

    import_id: int
    row: int


class Operation(BaseModel):
    """What all operations have. `op` names the kind in the log."""

    model_config = ConfigDict(frozen=True)

    repeatable: Repeatable | None = None
    row: ImportRef | None = None

    def identifiers(self) -> list[Identifier]:
        """Every identifier of people that the operation mentions."""
        return []

    def names(self) -> list[Name]:
        """Every name the operation mentions; two operations that can touch one person share a name or its owner."""
        return [identifier.name for identifier in self.identifiers()]

    def extra_keys(self) -> list[str]:
        """What orders the operation besides names."""
        return []


@lru_cache(maxsize=16_384)
def _name(kind: IdentifierKind, value: str) -> Name:
    """Every fact of a person compares the same few names, several times each."""
    return Name(kind, value if kind == "id" else (bare_address(value) or value).strip().casefold())


def key_of(text: str) -> int:
    """The 64-bit hash by which a name orders operations in the log."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


def key_of_name(name: Name) -> int:
    """The hash by which what mentions a name is ordered, and found again."""
    return key_of(f"{name.kind}:{name.value_key}")


def ordering_keys(operation: Operation) -> list[int]:
    """64-bit hashes of every normalised name the operation mentions; computed without the database."""
    names = {key_of_name(name) for name in operation.names()}
    return sorted(names.union(map(key_of, operation.extra_keys())))


__all__ = [
    "ANONYMOUS",
    "DELIVERY",
    "DEVICE",
    "OBJECT",
    "OBJECT_BY_CIO_ID",
    "Identifier",
    "IdentifierKind",
    "ImportRef",
    "Name",
    "ObjectRef",
    "Operation",
    "Repeatable",
    "identifier",
    "key_of",
    "key_of_name",
    "object_key",
    "ordering_keys",
]
