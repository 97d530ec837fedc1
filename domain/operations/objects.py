"""Operations on objects and on who belongs to them (PPL-24 to PPL-26, API-13, API-23)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.operations.base import ANONYMOUS, Identifier, Name, ObjectRef, Operation


class Edge(BaseModel):
    """A person, an object, and the attributes of their belonging together; null and the empty text remove one."""

    model_config = ConfigDict(frozen=True)

    person: Identifier
    object: ObjectRef
    attributes: dict[str, Any] = Field(default_factory=dict)


class IdentifyObject(Operation):
    """Add an object or update its attributes; by `cio_object_id` it only updates.

    `update_only` and `create_only` as for people.
    """

    op: Literal["identify_object"] = "identify_object"
    object: ObjectRef
    attributes: dict[str, Any] = Field(default_factory=dict)
    timestamp: int | None = None
    update_only: bool = False
    create_only: bool = False

    def names(self) -> list[Name]:
        """The object."""
        return [self.object.name]


class DeleteObject(Operation):
    """Remove an object with all its relationships."""

    op: Literal["delete_object"] = "delete_object"
    object: ObjectRef

    def names(self) -> list[Name]:
        """The object."""
        return [self.object.name]


class ChangeRelationships(Operation):
    """Relate people and objects, or part them. Who or what is unknown is created when related.

    With `existing_people` (part of an identify call that came before) or `existing_only` (files) it is not.
    """

    op: Literal["relationships"] = "relationships"
    action: Literal["add", "delete"] = "add"
    edges: list[Edge]
    existing_people: bool = False
    existing_only: bool = False

    def identifiers(self) -> list[Identifier]:
        """The people."""
        return [edge.person for edge in self.edges]

    def names(self) -> list[Name]:
        """The people and the objects."""
        return [*super().names(), *(edge.object.name for edge in self.edges)]


class ParkGroup(Operation):
    """What a group call said of somebody not known yet: kept up to thirty days, applied when they are (API-23).

    `attributes` None says nothing about the object itself. `timestamp` as for IdentifyObject: what the object was told
    in the meantime is newer.
    """

    op: Literal["park_group"] = "park_group"
    anonymous_id: str
    object: ObjectRef
    attributes: dict[str, Any] | None = None
    relationship: dict[str, Any] = Field(default_factory=dict)
    timestamp: int | None = None

    def names(self) -> list[Name]:
        """The anonymous id and the object."""
        return [Name(ANONYMOUS, self.anonymous_id), self.object.name]


__all__ = ["ChangeRelationships", "DeleteObject", "Edge", "IdentifyObject", "ParkGroup"]
