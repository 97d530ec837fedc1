"""The vendor's words for activities, and ours behind them (APP-09)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

METRICS: Final = (
    "attempted",
    "bounced",
    "clicked",
    "converted",
    "deferred",
    "delivered",
    "drafted",
    "dropped",
    "failed",
    "opened",
    "sent",
    "undeliverable",
)
CHANNELS: Final = ("action", "email", "in_app", "push", "slack", "twilio", "webhook", "whatsapp")
_CHANNEL_WORDS: Final[Mapping[str, str]] = {"sms": "twilio"}
_CHANNELS_BEHIND: Final[Mapping[str, str]] = {word: channel for channel, word in _CHANNEL_WORDS.items()}
_OWN_SUPPRESSION: Final = frozenset({"twilio", "whatsapp"})
"""Channels where the vendor tells a suppressed message from a dropped one."""
_MISSPELLED: Final[Mapping[str, str]] = {"dropped_whatasapp": "dropped_whatsapp"}
DELIVERY_TYPES: Final[Mapping[str, str]] = {"email": "email", "sms": "phone"}

METRIC_TYPES: Final = frozenset(
    {f"{metric}_{channel}" for metric in METRICS for channel in CHANNELS}
    | {"spammed_email", "suppressed_twilio", "suppressed_whatsapp"}
    | set(_MISSPELLED)
)
"""What becomes of messages, by channel."""
_UNMADE: Final = frozenset(
    {
        "topic_unsubscribed_email",
        "unsubscribed_action",
        "clicked_content",
        "converted_content",
        "viewed_content",
        "webhook_event",
    }
)
"""Types that nothing here leads to: asking for one is no mistake."""
_LINES: Final = frozenset(
    {
        "add_relationship",
        "anon_merge",
        "attribute_change",
        "delete_relationship",
        "device_change",
        "event",
        "failed_attribute_change",
        "failed_batch_update",
        "failed_event",
        "failed_object_journeys",
        "failed_query_collection",
        "page",
        "profile_create",
        "profile_delete",
        "profile_merge",
        "relationship_attribute_change",
        "relationship_failed_attribute_change",
        "screen",
        "skipped_update",
        "unsubscribed_email",
    }
)
_OURS: Final = frozenset({"segment_enter", "segment_leave", "resubscribed", "group"})
KNOWN: Final = METRIC_TYPES | _UNMADE | _LINES | _OURS
"""Every type that may be asked for, those of objects and relationships apart."""

_PUBLIC: Final[Mapping[str, str]] = {"person_created": "profile_create", "unsubscribed": "unsubscribed_email"}


def public_type(stored: str) -> str:
    """The vendor's word for a type of line that we keep."""
    return _PUBLIC.get(stored, stored)


def stored_types(public: str) -> list[str]:
    """The types of lines behind a word."""
    return [public, *(stored for stored, word in _PUBLIC.items() if word == public)]


def spelled(word: str) -> str:
    """The word without the misspelling that the vendor's list has."""
    return _MISSPELLED.get(word, word)


def metric_type(metric: str, channel: str) -> str:
    """The type of what became of a message."""
    word = _CHANNEL_WORDS.get(channel, channel)
    if metric == "suppressed" and word not in _OWN_SUPPRESSION:
        metric = "dropped"
    return f"{metric}_{word}"


def metric_of(public: str) -> tuple[str, str]:
    """The metric and the channel, as deliveries hold them, behind a type of METRIC_TYPES."""
    metric, _, word = spelled(public).partition("_")
    if metric == "dropped" and word not in _OWN_SUPPRESSION:
        metric = "suppressed"
    return metric, _CHANNELS_BEHIND.get(word, word)


def data_of(stored: str, data: Mapping[str, Any]) -> Any:
    """What an activity says: an event its own data, a change of attributes what each was and is."""
    if data.get("forgotten") is True:
        return dict(data)
    if stored in ("event", "page", "screen"):
        return data.get("data", {})
    if stored.endswith("attribute_change") and isinstance(data.get("attributes"), Mapping) and "before" in data:
        before = data["before"]
        return {name: {"from": before.get(name), "to": value} for name, value in data["attributes"].items()}
    return dict(data)


__all__ = [
    "DELIVERY_TYPES",
    "KNOWN",
    "METRIC_TYPES",
    "data_of",
    "metric_of",
    "metric_type",
    "public_type",
    "spelled",
    "stored_types",
]
