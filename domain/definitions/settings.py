"""Settings: how the workspace as a whole behaves (OUT-26)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, ValidatorFunctionWrapHandler, WrapValidator, field_validator

from domain.definitions.base import Definition, Template, TimeZone, texts_below
from domain.definitions.sender import is_address
from domain.documents import Document, NonEmptyText, Refusal, refused

WORKSPACE_KEY = "workspace"
Count = Annotated[int, Field(ge=1, strict=True)]


class Redirect(Document):
    """Where every message goes instead of to its recipient."""

    test_address: str

    @field_validator("test_address")
    @classmethod
    def _an_address(cls, address: str) -> str:
        if not is_address(address):
            raise refused(Refusal("format", "Write one address like qa@example.com.", (), address))
        return address


def _read_sending(value: Any, _handler: ValidatorFunctionWrapHandler) -> Any:
    if isinstance(value, dict):
        return Redirect.model_validate(value)
    if value in ("normal", "never") or isinstance(value, Redirect):
        return value
    if isinstance(value, str):
        raise refused(Refusal("enum", "Sending is normal, never or an object with a test_address.", (), value))
    raise refused(Refusal("type", "Sending is normal, never or an object with a test_address.", (), value))


class Limits(Document):
    """Sizes the ingestion API holds callers to, and how many attributes a person may have."""

    attribute_value_bytes: Count = 1000
    attributes_per_call: Count = 300
    attributes_per_person: Count = 300
    automatic_object_types: Annotated[int, Field(ge=0, strict=True)] = 15


class SettingsDefinition(Definition):
    """The one settings document of a workspace; what it leaves out is at its default."""

    configures: ClassVar[bool] = True
    nullable: ClassVar[frozenset[str]] = Definition.nullable | {"llm_daily_tokens", "language_attribute"}

    kind: Literal["settings"]
    key: Literal["workspace"]
    identifiers: Literal["email_or_id", "id_only"] = "email_or_id"
    email_update_by: Literal["cio_id_or_id", "cio_id"] = "cio_id_or_id"
    multi_identifier_merge: bool = True
    anonymous_merge: bool = True
    invite_events: bool = False
    semantic_event_aliases: bool = False
    timezone: TimeZone = "UTC"
    sending: Annotated[Literal["normal", "never"] | Redirect, WrapValidator(_read_sending)] = "normal"
    css_inlining: bool = True
    """Whether code emails made from now on have their styles at the tags (MSG-29)."""
    url_parameters: Mapping[str, str] = Field(default_factory=dict)
    limits: Limits = Field(default_factory=Limits)
    language_attribute: NonEmptyText | None = None
    """The attribute that holds a person's language (MSG-31); None: everybody gets the default."""
    llm_daily_tokens: Annotated[int, Field(ge=0, strict=True)] | None = None
    """How many tokens language models may use in a day (ACT-34); None: as many as they like."""

    def templates(self) -> Iterator[Template]:
        """The values of the URL parameters."""
        yield from texts_below(dict(self.url_parameters), ("url_parameters",))
