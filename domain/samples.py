"""What a condition is tried on: somebody by a name, or attributes out of thin air, with what a journey would know (ACT-03)."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field, StrictStr, model_validator

from domain.conditions import Condition
from domain.documents import Document, Refusal, refused

LAST_INSTANT = 99_999_999_999
Instant = Annotated[int, Field(ge=0, le=LAST_INSTANT, strict=True, description="Unix seconds.")]


class NamedPerson(Document):
    """A person by one or more names."""

    nullable: ClassVar[frozenset[str]] = frozenset({"id", "email"})

    id: StrictStr | None = None
    email: StrictStr | None = None
    cio_id: StrictStr | None = None

    @model_validator(mode="after")
    def _named(self) -> NamedPerson:
        if not self.names:
            raise refused(Refusal("required", "Name the person by id, email or cio_id."))
        return self

    @property
    def names(self) -> dict[str, str]:
        """The names that are given, by kind."""
        return {kind: value for kind in ("id", "email", "cio_id") if (value := getattr(self, kind)) is not None}


class SampleEvent(Document):
    """An event as if it had started a journey."""

    name: StrictStr = ""
    id: StrictStr | None = None
    timestamp: Instant | None = None
    data: dict[str, Any] = Field(default_factory=dict)


class SampleContext(Document):
    """A person by name, or attributes out of thin air; what is said besides stands in place of what is stored.

    `objects` are lists by the `slug` of their type, each object with its attributes and, under `relationship`, what is
    said of the relationship. `at` moves the clock alone: the facts are those of now.
    """

    customer: NamedPerson | None = None
    attributes: dict[str, Any] | None = None
    event: SampleEvent | None = None
    trigger: dict[str, Any] | None = None
    journey: dict[str, Any] | None = None
    journey_id: StrictStr | None = None
    objects: dict[str, list[dict[str, Any]]] | None = None
    at: Instant | None = None


class Trial(Document):
    """A condition and what it is tried on."""

    condition: Condition
    context: SampleContext = Field(default_factory=SampleContext)


class Estimate(Document):
    """A condition whose matches are counted, and how many of them are shown."""

    condition: Condition
    sample: Annotated[int, Field(ge=0, le=50, strict=True)] = 10


__all__ = ["Estimate", "NamedPerson", "SampleContext", "SampleEvent", "Trial"]
