"""Date triggers: when a person's date next begins the campaign, and whether it has just come (CMP-05)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from domain.dates import Fire, entry_at, next_entry
from domain.definitions.triggers import DateTrigger
from domain.facts import Facts
from domain.values import to_unix
from ingest.catalog import Campaign
from ingest.unit import Person, Unit


def follow_date(
    unit: Unit, person: Person, campaign: Campaign, *, written: datetime, before: Facts, came: datetime | None
) -> Fire | None:
    """Keep when the person's date next begins the campaign; the fire that has come, if one has.

    `came` is the instant for which the clock asked. Where the clock has not asked yet, or a fact is applied late, the order
    of instants decides: what was `written` before a fire counts for it, what was written at it or later does not.
    """
    trigger = campaign.definition.trigger
    assert isinstance(trigger, DateTrigger), "only dates are followed"
    key, now, seen = ("trigger", campaign.id), unit.now, unit.facts_of(person).attributes
    kept = person.memberships.get(key)
    asked = kept.flips_at if kept is not None and kept.flips_at is not None and kept.flips_at <= now else None
    coming = next_entry(trigger, seen, now)
    unit.set_membership(person, key, False, None if coming is None else coming.at)
    started = campaign.started_at
    if started is None:
        return None
    for instant in (came, asked):
        if instant is not None and instant > started:
            fire = entry_at(trigger, seen if written < instant or instant == came else before.attributes, instant)
            if fire is not None:
                return fire
    if person.fresh or written < now:
        late = next_entry(trigger, seen, max(written, started))
        return late if late is not None and late.at <= now else None
    return None


def snapshot(fire: Fire) -> dict[str, Any]:
    """What a journey keeps of the day that began it."""
    return {"date": {"at": to_unix(fire.at), "day": fire.day.isoformat()}}


def day_of(trigger: Mapping[str, Any]) -> date | None:
    """The day that began a journey, from what it keeps; None where something else did."""
    kept = trigger.get("date")
    return date.fromisoformat(kept["day"]) if isinstance(kept, Mapping) and "day" in kept else None


__all__ = ["day_of", "follow_date", "snapshot"]
