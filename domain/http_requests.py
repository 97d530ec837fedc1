"""What a request consists of, as authored: its method and its headers (ACT-29)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from domain.documents import Refusal

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

JSON_HEADERS: Final[Mapping[str, str]] = {"Content-Type": "application/json"}
"""The headers of a request that names none."""

OURS: Final = "x-cio-"
_OF_THE_LINE: Final = frozenset(
    ["connection", "content-length", "expect", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"]
)
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def header_faults(headers: Mapping[str, Any], at: tuple[str | int, ...] = ()) -> Iterator[Refusal]:
    """What is wrong with the names of headers: none at all, said twice, or not the author's to set."""
    seen: set[str] = set()
    for name in headers:
        where, low = (*at, name), name.casefold()
        if _NAME.fullmatch(name) is None:
            yield Refusal("format", "Not the name of a header.", where, name)
        elif low in _OF_THE_LINE or low.startswith(OURS):
            yield Refusal("reserved_header", f"The header '{name}' cannot be set to a custom value.", where, name)
        elif low in seen:
            yield Refusal("duplicate", f"The header '{name}' is given twice.", where, name)
        seen.add(low)


__all__ = ["JSON_HEADERS", "Method", "header_faults"]
