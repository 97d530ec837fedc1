"""Batch update: change, or send an event to, up to a thousand matching people at once (ACT-26)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from domain.blocks.base import DataBlock, Placed
from domain.blocks.event_data import AnyEventData, data_values
from domain.blocks.update_person import AttributeName, refuse_names
from domain.conditions import Condition
from domain.data_values import Value
from domain.documents import NonEmpty, Refusal, refused
from domain.effects import Act
from domain.values import is_blank


class BatchUpdate(DataBlock):
    """Whom it is for, and either attributes to set and to remove, or an event with its data.

    Its values are computed once for each of them, who is then `match`.
    """

    provides: ClassVar[frozenset[str]] = frozenset({"match"})

    type: Literal["batch_update"]
    match: Condition
    set_: Annotated[Mapping[str, Value], NonEmpty] | None = Field(default=None, alias="set")
    remove: Annotated[tuple[AttributeName, ...], NonEmpty] | None = None
    event: Value = None
    data: AnyEventData | None = None

    @model_validator(mode="after")
    def _one_mode(self) -> BatchUpdate:
        changes = self.set_ is not None or self.remove is not None
        if changes == (self.event is not None):
            raise refused(Refusal("required", "Give either set and remove, or an event.", ("set",)))
        if self.data is not None and self.event is None:
            raise refused(Refusal("not_applicable", "Data belongs to an event.", ("data",)))
        if self.event is not None and is_blank(self.event):
            raise refused(Refusal("length", "An event needs a name.", ("event",), self.event))
        refuse_names(self.set_, self.remove)
        return self

    def placed_conditions(self) -> list[Placed]:
        """The action conditions, and whom it is for."""
        return [*super().placed_conditions(), Placed(("match",), "batch_match", self.match)]

    def needs_conditions(self) -> list[Condition]:
        """The action conditions: whether others match no plan asks."""
        return [] if self.conditions is None else [self.conditions]

    def values(self) -> Iterator[tuple[tuple[str | int, ...], Value]]:
        """What is set, or the event."""
        for name, value in (self.set_ or {}).items():
            yield ("set", name), value
        if self.event is not None:
            yield ("event",), self.event
            yield from data_values(self.data)

    def action(self) -> Act:
        """Update them."""
        return Act(action="batch_update")
