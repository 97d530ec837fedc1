"""Whom a data block writes to: the journey's person, or somebody named by an identifier (ACT-23, ACT-24)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidatorFunctionWrapHandler, WrapValidator, model_validator

from domain.data_values import Value
from domain.documents import Document, Refusal, refused

NOBODY: Final = "Nobody travels this campaign: name the person by id, email or cio_id."


class Target(Document):
    """Somebody named by one identifier; created where unknown."""

    id: Value = None
    email: Value = None
    cio_id: Value = None
    workspace: Annotated[int, Field(ge=1, strict=True)] | None = None
    """Another workspace of the deployment in which the person is looked for, where it is not this one."""

    @model_validator(mode="after")
    def _one_identifier(self) -> Target:
        if len(self.model_fields_set - {"workspace"}) != 1:
            raise refused(Refusal("required", "Name exactly one of id, email and cio_id."))
        return self

    @property
    def identifier(self) -> tuple[str, Value]:
        """The kind of identifier and its value, as authored."""
        (name,) = self.model_fields_set - {"workspace"}
        return name, getattr(self, name)


def _read_target(value: Any, _handler: ValidatorFunctionWrapHandler) -> Any:
    if isinstance(value, str):
        if value == "self":
            return value
        raise refused(Refusal("enum", "A target is 'self' or an object naming an identifier.", (), value))
    return value if isinstance(value, Target) else Target.model_validate(value)


AnyTarget = Annotated[Literal["self"] | Target, WrapValidator(_read_target)]
"""The journey's person, or somebody named."""


def targeted(target: Target | str) -> Iterator[tuple[tuple[str | int, ...], Value]]:
    """The value that names somebody, with its path in the block."""
    if isinstance(target, Target):
        name, value = target.identifier
        yield ("target", name), value


__all__ = ["NOBODY", "AnyTarget", "Target", "targeted"]
