"""The one internal operation all inbound dialects normalise to (API-30)."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.emails import bare_address

IdentifierKind = Literal["id", "email", "cio_id"]


class Identifier(BaseModel):
    """One name of a person: its kind and the value as the caller wrote it (API-03)."""

    model_config = ConfigDict(frozen=True)

    kind: IdentifierKind
    value: str

    @property
    def value_key(self) -> str:
        """The form in which identifiers are compared: ids verbatim, email and cio_id trimmed and casefolded."""
        return self.value if self.kind == "id" else _comparable(self.value)


@lru_cache(maxsize=16_384)
def _comparable(value: str) -> str:
    """Every fact of a person compares the same few names, several times each."""
    return (bare_address(value) or value).strip().casefold()


class _Operation(BaseModel):
    model_config = ConfigDict(frozen=True)

    def identifiers(self) -> list[Identifier]:
        """Every identifier the operation mentions; two operations that can touch one person share one of their keys."""
        return []

    def extra_keys(self) -> list[str]:
        """Names besides identifiers under which the operation must be ordered."""
        return []


class Identify(_Operation):
    """Add a person or update their attributes (PPL-03). `attributes` are as received, control keys removed.

    `timestamp` (Unix seconds, `_timestamp`) orders concurrent updates; `update_only` never creates.
    `dotted` names with dots mean members (ACT-24), as they never do in calls.
    """

    op: Literal["identify"] = "identify"
    subject: Identifier
    attributes: dict[str, Any] = Field(default_factory=dict)
    timestamp: int | None = None
    update_only: bool = False
    dotted: bool = False

    def identifiers(self) -> list[Identifier]:
        """The subject and the identifiers among the attributes."""
        found = [self.subject]
        for kind in ("id", "email", "cio_id"):
            value = self.attributes.get(kind)
            if isinstance(value, str | int) and not isinstance(value, bool) and str(value):
                found.append(Identifier(kind=kind, value=str(value)))
        return found


class TrackEvent(_Operation):
    """Something a person did (PPL-13). `timestamp` in Unix seconds, None for the time of receipt; `event_id` dedupes."""

    op: Literal["event"] = "event"
    subject: Identifier
    name: str
    type: Literal["event", "page", "screen"] = "event"
    data: dict[str, Any] = Field(default_factory=dict)
    timestamp: int | None = None
    event_id: str | None = None

    def identifiers(self) -> list[Identifier]:
        """The person."""
        return [self.subject]


class Unsubscribe(_Operation):
    """The person behind a delivery's link left (or came back); credited to the delivery (SUB-09, SUB-10)."""

    op: Literal["unsubscribe"] = "unsubscribe"
    delivery_id: str
    person_id: int
    unsubscribe: bool = True

    def extra_keys(self) -> list[str]:
        """The delivery and its person."""
        return [f"d:{self.delivery_id}", f"p:{self.person_id}"]


class Reevaluate(_Operation):
    """Look again at one person's memberships: the clock or somebody else's change may have moved them.

    `refs` are (kind, id) pairs of memberships (`segment`, `trigger`).
    """

    op: Literal["reevaluate"] = "reevaluate"
    person_id: int
    refs: list[tuple[Literal["segment", "trigger"], int]]
    why: Literal["flip", "build"] = "flip"

    def extra_keys(self) -> list[str]:
        """The person by internal number."""
        return [f"p:{self.person_id}"]


AnyOperation = Annotated[Identify | TrackEvent | Unsubscribe | Reevaluate, Field(discriminator="op")]


def ordering_keys(operation: _Operation) -> list[int]:
    """64-bit hashes of every normalised name the operation mentions; computed without the database."""
    names = [f"{i.kind}:{i.value_key}" for i in operation.identifiers()] + operation.extra_keys()
    return sorted(
        {int.from_bytes(hashlib.blake2b(n.encode(), digest_size=8).digest(), "big", signed=True) for n in names}
    )
