"""What a build asks of everybody: whether they match, or when their date comes, and when that may turn (PPL-41)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self

from domain.condition_keys import Keys
from domain.conditions import Condition, decide_at
from domain.dates import next_entry
from domain.definitions.triggers import DateTrigger
from domain.facts import Facts
from domain.journeys import FrequencyInterval
from domain.narrowing import PROFILE, Hint, Present, narrowing
from domain.paths import compile_path
from domain.subjects import Moment
from ingest.catalog import Campaign, Catalog, trigger_conditions, trigger_keys
from ingest.entry import previous_journeys, rounds_in
from store.journeys import JourneyRow
from store.people import Kept


@dataclass(frozen=True)
class Asked:
    """A condition, or the date trigger of the campaign; `pasts` are earlier journeys where an interval counts from them."""

    keys: Keys
    hint: Hint | None
    condition: Condition | None = None
    campaign: Campaign | None = None
    pasts: Mapping[int, Sequence[JourneyRow]] = field(default_factory=dict)

    @property
    def by_instant(self) -> bool:
        """Whether something happens at the instants themselves, so that none of them may be passed over."""
        return self.campaign is not None and (
            self.condition is None or isinstance(self.campaign.definition.often, FrequencyInterval)
        )

    def knowing(self, history: Sequence[JourneyRow]) -> Self:
        """The same, with these journeys for a past."""
        pasts: dict[int, list[JourneyRow]] = defaultdict(list)
        for row in history:
            pasts[row.person_id].append(row)
        return replace(self, pasts=pasts)

    def of(self, person_id: int, facts: Facts, moment: Moment, since: datetime) -> Kept:
        """What is to be kept of somebody at an instant; dates and checks from `since` on are still to come."""
        if self.condition is None:
            assert self.campaign is not None, "without a condition it is a date that is asked"
            trigger = self.campaign.definition.trigger
            assert isinstance(trigger, DateTrigger), "only dates have no condition"
            fire = next_entry(trigger, facts.attributes, since)
            return Kept(member=False, flips_at=None if fire is None else fire.at)
        decision = Kept(*decide_at(self.condition, facts, moment))
        if not decision.member or self.campaign is None or person_id not in self.pasts:
            return decision
        rounds = rounds_in(self.campaign, previous_journeys(self.pasts[person_id]))
        if rounds is None:
            return decision
        check = rounds.after(since)
        return Kept(member=True, flips_at=check if decision.flips_at is None else min(check, decision.flips_at))


def asked_of(catalog: Catalog, kind: str, ref_id: int) -> Asked | None:
    """What is asked for a segment or a campaign's trigger; None where it is gone, or nobody enters by it any more."""
    if kind == "segment":
        segment = catalog.segments.get(ref_id)
        return None if segment is None else _by_condition(segment.condition)
    campaign = next((campaign for campaign in catalog.compiled.matching if campaign.id == ref_id), None)
    if campaign is None:
        return None
    trigger = campaign.definition.trigger
    if isinstance(trigger, DateTrigger):
        # Who lacks the attribute has no date, whatever else they have.
        names = compile_path(trigger.field).keys
        hint = Present(tuple(sorted(names))) if names.isdisjoint(PROFILE) else None
        return Asked(trigger_keys(campaign), hint, campaign=campaign)
    return replace(_by_condition(trigger_conditions(campaign)), campaign=campaign)


def _by_condition(condition: Condition) -> Asked:
    return Asked(condition.keys, narrowing(condition), condition)


__all__ = ["Asked", "asked_of"]
