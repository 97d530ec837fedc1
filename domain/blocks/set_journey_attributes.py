"""Set journey attributes: keep values on the journey for as long as it goes on (ACT-25)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from domain.blocks.base import DataBlock
from domain.data_values import Value
from domain.documents import NonEmpty, Refusal, refused
from domain.effects import Act
from domain.journey_attributes import name_fault


class SetJourneyAttributes(DataBlock):
    """The attributes to set; what is beyond a limit when it is computed fails alone."""

    type: Literal["set_journey_attributes"]
    set_: Annotated[Mapping[str, Value], NonEmpty] = Field(alias="set")

    @model_validator(mode="after")
    def _names(self) -> SetJourneyAttributes:
        faults = [(name, name_fault(name)) for name in self.set_]
        refusals = [Refusal("length", fault, ("set", name), name) for name, fault in faults if fault is not None]
        if refusals:
            raise refused(*refusals)
        return self

    def values(self) -> Iterator[tuple[tuple[str | int, ...], Value]]:
        """What is set."""
        for name, value in self.set_.items():
            yield ("set", name), value

    def action(self) -> Act:
        """Set them."""
        return Act(action="set_journey_attributes")
