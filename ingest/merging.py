"""Two people become one: what goes over to the primary, and what follows from it (PPL-07, PPL-08, API-09)."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Literal

from domain.facts import Position
from domain.journeys import Allowed, entry_allowed
from domain.operations import Identifier, MergePeople
from domain.outcomes import Done
from domain.subscriptions import PREFERENCES, filled_preferences
from domain.values import is_blank
from ingest.anonymous import bind_id
from ingest.catalog import Campaign
from ingest.conversions import inherit
from ingest.creation import owner_of
from ingest.entry import previous_journeys
from ingest.settle import Change, settle
from ingest.unit import NAMES, Person, Unit
from store import journeys, merges
from store.journeys import JourneyRow

How = Literal["api", "automatic", "identifiers"]
MERGED = "The person was merged into another who is in the campaign already."
INHERITED = "Inherited in a merge."
MERGED_OVER = "The person was merged into another who has been in the campaign already."


async def merge(unit: Unit, operation: MergePeople, at: Position) -> Done:
    """Merge by call: nothing happens without the primary, nor where both are the same."""
    if any(unit.is_suppressed(who) for who in operation.identifiers()):
        return Done("suppressed")
    primary, secondary = owner_of(unit, operation.primary), owner_of(unit, operation.secondary)
    if primary is None:
        return Done("ignored", secondary.person_id if secondary else None, "The primary does not exist.")
    if secondary is None:
        if operation.bind_unknown:
            return await bind_id(unit, primary, operation.secondary.value, at)
        return Done("ignored", primary.person_id, "The secondary does not exist.")
    if primary is secondary:
        return Done("ignored", primary.person_id, "Primary and secondary are the same person.")
    merged = await merge_people(unit, primary, secondary, at, how="api")
    return Done("applied", merged.person_id, f"Merged into cio_id {merged.cio_id}.")


async def merge_automatically(unit: Unit, one: Person, other: Person, at: Position) -> Person | None:
    """Merge the two people that one identify names, where that is wanted and neither loses a name (PPL-08).

    The older is the primary. None where they stay two.
    """
    if not unit.catalog.settings.multi_identifier_merge or unit.catalog.settings.identifiers != "email_or_id":
        return None
    by_id, by_email = (one, other) if one.id is not None else (other, one)
    if by_id.email is not None or by_email.id is not None or by_id.id is None or by_email.email is None:
        return None
    ages = sorted((one, other), key=lambda person: (person.row.created_at, person.person_id))
    return await merge_people(unit, ages[0], ages[1], at, how="automatic")


async def merge_people(unit: Unit, primary: Person, secondary: Person, at: Position, *, how: How) -> Person:
    """Move everything of the secondary to the primary and settle the primary; returns the primary as it is now."""
    await unit.reload([primary.person_id, secondary.person_id])
    primary, secondary = unit.people[primary.person_id], unit.people[secondary.person_id]
    before = unit.facts_of(primary)
    await _merge_journeys(unit, primary, secondary)
    changed = _fill(unit, primary, secondary)
    compiled = unit.catalog.compiled
    inherited = frozenset(set(compiled.manual_segments) & secondary.segments - primary.segments)
    # Who is in an archived one is in it when it comes back; nothing follows until then.
    resting = {segment.id for segment in compiled.archived_segments.values() if segment.manual}
    for segment_id in sorted(inherited | (resting & secondary.segments - primary.segments)):
        unit.set_membership(primary, ("segment", segment_id), True, None)
        unit.count("segment", segment_id, "members")
    for segment_id in sorted(secondary.segments):
        unit.count("segment", segment_id, "members", -1)
    for name in (*secondary.row.attributes, *secondary.kinds):
        unit.seen.held("attribute", name, -1)
    unit.count("workspace", 0, "people", -1)
    await inherit(unit, primary, secondary, at)
    unit.people.pop(secondary.person_id)
    await unit.flush()
    await merges.move(
        unit.conn,
        unit.catalog.workspace_id,
        primary=primary.person_id,
        secondary=secondary.person_id,
        now=unit.now,
    )
    unit.names = {
        name: primary.person_id if owner == secondary.person_id else owner for name, owner in unit.names.items()
    }
    unit.names[Identifier(kind="cio_id", value=secondary.cio_id).name] = None
    await unit.reload([primary.person_id])
    merged = unit.people[primary.person_id]
    data: dict[str, Any] = {"cio_id": secondary.cio_id, "source": how}
    unit.record(merged, "profile_merge", None, data, at)
    for segment_id in sorted(inherited):
        segment = unit.catalog.compiled.manual_segments[segment_id]
        told = {"segment_id": segment_id, "segment": segment.key, "reason": INHERITED}
        unit.record(merged, "segment_enter", segment.name, told, at)
    change = Change(before, at, attributes=frozenset(changed), moved=inherited, everything=True)
    await settle(unit, merged, change)
    return merged


def _fill(unit: Unit, primary: Person, secondary: Person) -> set[str]:
    """What the primary lacks comes from the secondary: names, attributes, preferences; returns what changed."""
    row, other = primary.row, secondary.row
    changed: set[str] = set()
    for kind in NAMES:
        value = getattr(other, kind)
        if value is None:
            continue
        name = Identifier(kind=kind, value=value).name
        unit.name(name, None)
        if getattr(row, kind) is None:
            setattr(row, kind, value)
            unit.name(name, row.person_id)
            unit.seen.held("attribute", kind, 1)
            changed.add(kind)
    attributes, times = dict(row.attributes), dict(row.attribute_times)
    for attribute, value in other.attributes.items():
        if attribute == PREFERENCES and attribute in attributes:
            filled = filled_preferences(attributes[attribute], value)
            if filled != attributes[attribute]:
                attributes[attribute] = filled
                changed.add(attribute)
        elif attribute not in attributes or is_blank(attributes[attribute]):
            attributes[attribute] = value
            times[attribute] = other.attribute_times.get(attribute, 0)
            unit.seen.held("attribute", attribute, 1)
            changed.add(attribute)
    row.attributes, row.attribute_times = attributes, times
    row.age_start = min(row.age_start, other.age_start)
    primary.changed = True
    primary.touch()
    return changed


async def _merge_journeys(unit: Unit, primary: Person, secondary: Person) -> None:
    """The secondary's journeys go on as the primary's, but where the primary is or has been in the campaign itself."""
    conn, workspace_id = unit.conn, unit.catalog.workspace_id
    mine: dict[int, list[JourneyRow]] = defaultdict(list)
    entries: dict[int, set[str]] = defaultdict(set)
    for row in await journeys.all_of(conn, workspace_id, primary.person_id):
        mine[row.campaign_id].append(row)
        entries[row.campaign_id].add(row.entry)
    for row in list(secondary.journeys):
        explanation = _why_over(unit.catalog.campaigns.get(row.campaign_id), row, mine[row.campaign_id])
        if explanation is not None:
            unit.end_journey(
                secondary, row, state="exited_early", reason="merged", explanation=explanation, why="merged"
            )
    renamed: dict[str, str] = {}
    for row in await journeys.all_of(conn, workspace_id, secondary.person_id):
        taken = entries[row.campaign_id]
        entry = (
            row.entry
            if row.entry not in taken
            else str(1 + max((int(one) for one in taken if one.isdigit()), default=0))
        )
        if entry != row.entry:
            renamed[row.journey_id] = entry
        taken.add(entry)
    await unit.flush()
    await journeys.hand_over(conn, workspace_id, secondary.person_id, primary.person_id, renamed)


def _why_over(campaign: Campaign | None, journey: JourneyRow, known: list[JourneyRow]) -> str | None:
    """Why an active journey of the secondary ends; None where it goes on."""
    if any(row.active for row in known):
        return MERGED
    if not known or campaign is None:
        return None
    started = Position(journey.started_at, journey.started_seq)
    allowed = entry_allowed(campaign.definition.often, previous_journeys(known), started, one_at_a_time=journey.single)
    return None if isinstance(allowed, Allowed) else MERGED_OVER


__all__ = ["How", "merge", "merge_automatically", "merge_people"]
