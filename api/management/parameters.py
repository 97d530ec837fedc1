"""Query parameters that several lists share."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Query

from services.looking.people import IdType

MOST: Final = 1000

Start = Annotated[str | None, Query(description="The `next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=MOST, description="How many at most.")]
UnixTime = Annotated[int | None, Query(ge=0, le=99_999_999_999, description="Unix seconds.")]
Customer = Annotated[str | None, Query(description="A person, named as `id_type` says.")]
NamedBy = Annotated[IdType, Query(description="What kind of name the customer is given by.")]
Ref = Annotated[str | None, Query(max_length=64, description="A key or an integer id.")]
BlockKey = Annotated[str | None, Query(pattern=r"^[a-z][a-z0-9_-]{0,63}$", description="The key of a block.")]
Number = Annotated[int | None, Query(ge=1, le=2**31 - 1, description="An integer id.")]

__all__ = ["MOST", "BlockKey", "Customer", "Limit", "NamedBy", "Number", "Ref", "Start", "UnixTime"]
