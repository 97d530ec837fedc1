"""What the doctor says about one thing it looked at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, get_args

Level = Literal["ok", "warning", "failure", "unknown"]
"""`unknown` is what could not be looked at, because something before it is away or it took too long."""

Anchor = Literal[
    "settings",
    "database-does-not-answer",
    "database-settings",
    "connection-pooler",
    "clock-skew",
    "schema",
    "database-connections",
    "open-transaction",
    "lock-waits",
    "vacuum",
    "replication-slots",
    "wal-archive",
    "disk",
    "partitions",
    "facts-are-not-applied",
    "facts-of-another-server",
    "outbox-does-not-drain",
    "due-is-late",
    "tasks-stand-still",
    "temporal-does-not-answer",
    "temporal-namespace",
    "no-worker-for-a-role",
    "queue-backlog",
    "journeys-stand-still",
    "workflows-are-missing",
    "provider-away",
    "sending-domain",
    "private-urls",
    "api-errors",
    "certificate",
]
"""The places of docs/troubleshooting.md that findings point to; alerts of others do so, too, and none is ever renamed."""

ANCHORS: Final[tuple[Anchor, ...]] = get_args(Anchor)
PAGE: Final = "docs/troubleshooting.md"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; what is not ok says what it means, what follows for users, and what to do."""

    check: str
    level: Level
    summary: str
    meaning: str = ""
    follows: str = ""
    remedy: str = ""
    anchor: Anchor | None = None

    @property
    def link(self) -> str | None:
        """Where more is said about it."""
        return None if self.anchor is None else f"{PAGE}#{self.anchor}"


def ok(check: str, summary: str) -> Finding:
    """Nothing to do."""
    return Finding(check, "ok", summary)


def unknown(check: str, why: str) -> Finding:
    """Something that could not be looked at."""
    return Finding(check, "unknown", why)


def status(findings: Iterable[Finding]) -> int:
    """The exit status: 0 all well, 1 something fails, 2 something is worth a look or could not be looked at."""
    levels = {finding.level for finding in findings}
    if "failure" in levels:
        return 1
    return 2 if levels - {"ok"} else 0


__all__ = ["ANCHORS", "PAGE", "Anchor", "Finding", "Level", "ok", "status", "unknown"]
