"""The one place that reads the machine's clock; everything else is handed `now`."""

from __future__ import annotations

from datetime import UTC, datetime


def system_now() -> datetime:
    """The real present instant, aware and in UTC."""
    return datetime.now(tz=UTC)  # noqa: TID251
