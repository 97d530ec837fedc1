"""Who plays in the demo, and what they do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MINUTE, HOUR, DAY = 60, 3600, 86400
NOW = object()
"""Stands for the present instant of the workspace in what a call says."""


@dataclass(frozen=True)
class Character:
    """Somebody in the demo."""

    name: str
    id: str
    email: str


@dataclass(frozen=True)
class Call:
    """One call of the client library about somebody; `identify` takes attributes, `track` an event and its data."""

    method: str
    who: str
    event: str | None = None
    says: Mapping[str, Any] = field(default_factory=dict)

    def filled(self, who: Character, now: int) -> tuple[list[Any], dict[str, Any]]:
        """The arguments after the id, and those with names."""
        said = {name: now if value is NOW else value for name, value in self.says.items()}
        if self.method == "identify":
            return [], {"email": who.email, "first_name": who.name, **said}
        return [self.event, *([said] if said else [])], {}


@dataclass(frozen=True)
class Send:
    """A transactional email to somebody, of a template and with data of its own."""

    template: str
    who: str
    says: Mapping[str, Any]

    def filled(self, who: Character) -> dict[str, Any]:
        """What the request holds, in the words of the client library."""
        named = {"to": who.email, "identifiers": {"id": who.id}}
        return {"transactional_message_id": self.template, **named, "message_data": dict(self.says)}


@dataclass(frozen=True)
class Trigger:
    """A broadcast is triggered for some people, and everything that follows at once happens."""

    broadcast: str
    whom: Sequence[str]
    says: Mapping[str, Any]


@dataclass(frozen=True)
class Move:
    """The clock moves to so many seconds after the beginning."""

    to: int


@dataclass(frozen=True)
class Settle:
    """Everything that can happen now happens."""


Step = Call | Send | Trigger | Move | Settle


@dataclass(frozen=True)
class Act:
    """A part of the demo with a title."""

    title: str
    steps: Sequence[Step]


def cast(run: int, *, live: bool = False) -> dict[str, Character]:
    """The people of one run; their ids carry its number."""
    names = ("Eve",) if live else ("Ann", "Ben", "Carla", "Dev")
    return {
        name.lower(): Character(name, f"{name.lower()}-{run}", f"{name.lower()}-{run}@example.com") for name in names
    }


def identify(who: str, **attributes: Any) -> Call:
    """Somebody becomes known, or better known."""
    return Call("identify", who, says=attributes)


def track(who: str, event: str, **data: Any) -> Call:
    """Somebody does something."""
    return Call("track", who, event, data)


LAVENDER = {"name": "Lavender", "quantity": 3}
SAGE = {"name": "Meadow sage", "quantity": 1}

SANDBOX_ACTS: Sequence[Act] = (
    Act(
        "Ann in Rome and Ben in New York open accounts; Carla fills a basket as a guest.",
        (
            identify("ann", timezone="Europe/Rome", created_at=NOW),
            identify("ben", timezone="America/New_York", created_at=NOW),
            identify("carla"),
            track("carla", "cart_updated", items=[LAVENDER]),
            Settle(),
        ),
    ),
    Act(
        "Ten minutes later the first letters go out. Carla changes her basket, so the older reminder steps aside.",
        (Move(10 * MINUTE), track("carla", "cart_updated", items=[LAVENDER, SAGE]), Settle()),
    ),
    Act(
        "Carla does nothing for an hour and is reminded. Dev starts the planner with a large garden: a branch.",
        (
            Move(70 * MINUTE),
            identify("dev"),
            track("dev", "planner_started", square_metres=140, name="Old orchard"),
            Settle(),
        ),
    ),
    Act(
        "Carla orders: her journey's goal, so the second reminder is never sent. The shop's server asks for her receipt.",
        (
            Move(3 * HOUR),
            track("carla", "order_placed", total=41.5),
            Send("receipt", "carla", {"order": "L-1041", "total": "41.50"}),
            Settle(),
        ),
    ),
    Act(
        "A day later Ann looks at a plant, and Dev plans a bed: the waiting journey wakes at once.",
        (
            Move(DAY),
            identify("ann", last_viewed="meadow sage"),
            track("ann", "plant_viewed", name="Meadow sage"),
            track("dev", "bed_planned", plants=5),
            Settle(),
        ),
    ),
    Act(
        "Three days after hello, on a weekday between 8 and 11 in Rome and in New York, the paths part.",
        (Move(6 * DAY),),
    ),
    Act(
        "The night will be cold. The weather desk triggers a broadcast: one call, a letter to each of four people.",
        (Trigger("frost-warning", ("ann", "ben", "carla", "dev"), {"region": "the valleys", "degrees": -6}),),
    ),
    Act(
        "Ann orders and leaves; Ben gets the last letter a week later and is through.",
        (track("ann", "order_placed", total=18.0), Settle(), Move(14 * DAY)),
    ),
)

LIVE_ACT = Act(
    "Eve orders, and leaves a review as soon as her parcel is on its way.",
    (
        identify("eve"),
        track("eve", "order_placed", plant="Meadow sage", total=9.5),
        track("eve", "review_left", stars=5),
    ),
)

__all__ = [
    "LIVE_ACT",
    "NOW",
    "SANDBOX_ACTS",
    "Act",
    "Call",
    "Character",
    "Move",
    "Send",
    "Settle",
    "Step",
    "Trigger",
    "cast",
]
