"""Query parameters that several lists share."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Query
from pydantic import AfterValidator

from services.looking.people import IdType

MOST: Final = 1000


def _sized(limit: int) -> int:
    return min(max(limit, 1), MOST)


Start = Annotated[str | None, Query(description="The `next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=MOST, description="How many at most.")]
Size = Annotated[int, Query(description=f"How many at most; {MOST} is the end."), AfterValidator(_sized)]
"""A limit that is cut down to what there can be, as the App API does (APP-01)."""
UnixTime = Annotated[int | None, Query(ge=0, le=99_999_999_999, description="Unix seconds.")]
Customer = Annotated[str | None, Query(description="A person, named as `id_type` says.")]
NamedBy = Annotated[IdType, Query(description="What kind of name the customer is given by.")]
Ref = Annotated[str | None, Query(max_length=64, description="A key or an integer id.")]
BlockKey = Annotated[str | None, Query(pattern=r"^[a-z][a-z0-9_-]{0,63}$", description="The key of a block.")]
Responses = Annotated[bool, Query(description="Tell the named buttons that were clicked.")]
Number = Annotated[int | None, Query(ge=1, le=2**31 - 1, description="An integer id.")]

__all__ = [
    "MOST",
    "BlockKey",
    "Customer",
    "Limit",
    "NamedBy",
    "Number",
    "Ref",
    "Responses",
    "Size",
    "Start",
    "UnixTime",
]
