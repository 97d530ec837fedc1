"""Query collection: rows of a collection, kept as an attribute of the journey or of the person (ACT-28)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StrictInt, StrictStr, model_validator

from domain.blocks.base import DataBlock
from domain.blocks.target import NOBODY
from domain.blocks.update_person import name_refusal
from domain.condition_rules import WherePlace
from domain.documents import Document, Reference, Refusal, refused
from domain.effects import Act
from domain.journey_attributes import name_fault
from domain.operators.base import MAX_FIELD
from domain.wheres import Where


class SortKey(Document):
    """A field of the rows, and which way they are put in order by it."""

    field: StrictStr = Field(min_length=1, max_length=MAX_FIELD)
    direction: Literal["asc", "desc"] = "asc"


class Store(Document):
    """Where the result is kept: an attribute of the journey, or one of the person."""

    journey: StrictStr | None = None
    customer: StrictStr | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Store:
        if (self.journey is None) == (self.customer is None):
            raise refused(Refusal("required", "Name one attribute: of the journey or of the customer."))
        if self.journey is not None and (fault := name_fault(self.journey)) is not None:
            raise refused(Refusal("length", fault, ("journey",), self.journey))
        refusal = None if self.customer is None else name_refusal(self.customer, ("customer",))
        if refusal is not None:
            raise refused(refusal)
        return self


class QueryCollection(DataBlock):
    """Which rows of a collection, in which order, how many, and where they are kept: a list, one row where one is asked for."""

    person_at: ClassVar[tuple[str, ...]] = ("store", "customer")

    type: Literal["query_collection"]
    collection: Reference
    where: Where | None = None
    sort: tuple[SortKey, ...] | None = None
    limit: Annotated[StrictInt, Field(ge=1)] | None = None
    store: Store

    def references(self) -> Iterator[tuple[tuple[str | int, ...], str, str | int]]:
        """The collection."""
        yield ("collection",), "collection", self.collection

    def wheres(self) -> Iterator[tuple[tuple[str | int, ...], WherePlace, Where]]:
        """What the rows must fit."""
        if self.where is not None:
            yield ("where",), "rows_where", self.where

    def needs_person(self) -> str | None:
        """An attribute of a person needs one."""
        return None if self.store.customer is None else NOBODY

    def result(self, rows: list[Any]) -> Any:
        """What is kept of the rows found, which are in order."""
        if self.limit == 1:
            return rows[0] if rows else None
        return rows[: self.limit]

    def action(self) -> Act:
        """Fetch them."""
        return Act(action="query_collection")
