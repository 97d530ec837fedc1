"""What a template can read: the roots of its variables, built from plain data (MSG-02, MSG-04)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple, Protocol

from rendering.links import UNSENT
from rendering.tags import UNSUBSCRIBE_URL

CAMPAIGN_TYPES = {"segment": "behavioral", "event": "transactional"}
"""What templates call the types of triggers (MSG-04)."""


class _Nobody(Mapping[str, str]):
    """Somebody who is not there: whatever is asked of them, the answer is an empty text."""

    def __getitem__(self, _name: str) -> str:
        return ""

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


NOBODY: Final[Mapping[str, str]] = _Nobody()
"""The customer of a journey in which nobody travels (CMP-09)."""


class CampaignNames(NamedTuple):
    """The campaign as templates see it; `trigger_type` is the word of its document."""

    id: int
    key: str
    name: str
    trigger_type: str


class Triggering(Protocol):
    """The object that triggered the journey, as it is now; `relationship` is None where the person is not related to it."""

    @property
    def object(self) -> Mapping[str, Any]:
        """Its attributes and identifiers."""

    @property
    def relationship(self) -> Mapping[str, Any] | None:
        """What is said of the relationship."""


class MessageNames(NamedTuple):
    """The message as templates see it; `type` is the word of the vendor, such as `email_action`."""

    id: int
    name: str
    type: str


def message_context(
    *,
    customer: Mapping[str, Any],
    event: Mapping[str, Any] | None,
    trigger: Any = None,
    journey: Mapping[str, Any],
    journey_id: str | None,
    campaign: CampaignNames,
    objects: Mapping[str, Any] | None = None,
    thing: Triggering | None = None,
    message: MessageNames | None = None,
    delivery_id: str | None = None,
    unsubscribe_url: str | None = None,
) -> dict[str, Any]:
    """The variables of a template in a journey.

    `customer` holds the attributes, identifiers included; `event` is what a journey keeps of its trigger event (`name`,
    `id`, `timestamp`, `data`), None where conditions triggered it. `trigger` is a payload, or what is kept of the object,
    relationship and person that triggered; without one there is no root `trigger`. `objects` are those that the person is
    related to, by the word of their type; `thing` is the object that triggered, as it is now.
    """
    context: dict[str, Any] = {
        "customer": customer,
        "journey": journey,
        "campaign": {
            "id": campaign.id,
            "key": campaign.key,
            "name": campaign.name,
            "type": CAMPAIGN_TYPES.get(campaign.trigger_type, campaign.trigger_type),
        },
        "delivery_id": delivery_id or UNSENT,
        "snippets": {},
        "objects": objects or {},
    }
    context |= _event(event or {})
    if trigger is not None:
        context["trigger"] = trigger
    if thing is not None:
        # Paths of values name these; what triggers, as it was then, is below `trigger`.
        context["object"] = thing.object
        if thing.relationship is not None:
            context["relationship"] = thing.relationship
    if message is not None:
        context["message"] = {"id": message.id, "name": message.name, "type": message.type, "journey_id": journey_id}
    if unsubscribe_url is not None:
        context[UNSUBSCRIBE_URL] = unsubscribe_url
    return context


def _event(event: Mapping[str, Any]) -> dict[str, Any]:
    """The triggering event; without one there is no root `event`, so that using it fails (MSG-05)."""
    named = {"event": "data", "event_name": "name", "event_id": "id", "event_timestamp": "timestamp"}
    return {name: event[key] for name, key in named.items() if event.get(key) is not None}


__all__ = ["CAMPAIGN_TYPES", "NOBODY", "CampaignNames", "MessageNames", "message_context"]
