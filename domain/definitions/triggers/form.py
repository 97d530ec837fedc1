"""Form: a submission begins a journey with what was filled in (CMP-06)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

from domain.condition_keys import EventMatch
from domain.definitions.triggers.base import Mode, PlacedWhere, TriggerBase
from domain.documents import NonEmpty, NonEmptyText
from domain.form_events import FORM_EVENT, is_of_form
from domain.patterns import compile_name
from domain.wheres import Where


class FormTrigger(TriggerBase):
    """One journey per submission of one of these forms, named by key, form id or name, that fits `where`."""

    modes: ClassVar[tuple[Mode, ...]] = ("every", "once", "once_per")

    type: Literal["form"]
    forms: Annotated[tuple[NonEmptyText, ...], NonEmpty]
    where: Where | None = None

    @cached_property
    def match(self) -> EventMatch:
        """The events among which the submissions are."""
        return EventMatch("event", FORM_EVENT)

    def is_of(self, data: Mapping[str, Any]) -> bool:
        """Whether a submission is of one of the forms."""
        return any(is_of_form(data, compile_name(form)) for form in self.forms)

    def wheres(self) -> Iterator[PlacedWhere]:
        """What is asked of the fields."""
        if self.where is not None:
            yield PlacedWhere("/where", self.where, "trigger_where")
