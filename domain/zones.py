"""Time zones: which names are zones, and which zone counts as a person's (ACT-08, CMP-36)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LONGEST_NAME = 64
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+\-]*(?:/[A-Za-z0-9_+\-]+){0,2}")
# Files beside the zones that the loader would read but that name no region.
_NOT_REGIONS = re.compile(r"(?:localtime|posixrules|Factory|posix(?:/.*)?|right(?:/.*)?)")

ZONE_ATTRIBUTES = ("timezone", "cio_timezone")
"""The attributes that say in which zone somebody lives, in the order in which they count."""
ZoneSource = Literal["timezone", "cio_timezone", "fallback", "fixed"]


class PersonZone(NamedTuple):
    """The zone chosen for a person, where it came from, and the names that were no zones and were passed over."""

    zone: ZoneInfo
    source: ZoneSource
    ignored: tuple[str, ...] = ()


@lru_cache(maxsize=2048)
def _load(name: str) -> ZoneInfo | None:
    if _NAME.fullmatch(name) is None or _NOT_REGIONS.fullmatch(name) is not None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def zone_named(name: Any) -> ZoneInfo | None:
    """The zone behind an IANA region name (aliases included), or None where the value names none."""
    if not isinstance(name, str):
        return None
    text = name.strip()
    return _load(text) if len(text) <= LONGEST_NAME else None


def person_zone(attributes: Mapping[str, Any], fallback: ZoneInfo) -> PersonZone:
    """The person's zone: `timezone`, else `cio_timezone`, else the fallback; invalid names are passed over (ACT-08)."""
    ignored: list[str] = []
    sources: tuple[ZoneSource, ...] = ("timezone", "cio_timezone")
    for source in sources:
        value = attributes.get(source)
        zone = zone_named(value)
        if zone is not None:
            return PersonZone(zone, source, tuple(ignored))
        if value not in (None, ""):
            ignored.append(source)
    return PersonZone(fallback, "fallback", tuple(ignored))
