"""Values taken from the context by the path Liquid would use: `{"from": "event.total"}`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from pydantic import Field, field_validator

from domain.documents import Document, Refusal, refused
from domain.facts import Facts
from domain.paths import Path, compile_path

ROOTS: Final = ("customer", "event", "trigger", "journey", "object", "relationship", "match", "response")
LOOKUP_PATTERN = rf"^({'|'.join(ROOTS)})(\.|\[).+$"
_LOOKUP = re.compile(rf"({'|'.join(ROOTS)})(?:\.(?!\.)|(?=\[))(.+)", re.DOTALL)


@lru_cache(maxsize=4_096)
def split_lookup(text: str) -> tuple[str, Path] | None:
    """The root and the path below it, None where the text is no lookup."""
    found = _LOOKUP.fullmatch(text)
    return (found[1], compile_path(found[2])) if found else None


def read_lookup(text: str, facts: Facts) -> Any:
    """The value at a lookup such as `customer.plan`; None where there is none, or where the context lacks the root."""
    split = split_lookup(text)
    if split is None:
        return None
    root, path = split
    found = path.read(_record(root, facts))
    return found[0] if found else None


def _record(root: str, facts: Facts) -> Mapping[str, Any]:
    journey = facts.journey
    if root == "customer":
        return facts.attributes if facts.customer is None else facts.customer
    if journey is None:
        return {}
    if root == "event":
        return journey.trigger_event.data if journey.trigger_event else {}
    records = {
        "journey": journey.attributes,
        "trigger": journey.trigger,
        "object": journey.object,
        "relationship": journey.relationship,
    }
    return records.get(root) or {}


class Lookup(Document):
    """An operand that is read when the comparison is made."""

    from_: str = Field(alias="from")

    @field_validator("from_")
    @classmethod
    def _known_root(cls, text: str) -> str:
        if split_lookup(text) is None:
            raise refused(
                Refusal("format", f"A path starts with one of {', '.join(ROOTS)} and goes on below it.", (), text)
            )
        return text

    @property
    def root(self) -> str:
        """The first word of the path."""
        split = split_lookup(self.from_)
        return split[0] if split else ""

    @property
    def path(self) -> Path:
        """The path below the root."""
        split = split_lookup(self.from_)
        return split[1] if split else compile_path(self.from_)
