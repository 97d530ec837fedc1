"""How instants, people, states and outcomes are written in a terminal."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rich.text import Text

STATE_STYLES = {"in_progress": "yellow", "finished": "green", "exited_early": "cyan"}
OUTCOME_STYLES = {
    "waiting": "yellow",
    "done": "green",
    "branched": "magenta",
    "skipped": "dim",
    "drafted": "blue",
    "failed": "bold red",
    "exited": "cyan",
}
BLOCK_WORDS = {
    "delay": "waits",
    "window": "waits for the window",
    "wait": "waits",
}


def instant(unix: float | None, *, zone: bool = False) -> str:
    """An instant in UTC, to the second, such as `Thu 26 Nov 09:00:00`; a dash where there is none."""
    if unix is None:
        return "-"
    return datetime.fromtimestamp(unix, tz=UTC).strftime("%a %d %b %Y %H:%M:%S UTC" if zone else "%a %d %b %H:%M:%S")


def lasting(seconds: float) -> str:
    """A length of time in its two largest units, such as `3 days 2 h`."""
    left = round(seconds)
    if left < 60:
        return f"{left} s"
    parts = []
    for size, unit in ((86400, "day"), (3600, "h"), (60, "min"), (1, "s")):
        number, left = divmod(left, size)
        if number:
            parts.append(f"{number} days" if unit == "day" and number != 1 else f"{number} {unit}")
    return " ".join(parts[:2])


def person(identifiers: dict[str, Any] | None) -> str:
    """Somebody as one would name them: id and address."""
    if not identifiers:
        return "-"
    names = [str(identifiers[kind]) for kind in ("id", "email") if identifiers.get(kind)]
    return " ".join(names) or str(identifiers.get("cio_id", "-"))


def state(journey: dict[str, Any]) -> Text:
    """The state of a journey with its reason."""
    word = str(journey["state"])
    reason = journey.get("reason")
    text = word.replace("_", " ") + (f" ({reason})" if reason and reason != "completed" else "")
    return Text(text, style=STATE_STYLES.get(word, ""))


def standing(journey: dict[str, Any]) -> str:
    """Where a journey stands and until when."""
    position = journey.get("position")
    if not position or journey["state"] != "in_progress":
        return "-"
    due = position.get("due_at")
    return f"{position['block']}" + (f" until {instant(due)}" if due is not None else "")


def work(task: dict[str, Any]) -> str:
    """What long work is, and about which thing: `segment build 5`."""
    about = task.get("about")
    return str(task["type"]).replace("_", " ") + (f" {about['id']}" if about else "")


def number(count: int, word: str) -> str:
    """A count with its word in the right form."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
