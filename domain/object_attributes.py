"""Writing into the attributes of an object or of a relationship: what changes, what came too late, what does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic_core import to_json

from domain.values import is_blank, same

MOST_ATTRIBUTES: Final = 300
MOST_BYTES: Final = 100_000
"""How large all attributes of one object, or of one relationship, may be together as compact JSON (PPL-25, API-15)."""


@dataclass
class Written:
    """The attributes as they are now, with what the write did; `times` are microseconds, removed names included."""

    attributes: dict[str, Any]
    times: dict[str, int]
    values: dict[str, Any] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def note(self) -> str | None:
        """What was refused, as a sentence; None where nothing was."""
        return " ".join(f"{name}: {why}" for name, why in self.failed.items()) or None


def write(
    attributes: Mapping[str, Any], times: Mapping[str, int], given: Mapping[str, Any], time: int | None = None
) -> Written:
    """Set and remove attributes: null and the empty text remove, what is as it was touches nothing.

    With a `time` (microseconds) the later write wins, whichever comes first; without one no times are kept.
    """
    done = Written(dict(attributes), dict(times))
    size = _size(done.attributes)
    for name, value in given.items():
        if time is not None and time < done.times.get(name, 0):
            done.skipped.append(name)
            continue
        present = name in done.attributes
        if is_blank(value):
            if not present:
                continue
            done.before[name] = done.attributes.pop(name)
            size -= _member_size(name, done.before[name])
        else:
            if present and same(value, done.attributes[name]):
                continue
            growth = _member_size(name, value) - (_member_size(name, done.attributes[name]) if present else 0)
            if not present and len(done.attributes) >= MOST_ATTRIBUTES:
                done.failed[name] = f"There are at most {MOST_ATTRIBUTES} attributes."
                continue
            if growth > 0 and size + growth > MOST_BYTES:
                done.failed[name] = f"All attributes together have at most {MOST_BYTES} bytes."
                continue
            if present:
                done.before[name] = done.attributes[name]
            done.attributes[name] = value
            size += growth
        done.values[name] = value
        if time is not None:
            done.times[name] = time
    return done


def _size(attributes: Mapping[str, Any]) -> int:
    return sum(_member_size(name, value) for name, value in attributes.items())


def _member_size(name: str, value: Any) -> int:
    """Bytes of one member, with its colon and comma."""
    return len(to_json(name)) + len(to_json(value)) + 2


__all__ = ["MOST_ATTRIBUTES", "MOST_BYTES", "Written", "write"]
