"""How little of people's past has to be read to apply some facts to them, person by person."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from domain.condition_keys import DEVICES, RELATED, Keys, messages_that
from domain.deliveries import EVENTS
from domain.operations import (
    AddDevice,
    AnonymousEvent,
    AnyOperation,
    ChangeRelationships,
    DeleteDevice,
    EnterCampaign,
    Identify,
    Name,
    Reevaluate,
    ReportDelivery,
    SegmentMember,
    SendTransactional,
    TrackEvent,
    Unsubscribe,
)
from ingest.catalog import Compiled
from ingest.claim import Fact, owners_of
from ingest.events import LAST_VISIT
from ingest.key_needs import need_of
from ingest.touching import Coming, EventName
from store.people import NOTHING, Need

KeysNeeded = Callable[[Compiled, AnyOperation], Keys]
MOST_KINDS = 10_000
"""For how many kinds of facts it is remembered what they need; callers may send as many as they like."""
_NAMES = frozenset({"id", "email", "cio_id"})
_REPORTED = frozenset(map(messages_that, EVENTS))
_Node = int | Name


def keys_needed(compiled: Compiled, operation: AnyOperation) -> Keys:
    """What applying the operation may look at, whomever it turns out to be about."""
    coming = _coming(operation)
    if isinstance(operation, ChangeRelationships) and compiled.by_relationship:
        began = frozenset(("trigger", campaign.id) for found in compiled.by_relationship.values() for campaign in found)
        coming = coming._replace(refs=coming.refs | began)
    return compiled.keys_touched(coming)


def _coming(operation: AnyOperation) -> Coming:
    attributes: frozenset[str] = frozenset()
    events: frozenset[EventName] = frozenset()
    refs: frozenset[tuple[str, int]] = frozenset()
    records: frozenset[str] = frozenset()
    match operation:
        case Identify():
            attributes = _NAMES.union(operation.attributes, (name.partition(".")[0] for name in operation.attributes))
        case TrackEvent() | AnonymousEvent():
            events = frozenset({EventName(operation.type, operation.name.strip())})
            attributes = frozenset({LAST_VISIT}) if operation.type in ("page", "screen") else attributes
        case Unsubscribe():
            attributes, records = frozenset({"unsubscribed"}), frozenset({messages_that("unsubscribed")})
        case AddDevice() | DeleteDevice():
            attributes, records = _NAMES, frozenset({DEVICES})
        case ChangeRelationships():
            attributes, records = _NAMES, frozenset({RELATED})
        case SendTransactional():
            attributes = _NAMES
            records = frozenset({DEVICES}) if operation.device is not None else records
        case ReportDelivery():
            records = _REPORTED
        case Reevaluate():
            refs, records = frozenset(operation.refs), frozenset(operation.records)
        case EnterCampaign():
            refs = frozenset({("trigger", operation.campaign_id)})
        case SegmentMember():
            attributes, refs = _NAMES, frozenset({("segment", operation.segment_id)})
        case _:
            attributes = _NAMES
    return Coming(attributes, events, refs, records)


class Needs:
    """What is read of the past of those whom some facts concern; `keys` says how much one fact looks at."""

    def __init__(self, compiled: Compiled, keys: KeysNeeded = keys_needed) -> None:
        self.compiled = compiled
        self._keys = keys
        self._known: dict[object, Need] = {}

    def of(self, operation: AnyOperation) -> Need:
        """What one fact needs; most are like one before, for which it was found out already."""
        kind = _kind(operation)
        found = self._known.get(kind) if kind is not None else None
        if found is None:
            found = need_of(self._keys(self.compiled, operation))
            if kind is not None:
                if len(self._known) >= MOST_KINDS:
                    self._known.clear()
                self._known[kind] = found
        return found

    def by_person(self, facts: Sequence[Fact], known: Mapping[Name, int]) -> dict[int, Need]:
        """What is needed of each person; facts may make others of the names they share, so these count as one."""
        groups = _Groups()
        wanted: list[tuple[_Node, Need]] = []
        for fact in facts:
            node = groups.join([known.get(name, name) for name in fact.names], owners_of(fact, known))
            need = self.of(fact.operation)
            if node is not None and need is not NOTHING:
                wanted.append((node, need))
        together: dict[_Node, Need] = {}
        for node, need in wanted:
            top = groups.top(node)
            together[top] = together.get(top, NOTHING) | need
        found = ((number, together.get(groups.top(number), NOTHING)) for number in groups.numbers())
        return {number: need for number, need in found if need is not NOTHING}


def _kind(operation: AnyOperation) -> object | None:
    """What operations have in common that need the same, None for those that are rare."""
    if isinstance(operation, Identify):
        return frozenset(operation.attributes)
    return (operation.type, operation.name) if isinstance(operation, (TrackEvent, AnonymousEvent)) else None


class _Groups:
    """People and names nobody has yet, together where a fact mentions them together."""

    def __init__(self) -> None:
        self._above: dict[_Node, _Node] = {}

    def join(self, nodes: Iterable[_Node], others: Iterable[_Node]) -> _Node | None:
        """Put all of them together; one of them, None where there are none."""
        first: _Node | None = None
        for node in (*nodes, *others):
            top = self.top(node)
            if first is None:
                first = top
            elif top != first:
                self._above[top] = first
        return first

    def top(self, node: _Node) -> _Node:
        """The one that stands for its group."""
        above = self._above
        over = above.setdefault(node, node)
        while over != node:
            above[node] = above[over]
            node, over = over, above[over]
        return node

    def numbers(self) -> list[int]:
        """The people and objects among them."""
        return [node for node in self._above if isinstance(node, int)]


__all__ = ["KeysNeeded", "Needs", "keys_needed"]
