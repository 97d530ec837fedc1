"""How pages put instants, lengths and the engine's words for people."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

import orjson

from domain.values import from_unix, to_unix

SHORT: Final = 110
MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 86_400
LATEST: Final = 253_402_300_799
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

STATES: Final[Mapping[str, str]] = {
    "in_progress": "In progress",
    "finished": "Finished",
    "exited_early": "Exited early",
    "draft": "Draft",
    "starting": "Starting",
    "running": "Running",
    "stopping": "Stopping",
    "stopped": "Stopped",
    "archived": "Archived",
    "building": "Being built",
    "ready": "Up to date",
    "unbuilt": "Not complete",
    "queued": "Queued",
    "processing": "Finding its audience",
    "sending": "Sending",
    "failed": "Failed",
    "cancelled": "Cancelled",
}
REASONS: Final[Mapping[str, str]] = {
    "completed": "Reached the end",
    "exit_block": "Reached an exit block",
    "goal": "Met the goal",
    "filters": "Stopped matching the filters",
    "trigger": "Stopped matching the trigger",
    "manual": "Removed by hand",
    "stopped": "Campaign was stopped",
    "archived": "Campaign was archived or deleted",
    "person_deleted": "Person was deleted",
    "merged": "Person was merged",
    "cohort_ambiguous": "Belongs to several objects of a cohort",
    "wait_removed": "The wait was removed from the campaign",
}
BLOCKS: Final[Mapping[str, str]] = {
    "time_delay": "Delay",
    "time_window": "Time window",
    "wait_until": "Wait until",
    "true_false": "True/false branch",
    "email": "Email",
    "update_person": "Update person",
    "segment_update": "Update manual segment",
    "random_delay": "Random delay",
    "random_cohort": "Random cohort",
    "multi_split": "Multi-split branch",
    "sms": "SMS",
    "push": "Push notification",
    "in_app": "In-app message",
    "inbox": "Inbox message",
    "whatsapp": "WhatsApp message",
    "line": "LINE message",
    "slack": "Slack message",
    "webhook": "Webhook",
    "llm": "LLM",
    "send_event": "Send event",
    "batch_update": "Update many people",
    "query_collection": "Query collection",
    "set_journey_attributes": "Set journey attributes",
    "exit": "Exit",
}
TRIGGERS: Final[Mapping[str, str]] = {
    "segment": "Matching conditions",
    "event": "An event",
    "form": "A form",
    "date": "A date",
    "object": "A change of an object",
    "relationship": "A relationship",
    "webhook": "A webhook",
}
PATHS: Final[Mapping[str, str]] = {"then": "Yes", "else": "No"}
OUTCOMES: Final[Mapping[str, str]] = {
    "waiting": "Waiting",
    "done": "Done",
    "skipped": "Skipped",
    "drafted": "Drafted",
    "failed": "Failed",
    "branched": "Took a path",
    "exited": "Left",
}
ACTIVITIES: Final[Mapping[str, str]] = {
    "event": "Event",
    "page": "Page view",
    "screen": "Screen view",
    "attribute_change": "Attributes changed",
    "failed_attribute_change": "Attribute change failed",
    "failed_event": "Event failed",
    "failed_object_journeys": "Failed journeys for object/relationship campaign",
    "skipped_update": "Update skipped",
    "unsubscribed": "Unsubscribed",
    "resubscribed": "Subscribed again",
    "person_created": "Person created",
    "profile_create": "Person created",
    "profile_delete": "Person deleted",
    "profile_merge": "People merged",
    "anon_merge": "Anonymous data merged",
}


def spoken(words: Mapping[str, str], word: str | None) -> str:
    """The engine's word as people say it; one that is not listed, with its underscores as spaces."""
    if word is None:
        return ""
    plain = word.replace("_", " ")
    return words.get(word, plain[:1].upper() + plain[1:])


def grouped(count: int) -> str:
    """A count as people read it: `12,345`."""
    return f"{count:,}"


def stamp(seconds: int) -> str:
    """An instant to the second: `Thu 1 Jan 2026, 10:10:00`."""
    at = _at(seconds)
    day = f"{WEEKDAYS[at.weekday()]} {at.day} {MONTHS[at.month - 1]} {at.year}"
    return f"{day}, {at:%H:%M:%S}"


def day(seconds: int) -> str:
    """The day of an instant."""
    return stamp(seconds).partition(",")[0]


def clock(seconds: int) -> str:
    """The time of day of an instant."""
    return f"{_at(seconds):%H:%M:%S}"


def iso(seconds: int) -> str:
    """An instant for machines."""
    return f"{_at(seconds):%Y-%m-%dT%H:%M:%SZ}"


def span(seconds: int) -> str:
    """A length of time in its two largest units: `2 d 4 h`."""
    left = abs(seconds)
    parts: list[str] = []
    for size, unit in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (1, "s")):
        count, left = divmod(left, size)
        if count or (unit == "s" and not parts):
            parts.append(f"{count} {unit}")
        elif parts:
            break
    return " ".join(parts[:2])


def distance(seconds: int, now: int) -> str:
    """How far an instant is from another: `in 2 d 4 h`, `3 min ago`, `now`."""
    if seconds == now:
        return "now"
    return f"in {span(seconds - now)}" if seconds > now else f"{span(now - seconds)} ago"


def value(given: Any) -> str:
    """A JSON value on one line: text as it is, all else as JSON."""
    return given if isinstance(given, str) else orjson.dumps(given).decode()


def pretty(given: Any) -> str:
    """A JSON value over several lines."""
    return orjson.dumps(given, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode()


def is_short(given: Any) -> bool:
    """Whether a JSON value is best read on one line."""
    return len(value(given)) <= SHORT


def segment(text: Any) -> str:
    """One segment of a path, with slashes encoded."""
    return quote(str(text), safe="")


def by_day(entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Entries in order, in groups of a day."""
    groups = itertools.groupby(entries, key=lambda entry: day(entry["at"]))
    return [{"day": name, "entries": list(members)} for name, members in groups]


def who(identifiers: Mapping[str, Any] | None) -> str:
    """What a person is called: by email, else id, else number."""
    if identifiers is None:
        return "Deleted person"
    return str(identifiers["email"] or identifiers["id"] or identifiers["cio_id"])


def _at(seconds: int) -> datetime:
    return from_unix(min(max(seconds, 0), LATEST))


FILTERS: Final = {
    "block_word": lambda word: spoken(BLOCKS, word),
    "state_word": lambda word: spoken(STATES, word),
    "reason_word": lambda word: spoken(REASONS, word),
    "outcome_word": lambda word: spoken(OUTCOMES, word),
    "activity_word": lambda word: spoken(ACTIVITIES, word),
    "trigger_word": lambda word: spoken(TRIGGERS, word),
    "path_word": lambda word: PATHS.get(word, word),
    "grouped": grouped,
    "metric_word": lambda word: spoken({}, word),
    "stamp": stamp,
    "day": day,
    "clock": clock,
    "iso": iso,
    "span": span,
    "value": value,
    "is_short": is_short,
    "pretty": pretty,
    "segment": segment,
    "who": who,
    "groupby_day": by_day,
    "when": lambda instant: stamp(to_unix(instant)),
}
"""What templates call these."""

__all__ = [
    "FILTERS",
    "by_day",
    "clock",
    "day",
    "distance",
    "grouped",
    "iso",
    "pretty",
    "segment",
    "span",
    "spoken",
    "stamp",
    "value",
    "who",
]
