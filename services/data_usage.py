"""Where names of attributes and events are used: in conditions, triggers, goals, blocks, and in texts (PPL-51)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from domain.blocks import BatchUpdate, QueryCollection, UpdatePerson
from domain.condition_keys import EventMatch, Keys
from domain.definitions import (
    BroadcastDefinition,
    CampaignDefinition,
    Definition,
    SegmentDefinition,
    read_definition,
)
from domain.definitions import campaign_parts as parts
from domain.definitions.base import texts_below
from domain.definitions.triggers import EventTrigger
from domain.errors import Referent
from domain.patterns import fold_name, literal_name
from domain.problems import pointer_of
from store import definitions as store
from store.database import Connection

_CUSTOMER: Final = re.compile(r"""\bcustomer(?:\.([\w-]+)|\[\s*(?:"([^"]+)"|'([^']+)')\s*\])""")
"""How templates, paths and scripts name an attribute of the person."""
TRANSACTIONAL: Final = "transactional"
_COUNTED: Final = ("campaigns", "broadcasts", TRANSACTIONAL, "segments", "newsletters", "snippets", "layouts")
_PROSE: Final = frozenset({"name", "description", "note", "tags"})


class User(NamedTuple):
    """A document that uses a name, and where in it."""

    kind: str
    key: str
    id: int
    title: str
    pointer: str

    @property
    def referent(self) -> Referent:
        """As refusals name it."""
        return Referent(kind=self.kind, key=self.key, pointer=self.pointer)


@dataclass
class Usage:
    """Who uses which names in a workspace; what is archived uses nothing."""

    _attributes: dict[str, list[User]] = field(default_factory=lambda: defaultdict(list))
    _events: dict[tuple[str, str], list[User]] = field(default_factory=lambda: defaultdict(list))
    _patterns: list[tuple[EventMatch, User]] = field(default_factory=list)

    def of_attribute(self, name: str) -> list[User]:
        """The users of an attribute of people."""
        return list(dict.fromkeys(self._attributes.get(name, ())))

    def of_event(self, kind: str, name: str) -> list[User]:
        """The users of an event, a page or a screen, whose names ignore case."""
        found = list(self._events.get((kind, fold_name(name)), ()))
        found += [user for match, user in self._patterns if match.type == kind and match.matches(name)]
        return list(dict.fromkeys(found))

    def add(self, row: store.DefinitionRow, definition: Definition) -> None:
        """Take in a document."""
        for pointer, keys in _conditions(definition):
            user = User(row.kind, row.key, row.definition_id, row.name, pointer)
            for name in keys.attributes:
                self._attributes[name].append(user)
            for match in keys.events:
                self._add_event(match, user)
        for pointer, name in _named(definition):
            self._attributes[name].append(User(row.kind, row.key, row.definition_id, row.name, pointer))

    def _add_event(self, match: EventMatch, user: User) -> None:
        names = match.exact_names()
        if names is None:
            self._patterns.append((match, user))
        for name in names or ():
            self._events[match.type, name].append(user)


async def usage(conn: Connection, workspace_id: int) -> Usage:
    """Who uses what, as the definitions stand now."""
    found = Usage()
    for row in await store.load_all(conn, workspace_id):
        definition, _ = read_definition(row.document)
        if definition is not None and row.state != "archived" and not getattr(definition, "archived", False):
            found.add(row, definition)
    return found


def counts(users: Sequence[User]) -> dict[str, int]:
    """How many documents of each kind use a name, each once."""
    found: dict[str, set[str]] = {word: set() for word in _COUNTED}
    for user in users:
        found.setdefault(_word(user.kind), set()).add(user.key)
    return {word: len(keys) for word, keys in found.items()}


def _word(kind: str) -> str:
    return kind if kind == TRANSACTIONAL else f"{kind}s"


def _conditions(definition: Definition) -> Iterator[tuple[str, Keys]]:
    if isinstance(definition, SegmentDefinition) and definition.conditions is not None:
        yield "/conditions", definition.conditions.keys
    if not isinstance(definition, CampaignDefinition | BroadcastDefinition):
        return
    if isinstance(definition, BroadcastDefinition) and definition.audience is not None:
        yield "/recipients", definition.audience.keys
    for placed in parts.conditions(definition):
        yield placed.pointer, placed.condition.keys
    if isinstance(definition.trigger, EventTrigger):
        yield "/trigger", Keys(events=(definition.trigger.match,))
    if definition.goal is not None and definition.goal.event is not None:
        yield "/goal/event", Keys(events=(EventMatch("event", literal_name(definition.goal.event)),))


def _named(definition: Definition) -> Iterator[tuple[str, str]]:
    """Attributes of people named outside conditions: in templates, paths and scripts, and where blocks write them."""
    for at, value in definition.wire(compact=True).items():
        if at in _PROSE:
            continue
        for template in texts_below(value, (at,)):
            for match in _CUSTOMER.finditer(template.source):
                yield template.pointer, match[1] or match[2] or match[3]
    if isinstance(definition, CampaignDefinition | BroadcastDefinition):
        for key, block in definition.workflow.blocks.items():
            names: tuple[str, ...] = ()
            if isinstance(block, UpdatePerson | BatchUpdate):
                names = (*(block.set_ or {}), *(block.remove or ()))
            elif isinstance(block, QueryCollection) and block.store.customer is not None:
                names = (block.store.customer,)
            for name in names:
                yield pointer_of(("workflow", "blocks", key)), name.partition(".")[0]


__all__ = ["Usage", "User", "counts", "usage"]
