"""All definitions of a workspace as they will be: what is stored, with what is being applied laid over it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from domain.conditions import segment_refs
from domain.definitions.automation import AutomationDefinition
from domain.definitions.base import Definition, Use
from domain.definitions.object_type import ObjectTypeDefinition
from domain.definitions.provider import ProviderDefinition
from domain.definitions.segment import SegmentDefinition
from domain.errors import Referent

ARCHIVED: Final = "archived"


@dataclass
class Entry:
    """One document: its names, and the document itself, read when somebody looks; None where it cannot be read.

    `state` is that of its life, where what is stored has one; `actions` are the numbers of a campaign's blocks.
    """

    kind: str
    key: str
    id: int | None
    source: Mapping[str, Any] | Definition | None
    state: str | None = None
    actions: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def definition(self) -> Definition | None:
        """The document, unless nothing readable stands there."""
        if not isinstance(self.source, Mapping):
            return self.source
        from domain.definitions import read_definition

        return read_definition(self.source)[0]

    @property
    def archived(self) -> bool:
        """Whether it is kept as it was and neither does anything nor can be referred to."""
        return self.state == ARCHIVED

    @cached_property
    def uses(self) -> tuple[Use, ...]:
        """What the document refers to."""
        return tuple(self.definition.uses()) if self.definition is not None else ()


class Library:
    """The definitions of one workspace by kind, key and id."""

    def __init__(self, entries: list[Entry]) -> None:
        self._entries: dict[tuple[str, str | int], Entry] = {}
        self._leaving: dict[tuple[str, str | int], Entry] = {}
        self._of_kind: dict[str, dict[str, Entry]] = defaultdict(dict)
        for entry in entries:
            self.put(entry)

    def put(self, entry: Entry) -> None:
        """Add a document, or replace the one of the same kind and key, whose id it takes over."""
        before = self._entries.get((entry.kind, entry.key))
        if before is not None and entry.id is None:
            entry.id, entry.state, entry.actions = before.id, before.state, before.actions
        self._entries[entry.kind, entry.key] = entry
        self._of_kind[entry.kind][entry.key] = entry
        if entry.id is not None:
            self._entries[entry.kind, entry.id] = entry
        self.__dict__.pop("_users", None)

    def take_out(self, kind: str, key: str) -> None:
        """Have a document be gone, as one is that is deleted; it stays `known`, so that who refers to it can be asked."""
        entry = self._entries.pop((kind, key), None)
        if entry is None:
            return
        del self._of_kind[kind][key]
        for name in (key, entry.id):
            if name is not None:
                self._entries.pop((kind, name), None)
                self._leaving[kind, name] = entry
        self.__dict__.pop("_users", None)

    def known(self, kind: str, ref: str | int) -> Entry | None:
        """The document behind a key or an id, be it there or taken out."""
        return self.find(kind, ref) or self._leaving.get((kind, ref))

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

    def segment_has_conditions(self, ref: str | int) -> bool:
        """Whether a segment is kept by conditions; False for one that cannot be read."""
        entry = self.find("segment", ref)
        found = entry.definition if entry is not None else None
        return isinstance(found, SegmentDefinition) and found.conditions is not None

    def ring_of_segments(self, key: str, through: str | int) -> list[str]:
        """The keys on a way from a segment through one it is made of back to itself, both ends included; else none."""
        first = self.find("segment", through)
        ways = [] if first is None else [[key, first.key]]
        seen: set[str] = set()
        while ways:
            way = ways.pop()
            if way[-1] == key:
                return way
            if way[-1] not in seen:
                seen.add(way[-1])
                ways += [[*way, below] for below in self._segments_of(way[-1])]
        return []

    def _segments_of(self, key: str) -> list[str]:
        entry = self.find("segment", key)
        found = [] if entry is None else [self.find(use.kind, use.ref) for use in entry.uses if use.kind == "segment"]
        return [below.key for below in found if below is not None]

    def blocks_of(self, ref: str | int, kind: str = "campaign") -> Mapping[str, int | None] | None:
        """The blocks of a campaign or broadcast with their action ids, where they have one; None where there is none such."""
        entry = self.find(kind, ref)
        if entry is None or not isinstance(entry.definition, AutomationDefinition):
            return None
        blocks, actions = entry.definition.workflow.blocks, entry.actions
        return {key: actions.get(key, actions.get(block.renamed_from or "")) for key, block in blocks.items()}

    def blocks_asked_for(self, key: str, kind: str = "campaign") -> list[tuple[str, str, str]]:
        """The blocks a campaign has had so far that other documents name: kind and key of each of these, and the block."""
        entry = self.find(kind, key)
        known = {} if entry is None else entry.actions
        named = self.references(kind, key)
        return [
            (user.kind, user.key, use.block) for user, use in named if isinstance(use.block, str) and use.block in known
        ]

    def is_disabled_type(self, ref: str | int) -> bool:
        """Whether there is such an object type, and it is not enabled."""
        entry = self.find("object_type", ref)
        found = entry.definition if entry is not None else None
        return isinstance(found, ObjectTypeDefinition) and not found.enabled

    @cached_property
    def _users(self) -> dict[tuple[str, str | int], list[tuple[Entry, Use]]]:
        users: dict[tuple[str, str | int], list[tuple[Entry, Use]]] = defaultdict(list)
        for entry in self.entries:
            for use in entry.uses:
                users[use.kind, use.ref].append((entry, use))
        return users

    def references(self, kind: str, key: str) -> list[tuple[Entry, Use]]:
        """Every reference from another document to this one, by key or by id, those of archived ones included."""
        entry = self.known(kind, key)
        names: list[str | int] = [key] if entry is None or entry.id is None else [key, entry.id]
        return [
            (user, use)
            for name in names
            for user, use in self._users.get((kind, name), [])
            if (user.kind, user.key) != (kind, key)
        ]

    def referents(self, kind: str, key: str) -> list[Referent]:
        """The references that hold a document in place: what an archived segment says counts for nothing (PPL-29)."""
        return [
            Referent(kind=user.kind, key=user.key, pointer=use.pointer)
            for user, use in self.references(kind, key)
            if not (user.archived and user.kind == "segment")
        ]

    def users(self, kind: str, key: str) -> list[tuple[str, str]]:
        """The kind and key of every other document that refers to this one, archived segments left out."""
        return [(referent.kind, referent.key) for referent in self.referents(kind, key)]

    def others(self, kind: str, key: str) -> list[Definition]:
        """Every other document of the kind that can be read."""
        return [
            entry.definition
            for entry in self._of_kind[kind].values()
            if entry.key != key and entry.definition is not None
        ]

    def has_way_out(self, channel: str) -> bool:
        """Whether an enabled provider takes messages of a channel; endpoints of webhooks are called without any."""
        if channel == "webhook":
            return True
        providers = [p for p in self.others("provider", "") if isinstance(p, ProviderDefinition)]
        return any(provider.enabled and provider.channel == channel for provider in providers)
