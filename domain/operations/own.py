"""Operations of our own making."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from domain.ids import cio_id
from domain.operations.base import Operation


class Reevaluate(Operation):
    """Look again at one person's memberships: the clock or somebody else's change may have moved them.

    `refs` are (kind, id) pairs of memberships (`segment`, `trigger`). `why` is `clear` or `clear_mute` where a manual
    segment is emptied, which the person leaves then (PPL-43). With `records`, what conditions look at besides attributes
    and events has changed: words of `domain.condition_keys.Keys.records`. `instants` are the microseconds since 1970 that had
    come of each of `refs`, where the clock asks.
    """

    op: Literal["reevaluate"] = "reevaluate"
    person_id: int
    refs: list[tuple[Literal["segment", "trigger"], int]]
    why: Literal["flip", "build", "clear", "clear_mute", "records"] = "flip"
    records: list[str] = Field(default_factory=list)
    instants: list[int] = Field(default_factory=list)

    def extra_keys(self) -> list[str]:
        """The person by internal number."""
        return [f"p:{self.person_id}"]


class ReevaluateRelated(Operation):
    """Look again at everybody related to an object or in a journey of it, some at a time: it has changed (PPL-39).

    `after` is the internal number of the last person who has been seen to.
    """

    op: Literal["reevaluate_related"] = "reevaluate_related"
    object_no: int
    after: int = 0

    def extra_keys(self) -> list[str]:
        """The object by internal number."""
        return [f"o:{self.object_no}"]


class FanOut(Operation):
    """Find out whom something that happened to an object or a relationship is for, some at a time (CMP-07, CMP-08).

    `entry` names the occurrence, `at` and `seq` are its position (0: that of this fact), `data` what Liquid will see of it,
    `trigger_person` whose relationship it is. With `each`, every relationship that fits is an occurrence of its own: the
    campaign starts with those that are there. `found` are the people found up to the one `after` which it goes on. `since` is
    what was last accepted before a campaign started with what was there: what has come after it begins by itself.
    """

    op: Literal["fan_out"] = "fan_out"
    campaign_id: int
    object_no: int
    entry: str
    at: datetime
    seq: int = 0
    data: dict[str, Any]
    trigger_person: int | None = None
    each: bool = False
    since: int | None = None
    after: int = 0
    found: list[int] = Field(default_factory=list)

    def extra_keys(self) -> list[str]:
        """The object by internal number, and whose data it holds, so that these go with them."""
        return [f"o:{self.object_no}", *_owner(self.trigger_person)]


class EnterCampaign(Operation):
    """Begin a journey of one person for an occurrence that concerned others as well; `trigger` is what the journey keeps.

    With `since` only unless a fact after it has begun one of the same object already.
    """

    op: Literal["enter_campaign"] = "enter_campaign"
    person_id: int
    campaign_id: int
    entry: str
    at: datetime
    seq: int
    trigger: dict[str, Any]
    since: int | None = None

    def extra_keys(self) -> list[str]:
        """The person by internal number, and whose data it holds, so that these go with them."""
        return [f"p:{self.person_id}", *_owner(self.person_id), *_owner(self.trigger.get("person"))]


def _owner(person_id: int | None) -> list[str]:
    return [] if person_id is None else [f"cio_id:{cio_id(person_id)}"]


class StartByPayload(Operation):
    """Begin a journey of a webhook campaign whose subject is what was sent (CMP-09).

    `journey_id` was made when the call was accepted, so that its answer can name it. No two of these concern each other.
    """

    op: Literal["webhook_entry"] = "webhook_entry"
    campaign_id: int
    journey_id: str
    payload: Any = None


__all__ = ["EnterCampaign", "FanOut", "Reevaluate", "ReevaluateRelated", "StartByPayload"]
