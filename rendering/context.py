"""What a template can read: the roots of its variables, built from plain data (MSG-02, MSG-04)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple, Protocol

from rendering.links import UNSENT
from rendering.snippets import Snippets
from rendering.tags import PREFERENCES_URL, UNSUBSCRIBE_URL, VIEW_URL

CAMPAIGN_TYPES: Final[Mapping[str, str]] = {
    "segment": "behavioral",
    "event": "transactional",
    "transactional": "transactional_message",
    "broadcast": "triggered_broadcast",
}
"""What templates call the types of triggers that have another name there (MSG-04)."""
EDITORS: Final[Mapping[str, str]] = {"drag_and_drop": "bee", "code": "html", "rich_text": "rich"}
"""What templates call the editors; the rest has no name (MSG-04)."""


class _Nobody(Mapping[str, str]):
    """Somebody who is not there: whatever is asked of them, the answer is an empty text."""

    def __getitem__(self, _name: str) -> str:
        return ""

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __str__(self) -> str:
        return ""


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
    view_url: str | None = None,
    preferences_url: str | None = None,
    snippets: Snippets | None = None,
) -> dict[str, Any]:
    """The variables of a template in a journey.

    `customer` holds the attributes, identifiers included; `event` is what a journey keeps of its trigger event (`name`,
    `id`, `timestamp`, `data`), None where conditions triggered it. `trigger` is a payload, or what is kept of the object,
    relationship and person that triggered; without one there is no root `trigger`. `objects` are those that the person is
    related to, by the word of their type; `thing` is the object that triggered, as it is now. The links are those of this
    message; where one is not given, its tag fails.
    """
    context: dict[str, Any] = {
        "customer": customer,
        "journey": journey,
        "campaign": _campaign(campaign),
        "delivery_id": delivery_id or UNSENT,
        "editor": "",
        "snippets": snippets if snippets is not None else Snippets(),
        "objects": objects or {},
    }
    if event:
        context |= _event(event)
    if trigger is not None:
        context["trigger"] = trigger
    if thing is not None:
        # Paths of values name these; what triggers, as it was then, is below `trigger`.
        context["object"] = thing.object
        if thing.relationship is not None:
            context["relationship"] = thing.relationship
    if message is not None:
        context["message"] = {"id": message.id, "name": message.name, "type": message.type, "journey_id": journey_id}
    for name, url in ((UNSUBSCRIBE_URL, unsubscribe_url), (VIEW_URL, view_url), (PREFERENCES_URL, preferences_url)):
        if url is not None:
            context[name] = url
    return context


def with_content(context: Mapping[str, Any], content: Any, *, to_everyone: bool | None = None) -> dict[str, Any]:
    """The variables with what is known of a message when it is chosen: the templates of its headlines, its editor (MSG-04).

    `to_everyone` says whether it goes to people who are unsubscribed as well.
    """
    known = {
        "subject": getattr(content, "subject", None),
        "preheader": getattr(content, "preheader", None),
        "send_to_unsubs": to_everyone,
    }
    message = {**context.get("message", {}), **{name: value for name, value in known.items() if value is not None}}
    return {**context, "message": message, "editor": EDITORS.get(getattr(content, "editor", ""), "")}


@lru_cache(maxsize=256)
def _campaign(campaign: CampaignNames) -> dict[str, Any]:
    """The campaign; a transactional send has none, so that its name is missing (MSG-04)."""
    found = {"id": campaign.id, "key": campaign.key, "name": campaign.name}
    if campaign.trigger_type == "transactional":
        del found["name"]
    return {**found, "type": CAMPAIGN_TYPES.get(campaign.trigger_type, campaign.trigger_type)}


def _event(event: Mapping[str, Any]) -> dict[str, Any]:
    """The triggering event; without one there is no root `event`, so that using it fails (MSG-05)."""
    named = {"event": "data", "event_name": "name", "event_id": "id", "event_timestamp": "timestamp"}
    return {name: event[key] for name, key in named.items() if event.get(key) is not None}


__all__ = [
    "CAMPAIGN_TYPES",
    "EDITORS",
    "NOBODY",
    "CampaignNames",
    "MessageNames",
    "message_context",
    "with_content",
]
