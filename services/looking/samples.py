"""The facts a condition is tried on: those of somebody, or out of thin air, with what was said besides laid over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from domain.condition_keys import Keys
from domain.definitions import ObjectTypeDefinition
from domain.errors import InvalidInput, NotFound, Problem
from domain.facts import EventFact, Facts, JourneyFacts, Position, RelatedFact
from domain.ids import cio_id
from domain.problems import pointer_of
from domain.samples import NamedPerson, SampleContext, SampleEvent
from domain.values import from_unix
from ingest.catalog import Catalog
from ingest.journey_views import journey_context
from ingest.reading import read_facts
from services.looking import people
from services.looking.journeys import stored
from store.database import Connection
from store.journeys import JourneyRow
from store.reads import candidates as reads

LAST: Final = 2**63 - 1
"""The sequence of what is made up: after everything that really happened at its instant."""
AT: Final = "/context"
"""Where a context stands in the request."""
_RELATIONSHIP: Final = "relationship"


async def sample_facts(conn: Connection, catalog: Catalog, context: SampleContext, keys: Keys, now: datetime) -> Facts:
    """What these keys look at in a context.

    Raises NotFound for a person or a journey, InvalidInput for what cannot be meant.
    """
    past = None if context.journey_id is None else await stored(conn, catalog.workspace_id, context.journey_id)
    facts = await _of_person(conn, catalog, await _number(conn, catalog, context, past), keys, now)
    if context.attributes is not None:
        facts = replace(facts, attributes={**facts.attributes, **context.attributes})
    if context.objects is not None:
        facts = replace(facts, related=_related(catalog, context.objects, f"{AT}/objects"))
    return replace(facts, journey=_journey(context, past, now))


async def _number(conn: Connection, catalog: Catalog, context: SampleContext, past: JourneyRow | None) -> int | None:
    """Who is meant, by internal number; None for nobody in particular."""
    if context.customer is not None:
        return await _named(conn, catalog, context.customer, f"{AT}/customer")
    return None if past is None else past.person_id


async def _named(conn: Connection, catalog: Catalog, customer: NamedPerson, base: str) -> int:
    found: set[int] = set()
    if customer.email is not None and catalog.settings.identifiers == "id_only":
        message = "Nobody is named by an address in this workspace; use id or cio_id."
        raise InvalidInput([Problem(code="not_applicable", pointer=f"{base}/email", message=message)])
    for kind, name in customer.names.items():
        found.add((await people.named(conn, catalog.workspace_id, name, kind)).person_id)  # type: ignore[arg-type]
    if len(found) > 1:
        message = "These names belong to different people."
        raise InvalidInput([Problem(code="not_applicable", pointer=base, message=message)])
    return found.pop()


async def _of_person(conn: Connection, catalog: Catalog, number: int | None, keys: Keys, now: datetime) -> Facts:
    if number is None:
        return Facts(
            attributes={}, age_start=now, segment_ids=catalog.segment_ids, directory=catalog.compiled.directory
        )
    rows = await reads.by_numbers(conn, catalog.workspace_id, [number])
    if not rows:
        raise NotFound("customer", cio_id(number))
    return (await read_facts(conn, catalog, rows, keys))[number]


def _related(catalog: Catalog, objects: Mapping[str, Sequence[Mapping[str, Any]]], base: str) -> list[RelatedFact]:
    entries = catalog.compiled.others.get("object_type", ())
    types = {e.definition.slug: e.id for e in entries if isinstance(e.definition, ObjectTypeDefinition)}
    unknown = [
        Problem(
            code="unknown_reference",
            pointer=pointer_of((slug,), base),
            message=f"No object type has the slug {slug!r}.",
        )
        for slug in objects
        if slug not in types
    ]
    if unknown:
        raise InvalidInput(unknown)
    related: list[RelatedFact] = []
    for slug, things in objects.items():
        for thing in things:
            edge = thing.get(_RELATIONSHIP)
            own = {name: value for name, value in thing.items() if name != _RELATIONSHIP}
            related.append(RelatedFact(types[slug], own, edge if isinstance(edge, Mapping) else {}))
    return related


def _journey(context: SampleContext, past: JourneyRow | None, now: datetime) -> JourneyFacts | None:
    """The journey as it would be seen; None where nothing says that there is one."""
    before = None if past is None else journey_context(past)
    said = (context.event, context.trigger, context.journey)
    if all(part is None for part in said):
        return before
    event = before.trigger_event if before is not None else None
    if context.event is not None:
        event = _event(context.event, now)
    started = event.position if event is not None else Position(now, LAST)
    facts = before if before is not None else JourneyFacts(journey_id="", started=started)
    return replace(
        facts,
        attributes=facts.attributes if context.journey is None else context.journey,
        trigger_event=event,
        trigger=facts.trigger if context.trigger is None else context.trigger,
    )


def _event(given: SampleEvent, now: datetime) -> EventFact:
    at = now if given.timestamp is None else from_unix(given.timestamp)
    return EventFact(given.name.strip(), at, LAST, given.data, "event", given.id)


__all__ = ["sample_facts"]
