"""A campaign with a block of every kind of effect, and by a small function what each person's journey through it must be.

The function knows nothing of the engine: it is what the product is held against after everything was killed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

KEY: Final = "errand"
ENROL: Final = "enrol"
PAID: Final = "paid"
PAUSE: Final = 2
"""Seconds of the delay."""
PATIENCE: Final = 6
"""Seconds that somebody is waited for who never answers, from enrolling."""
FAR: Final = 6 * 3600
"""Seconds that somebody is waited for who will answer: never reached."""
Ending = Literal["pays", "cancels", "silent"]
ENDINGS: Final[tuple[Ending, ...]] = ("pays", "cancels", "silent")


def _email(subject: str, **fields: Any) -> dict[str, Any]:
    message = {"subject": f"{subject} {{{{ event.token }}}}", "body": "<p>Hello {{ customer.plan }}</p>"}
    return {"type": "email", "sending_state": "automatic", "message": message, **fields}


def _attribute(field: str, value: Any) -> dict[str, Any]:
    return {"attribute": {"field": field, "operator": "eq", "value": value}}


CAMPAIGN: Final[dict[str, Any]] = {
    "kind": "campaign",
    "key": KEY,
    "name": "Errand",
    "trigger": {"type": "event", "event": ENROL},
    "frequency": {"mode": "every"},
    "exit": "never",
    "workflow": {
        "start": "welcome",
        "blocks": {
            "welcome": _email("welcome", next="pause"),
            "pause": {"type": "time_delay", "duration": f"PT{PAUSE}S", "next": "tier"},
            "tier": {
                "type": "true_false",
                "conditions": _attribute("plan", "pro"),
                "then": "perk",
                "else": None,
                "join": "answer",
            },
            "perk": _email("perk"),
            "answer": {
                "type": "wait_until",
                "paths": [
                    {"key": "paid", "conditions": {"performed": {"event": PAID, "since": "trigger"}}, "next": "thanks"},
                    {"key": "cancelled", "conditions": _attribute("cancelled", value=True)},
                    {"key": "late", "event_time": {"field": "until"}, "next": "remind"},
                ],
                "join": "count",
            },
            "thanks": _email("thanks"),
            "remind": _email("remind"),
            "count": {
                "type": "update_person",
                "set": {"walked": {"liquid": "{{ customer.walked | default: 0 | plus: 1 }}"}},
                "next": "closing",
            },
            "closing": _email("closing", conditions=_attribute("quiet", value=False)),
        },
    },
}


@dataclass(frozen=True)
class Traveller:
    """One person: what they are, and how they behave while they are waited for."""

    number: int

    @property
    def id(self) -> str:
        """What the product calls them."""
        return f"traveller-{self.number}"

    @property
    def pro(self) -> bool:
        """On the better plan."""
        return self.number % 3 == 0

    @property
    def quiet(self) -> bool:
        """Wants no closing words."""
        return self.number % 5 == 0

    @property
    def ending(self) -> Ending:
        """How their wait ends."""
        return ENDINGS[self.number % 7 % 3]

    @property
    def attributes(self) -> dict[str, Any]:
        """What is told of them beforehand."""
        plan = "pro" if self.pro else "free"
        return {"email": f"{self.id}@example.com", "plan": plan, "quiet": self.quiet, "cancelled": False}


class Way(NamedTuple):
    """A journey as it must have been: block, outcome and path of each step, and the subjects that were sent."""

    steps: tuple[str, ...]
    subjects: tuple[str, ...]


def expected(person: Traveller) -> Way:
    """The way of a person through the campaign."""
    path = {"pays": "paid", "cancels": "cancelled", "silent": "late"}[person.ending]
    word = {"pays": "thanks", "cancels": None, "silent": "remind"}[person.ending]
    steps = ["welcome done", "pause done", f"tier branched {'then' if person.pro else 'else'}"]
    steps += ["perk done"] if person.pro else []
    steps += [f"answer branched {path}"]
    steps += [] if word is None else [f"{word} done"]
    steps += ["count done", f"closing {'skipped' if person.quiet else 'done'}"]
    sent = [step.split()[0] for step in steps if step.split()[0] in _EMAILS and step.endswith(" done")]
    return Way(tuple(steps), tuple(sorted(f"{block} {person.id}" for block in sent)))


_EMAILS: Final = frozenset({"welcome", "perk", "thanks", "remind", "closing"})

__all__ = ["CAMPAIGN", "ENROL", "FAR", "KEY", "PAID", "PATIENCE", "PAUSE", "Ending", "Traveller", "Way", "expected"]
