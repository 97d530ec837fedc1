"""Object type: a kind of thing that people belong to, such as accounts or courses (PPL-24)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StrictBool, StringConstraints, model_validator

from domain.definitions.base import Definition, Name, NonEmptyText, Surroundings
from domain.errors import Problem, Referent

LARGEST_NUMBER: Final = 2**31 - 1
_NOT_WORDS = re.compile(r"[^a-z0-9]+")

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=100)]


def snake_case(text: str) -> str:
    """A name as it is written in Liquid: `Online courses` becomes `online_courses`; empty where nothing of it can be."""
    plain = unicodedata.normalize("NFKD", text).casefold().encode("ascii", "ignore").decode()
    return _NOT_WORDS.sub("_", plain).strip("_").lstrip("0123456789_")


class ObjectTypeDefinition(Definition):
    """A kind of objects. `slug` names the list of somebody's objects in Liquid, `singular_slug` the one that triggered.

    `object_type_id` is assigned where it is absent and never changes. A type that is not enabled takes data, but nothing
    else may use it.
    """

    kind: Literal["object_type"]
    name: Name
    object_type_id: Annotated[int, Field(ge=1, le=LARGEST_NUMBER, strict=True)] | None = None
    singular_name: NonEmptyText
    slug: Slug
    singular_slug: Slug
    enabled: StrictBool = True

    @model_validator(mode="before")
    @classmethod
    def _named_after(cls, raw: Any) -> Any:
        """Slugs are the names in snake case, where nothing else is said."""
        if not isinstance(raw, dict):
            return raw
        given = dict(raw)
        for slug, name in (("slug", "name"), ("singular_slug", "singular_name")):
            if slug not in given and isinstance(given.get(name), str) and (derived := snake_case(given[name])):
                given[slug] = derived
        return given

    def check(self, around: Surroundings, /) -> Iterator[Problem]:
        """Slugs that another type has already, and a type disabled while something uses it."""
        others = [other for other in around.others(self.kind, self.key) if isinstance(other, ObjectTypeDefinition)]
        for slug in ("slug", "singular_slug"):
            rival = next((other.key for other in others if getattr(other, slug) == getattr(self, slug)), None)
            if rival is not None:
                message = f"The object type '{rival}' has this {slug}; they must differ."
                yield Problem(code="duplicate", pointer=f"/{slug}", message=message)
        users = [] if self.enabled else around.users(self.kind, self.key)
        if users:
            message = f"The {users[0][0]} '{users[0][1]}' uses this type, which therefore stays enabled."
            referents = tuple(Referent(kind=kind, key=key) for kind, key in dict.fromkeys(users))
            yield Problem(code="in_use", pointer="/enabled", message=message, referents=referents)


__all__ = ["LARGEST_NUMBER", "ObjectTypeDefinition", "snake_case"]
