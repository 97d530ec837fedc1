"""What may be asked of an export (PPL-49, PPL-50, APP-13)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field, StrictBool, StringConstraints, field_validator, model_validator

from domain.conditions import Condition
from domain.documents import Document, Key, Reference, Refusal, refused
from domain.message_metrics import MessageMetric
from domain.people_filters import parse_people_filter

MOST_ATTRIBUTES: Final = 300
MOST_RELATIONSHIPS: Final = 2_000_000
LARGEST: Final = 2**31 - 1
LAST_INSTANT: Final = 99_999_999_999
DISPLAYED: Final = ("city", "state", "created_at")
DISPLAYED_OF_OBJECTS: Final = ("created_at", "name")
PEOPLE_FILE: Final = "people.csv"
RELATIONSHIPS_FILE: Final = "relationships.csv"

Attributes = Annotated[
    tuple[Annotated[str, StringConstraints(min_length=1, max_length=150)], ...], Field(max_length=300)
]
Columns = Literal["all", "displayed"]
Number = Annotated[int, Field(ge=1, le=LARGEST, strict=True)]
Instant = Annotated[int, Field(ge=0, le=LAST_INSTANT, strict=True)]
Metric = Literal["created"] | MessageMetric


class ExportRequest(Document):
    """An export as it is asked for; `type` says what of, `words` say it to people."""

    type: ClassVar[str]

    @property
    def words(self) -> str:
        """What is exported, as its description says."""
        return self.type.replace("_", " ").capitalize()

    @property
    def stored(self) -> dict[str, Any]:
        """The request as it is kept with the export."""
        return self.model_dump(mode="json")


class CustomersExport(ExportRequest):
    """People: everybody, or those who match; all attributes, those usually shown, or chosen ones."""

    type: ClassVar[str] = "customers"

    filters: dict[str, Any] | None = None
    attributes: Attributes | None = None
    columns: Columns = "all"
    relationships: StrictBool = False

    @field_validator("filters")
    @classmethod
    def _a_filter(cls, raw: dict[str, Any] | None) -> dict[str, Any] | None:
        if raw is not None:
            parse_people_filter(raw)
        return raw

    @property
    def condition(self) -> Condition | None:
        """Who is meant, None for everybody."""
        return None if self.filters is None else parse_people_filter(self.filters)


class DeliveriesExport(ExportRequest):
    """Messages of one campaign, newsletter, transactional message or block."""

    type: ClassVar[str] = "deliveries"

    newsletter_id: Number | None = None
    campaign_id: Number | None = None
    transactional_message_id: Number | None = None
    action_id: Number | None = None
    start: Instant | None = None
    end: Instant | None = None
    attributes: Attributes = ()
    metric: Metric | None = None
    drafts: StrictBool = False
    template_id: Number | None = None

    @model_validator(mode="after")
    def _of_one(self) -> DeliveriesExport:
        if len(self.of) != 1:
            message = "Name one of newsletter_id, campaign_id, transactional_message_id, action_id."
            raise refused(Refusal("required" if not self.of else "type", message, ("campaign_id",)))
        return self

    @property
    def of(self) -> dict[str, int]:
        """Whose messages."""
        names = ("newsletter_id", "campaign_id", "transactional_message_id", "action_id")
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    @property
    def words(self) -> str:
        """Whose messages, in words."""
        ((name, value),) = self.of.items()
        return f"Deliveries of {name.removesuffix('_id').replace('_', ' ')} {value}"


class DevicesExport(ExportRequest):
    """All devices with their owners."""

    type: ClassVar[str] = "devices"


class DuplicatesExport(ExportRequest):
    """People who share a value of an attribute, grouped by it."""

    type: ClassVar[str] = "duplicates"

    attribute: Annotated[str, StringConstraints(min_length=1, max_length=150)]

    @property
    def words(self) -> str:
        """By what, in words."""
        return f"People with the same {self.attribute}"


class SegmentChangesExport(ExportRequest):
    """Who entered or left a segment, as far back as the activity log goes."""

    type: ClassVar[str] = "segment_changes"

    segment: Reference
    start: Instant | None = None
    end: Instant | None = None


class JourneysExport(ExportRequest):
    """Journeys of one campaign, those in a state, at a block, begun in a span; with `steps` what happened at each block."""

    type: ClassVar[str] = "journeys"

    campaign: Reference
    state: Literal["in_progress", "finished", "exited_early"] | None = None
    block: Key | None = None
    start: Instant | None = None
    end: Instant | None = None
    attributes: Attributes = ()
    steps: StrictBool = False


class PersonExport(ExportRequest):
    """Everything there is of one person, named in one way."""

    type: ClassVar[str] = "person"

    id: Annotated[str, StringConstraints(min_length=1)] | None = None
    email: Annotated[str, StringConstraints(min_length=1)] | None = None
    cio_id: Annotated[str, StringConstraints(min_length=1)] | None = None

    @model_validator(mode="after")
    def _named_once(self) -> PersonExport:
        if len(self.named) != 1:
            raise refused(Refusal("required" if not self.named else "type", "Name one of id, email, cio_id.", ("id",)))
        return self

    @property
    def named(self) -> dict[str, str]:
        """The name that is given."""
        return {kind: value for kind in ("id", "email", "cio_id") if (value := getattr(self, kind)) is not None}

    @property
    def words(self) -> str:
        """Without saying whom."""
        return "One person"

    @property
    def stored(self) -> dict[str, Any]:
        """Nothing: whom it is about stands in the lines, which go with the person."""
        return {}


class ObjectsExport(ExportRequest):
    """The objects of one type, and who belongs to them."""

    type: ClassVar[str] = "objects"

    object_type_id: Number
    attributes: Attributes | None = None
    columns: Columns = "all"
    relationships: StrictBool = False

    @property
    def words(self) -> str:
        """Of which type."""
        return f"Objects of type {self.object_type_id}"


class ObjectExport(ExportRequest):
    """Everything there is of one object."""

    type: ClassVar[str] = "object"

    object_type_id: Number
    object_id: Annotated[str, StringConstraints(min_length=1, max_length=150)]

    @property
    def words(self) -> str:
        """Which type it is of."""
        return f"An object of type {self.object_type_id}"


def _requests() -> Iterator[type[ExportRequest]]:
    yield CustomersExport
    yield DeliveriesExport
    yield DevicesExport
    yield DuplicatesExport
    yield SegmentChangesExport
    yield JourneysExport
    yield PersonExport
    yield ObjectsExport
    yield ObjectExport


REQUESTS: Final[Mapping[str, type[ExportRequest]]] = {request.type: request for request in _requests()}
"""What may be exported, by the word for it."""
ZIPPED: Final = frozenset({"person", "object"})
"""Exports that are several files whatever is in them."""

__all__ = [
    "DISPLAYED",
    "DISPLAYED_OF_OBJECTS",
    "MOST_RELATIONSHIPS",
    "PEOPLE_FILE",
    "RELATIONSHIPS_FILE",
    "REQUESTS",
    "ZIPPED",
    "CustomersExport",
    "DeliveriesExport",
    "DevicesExport",
    "DuplicatesExport",
    "ExportRequest",
    "JourneysExport",
    "ObjectExport",
    "ObjectsExport",
    "PersonExport",
    "SegmentChangesExport",
]
