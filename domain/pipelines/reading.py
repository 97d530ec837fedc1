"""One Pipelines message as operations (API-30)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic_core import to_json

from domain.operations import AnyOperation, Repeatable
from domain.pipelines import alias, group, identify, integrations, track, views
from domain.pipelines.envelope import Message, Outer, kind_of, message_of
from domain.pipelines.findings import Fault, Findings, MessageRefused, Note
from domain.pipelines.terms import MESSAGE_BYTES, Terms

_Reader = Callable[[Message, Terms, Findings], list[AnyOperation]]
_READERS: Final[Mapping[str, _Reader]] = {
    "identify": identify.operations,
    "track": track.operations,
    "page": views.operations,
    "screen": views.operations,
    "group": group.operations,
    "alias": alias.operations,
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message comes to. Without operations it has no effect, and the notes say why."""

    operations: tuple[AnyOperation, ...] = ()
    notes: tuple[Note, ...] = ()


def read(kind: str, body: Any, terms: Terms, outer: Outer | None = None) -> Reading:
    """The operations of a message of that type; raises MessageRefused with everything wrong."""
    if not isinstance(body, Mapping):
        raise MessageRefused([Fault("", "the message must be a JSON object")])
    findings = Findings(strict=terms.strict)
    message = message_of(kind, body, outer or Outer(), terms, findings)
    found = _READERS[kind](message, terms, findings)
    if findings.faults:
        raise MessageRefused(findings.faults)
    if not integrations.includes_us(message.integrations):
        excluded = Note("excluded", "integrations", "the message is meant for other integrations")
        return Reading(notes=(excluded,))
    return Reading(tuple(_once(found, message, terms)), tuple(findings.notes))


def read_item(item: Any, terms: Terms, outer: Outer) -> Reading:
    """The operations of one message of a batch; raises MessageRefused."""
    if not isinstance(item, Mapping):
        raise MessageRefused([Fault("", "the message must be a JSON object")])
    if len(to_json(item)) > MESSAGE_BYTES:
        raise MessageRefused([Fault("", f"the message must not be larger than {MESSAGE_BYTES} bytes")])
    findings = Findings(strict=terms.strict)
    kind = kind_of(item, findings)
    if findings.faults:
        raise MessageRefused(findings.faults)
    return Reading(notes=tuple(findings.notes)) if kind is None else read(kind, item, terms, outer)


@dataclass
class Batch:
    """What the messages of a batch come to, in order: operations, and what was found at which place."""

    operations: list[AnyOperation] = field(default_factory=list)
    notes: list[tuple[int | None, Note]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def read_batch(items: list[Any], terms: Terms, outer: Outer) -> Batch:
    """The operations of all messages that can be taken (API-25)."""
    batch = Batch()
    for index, item in enumerate(items):
        try:
            reading = read_item(item, terms, outer)
        except MessageRefused as refusal:
            batch.faults += [fault._replace(place=index) for fault in refusal.faults]
        else:
            batch.operations += reading.operations
            batch.notes += [(index, note) for note in reading.notes]
    return batch


def _once(found: list[AnyOperation], message: Message, terms: Terms) -> list[AnyOperation]:
    """The operations, each recognisable when the message comes again within twelve hours (API-19)."""
    if message.message_id is None:
        return found
    return [
        operation.model_copy(
            update={
                "repeatable": Repeatable(
                    scope=terms.scope, message_id=f"{message.message_id}/{place}" if place else message.message_id
                )
            }
        )
        for place, operation in enumerate(found)
    ]


__all__ = ["Batch", "Reading", "read", "read_batch", "read_item"]
