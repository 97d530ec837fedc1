"""All definitions of a workspace as they will be: what is stored, with what is being applied laid over it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from domain.conditions import segment_refs
from domain.definitions.base import Definition, Use
from domain.definitions.provider import ProviderDefinition
from domain.definitions.segment import SegmentDefinition
from domain.errors import Referent


@dataclass
class Entry:
    """One document: its names, and the document itself, read when somebody looks; None where it cannot be read."""

    kind: str
    key: str
    id: int | None
    source: Mapping[str, Any] | Definition | None

    @cached_property
    def definition(self) -> Definition | None:
        """The document, unless nothing readable stands there."""
        if not isinstance(self.source, Mapping):
            return self.source
        from domain.definitions import read_definition

        return read_definition(self.source)[0]

    @cached_property
    def uses(self) -> tuple[Use, ...]:
        """What the document refers to."""
        return tuple(self.definition.uses()) if self.definition is not None else ()


class Library:
    """The definitions of one workspace by kind, key and id."""

    def __init__(self, entries: list[Entry]) -> None:
        self._entries: dict[tuple[str, str | int], Entry] = {}
        for entry in entries:
            self.put(entry)

    def put(self, entry: Entry) -> None:
        """Add a document, or replace the one of the same kind and key, whose id it takes over."""
        before = self._entries.get((entry.kind, entry.key))
        if before is not None and entry.id is None:
            entry.id = before.id
        self._entries[entry.kind, entry.key] = entry
        if entry.id is not None:
            self._entries[entry.kind, entry.id] = entry
        self.__dict__.pop("_users", None)

    @property
    def entries(self) -> list[Entry]:
        """Every document once, in the order it was added."""
        return [entry for (_, name), entry in self._entries.items() if isinstance(name, str)]

    def find(self, kind: str, ref: str | int) -> Entry | None:
        """The document behind a key or an id."""
        return self._entries.get((kind, ref))

    def exists(self, kind: str, ref: str | int) -> bool:
        """Whether there is such a document."""
        return (kind, ref) in self._entries

    def segment_has_segments(self, ref: str | int) -> bool:
        """Whether the conditions of a segment name segments; False for one that cannot be read."""
        entry = self.find("segment", ref)
        found = entry.definition if entry is not None else None
        conditions = found.conditions if isinstance(found, SegmentDefinition) else None
        return conditions is not None and bool(segment_refs(conditions))

    @cached_property
    def _users(self) -> dict[tuple[str, str | int], list[tuple[Entry, Use]]]:
        users: dict[tuple[str, str | int], list[tuple[Entry, Use]]] = defaultdict(list)
        for entry in self.entries:
            for use in entry.uses:
                users[use.kind, use.ref].append((entry, use))
        return users

    def referents(self, kind: str, key: str) -> list[Referent]:
        """Every reference from another document to this one, by key or by id."""
        entry = self.find(kind, key)
        names: list[str | int] = [key] if entry is None or entry.id is None else [key, entry.id]
        return [
            Referent(kind=user.kind, key=user.key, pointer=use.pointer)
            for name in names
            for user, use in self._users.get((kind, name), [])
            if (user.kind, user.key) != (kind, key)
        ]

    def users(self, kind: str, key: str) -> list[tuple[str, str]]:
        """The kind and key of every other document that refers to this one."""
        return [(referent.kind, referent.key) for referent in self.referents(kind, key)]

    def others(self, kind: str, key: str) -> list[Definition]:
        """Every other document of the kind that can be read."""
        return [
            entry.definition
            for entry in self.entries
            if entry.kind == kind and entry.key != key and entry.definition is not None
        ]

    def has_way_out(self, channel: str) -> bool:
        """Whether an enabled provider takes messages of a channel."""
        providers = [p for p in self.others("provider", "") if isinstance(p, ProviderDefinition)]
        return any(provider.enabled and provider.channel == channel for provider in providers)
