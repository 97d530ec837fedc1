"""Form: what the fields of a form on somebody's pages mean, and where its senders may be led afterwards (API-33)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StrictBool, ValidatorFunctionWrapHandler, WrapValidator, field_validator

from domain.definitions.base import Definition, NonEmptyText, Surroundings
from domain.documents import Document, NonEmpty, Refusal, refused
from domain.errors import Problem
from domain.operations import IdentifierKind

EVENT_ONLY: Final = "event_only"
_USES: Final = 'Write {"identifier": "email"}, {"attribute": "company"} or "event_only".'


class Identifies(Document):
    """The field names the person."""

    identifier: Literal["id", "email"]


class Sets(Document):
    """The field's value becomes an attribute."""

    attribute: NonEmptyText


Use = Identifies | Sets | Literal["event_only"]
"""What a field is for; `event_only` ones stay with the submission."""


def _read_use(value: Any, _handler: ValidatorFunctionWrapHandler) -> Any:
    if isinstance(value, Document) or value == EVENT_ONLY:
        return value
    if isinstance(value, dict):
        return (Identifies if "identifier" in value else Sets).model_validate(value)
    raise refused(Refusal("enum" if isinstance(value, str) else "type", _USES, (), value))


class FormDefinition(Definition):
    """A form; fields it does not list are attributes of the same name, `email` and `id` identify."""

    kind: Literal["form"]
    form_id: Annotated[str, Field(min_length=1, max_length=150)]
    connected: StrictBool = True
    fields: Annotated[Mapping[str, Annotated[Use, WrapValidator(_read_use)]], NonEmpty]
    success_hosts: tuple[str, ...] = ()

    @field_validator("success_hosts")
    @classmethod
    def _only_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        message = "Write a host like www.example.com or localhost:8080, without a path."
        wrong = [i for i, host in enumerate(hosts) if not host or any(c in "/?#@\\" or c.isspace() for c in host)]
        if wrong:
            raise refused(*(Refusal("format", message, (i,), hosts[i]) for i in wrong))
        return tuple(host.casefold() for host in hosts)

    @property
    def shown_name(self) -> str:
        """How people call it."""
        return self.name or self.key

    def use_of(self, field: str) -> Use:
        """What a field is for, listed or not."""
        return self.fields.get(field) or default_use(field)

    def check(self, around: Surroundings, /) -> Iterator[Problem]:
        """A form_id belongs to one form."""
        for other in around.others("form", self.key):
            if isinstance(other, FormDefinition) and other.form_id == self.form_id:
                message = f"The form '{other.key}' has this form_id."
                yield Problem(code="duplicate", pointer="/form_id", message=message)


def default_use(field: str) -> Use:
    """What a field is for that nobody has said anything about."""
    kinds: dict[str, IdentifierKind] = {"id": "id", "email": "email"}
    if field in kinds:
        return Identifies.model_validate({"identifier": kinds[field]})
    return Sets(attribute=field) if field else EVENT_ONLY


__all__ = ["EVENT_ONLY", "FormDefinition", "Identifies", "Sets", "Use", "default_use"]
