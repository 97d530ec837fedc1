"""What every definition is: one authored document, its references, its templates, and what its workspace makes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Protocol

from pydantic import StringConstraints, field_validator

from domain.documents import Document, Key, NonEmptyText, Refusal, TimeZone, refused
from domain.errors import Problem
from domain.uses import Template, Use, texts_below

Name = Annotated[str, StringConstraints(min_length=1, max_length=190)]


class Surroundings(Protocol):
    """The other definitions of the workspace as they will be once everything being applied is applied."""

    def exists(self, kind: str, ref: str | int) -> bool:
        """Whether there is such a document."""

    def segment_has_segments(self, ref: str | int) -> bool:
        """Whether the conditions of a segment name segments."""

    def segment_has_conditions(self, ref: str | int) -> bool:
        """Whether a segment is kept by conditions, so that nobody is put into it by hand."""

    def ring_of_segments(self, key: str, through: str | int) -> list[str]:
        """The keys on a way from a segment through one it is made of back to itself, both ends included; else none."""

    def blocks_of(self, ref: str | int, kind: str = "campaign") -> Mapping[str, int | None] | None:
        """The blocks of a campaign or broadcast with their action ids, where they have one; None where there is none such."""

    def blocks_asked_for(self, key: str, kind: str = "campaign") -> list[tuple[str, str, str]]:
        """The blocks a campaign has had so far that other documents name: kind and key of each of these, and the block."""

    def is_disabled_type(self, ref: str | int) -> bool:
        """Whether there is such an object type, and it is not enabled."""

    def users(self, kind: str, key: str) -> list[tuple[str, str]]:
        """The kind and key of every other document that refers to this one."""

    def others(self, kind: str, key: str) -> list[Definition]:
        """Every other document of the kind that can be read."""


class Definition(Document):
    """One keyed document of a workspace: the whole desired state of one thing."""

    nullable: ClassVar[frozenset[str]] = frozenset({"description"})
    secrets: ClassVar[tuple[str, ...]] = ()
    """JSON Pointers of the fields that are written and never read back."""
    initial_state: ClassVar[str | None] = None
    unchanging: ClassVar[tuple[str, ...]] = ()
    """Fields that keep the value they were first written with."""
    configures: ClassVar[bool] = False
    """Whether writing it takes the scope `configure` instead of `write`."""

    kind: str
    key: Key
    name: Name | None = None
    description: str | None = None
    tags: tuple[NonEmptyText, ...] = ()

    @field_validator("tags")
    @classmethod
    def _each_tag_once(cls, tags: tuple[str, ...]) -> tuple[str, ...]:
        repeated = [i for i, tag in enumerate(tags) if tag in tags[:i]]
        if repeated:
            raise refused(*(Refusal("duplicate", f"The tag '{tags[i]}' is listed twice.", (i,)) for i in repeated))
        return tags

    @classmethod
    def kind_name(cls) -> str:
        """The word of the `kind` field."""
        (word,) = cls.model_fields["kind"].annotation.__args__  # type: ignore[union-attr]
        return str(word)

    def wire(self, *, compact: bool = False) -> dict[str, Any]:
        """The canonical document: short forms expanded and defaults filled in, or (compact) defaults left out."""
        return self.model_dump(mode="json", exclude_defaults=compact)

    def uses(self) -> Iterator[Use]:
        """Every reference to another document."""
        yield from ()

    def templates(self) -> Iterator[Template]:
        """Every Liquid template."""
        yield from ()

    def addresses(self) -> Iterator[tuple[str, str]]:
        """Every address that is called because of it, templates as they are, each with its pointer."""
        yield from ()

    def check(self, _around: Surroundings, /) -> Iterator[Problem]:
        """What is wrong beyond the document's own shape, references apart; pointers count from the document."""
        yield from ()

    def warnings(self, _around: Surroundings, /) -> Iterator[Problem]:
        """What is worth saying although nothing is refused."""
        yield from ()


def default_twice(definition: Definition, around: Surroundings) -> Iterator[Problem]:
    """The warning that another document of the kind claims to be the default as well; the one with the lowest id counts."""
    rivals = [other.key for other in around.others(definition.kind, definition.key) if getattr(other, "default", False)]
    if getattr(definition, "default", False) and rivals:
        yield default_as_well(rivals[0])


def default_as_well(rival: str) -> Problem:
    """The warning itself; `rival` is the key of the other."""
    message = f"'{rival}' says it is the default, too; of several, the oldest counts."
    return Problem(code="duplicate", pointer="/default", message=message)


__all__ = [
    "Definition",
    "Name",
    "NonEmptyText",
    "Surroundings",
    "Template",
    "TimeZone",
    "Use",
    "default_as_well",
    "default_twice",
    "texts_below",
]
