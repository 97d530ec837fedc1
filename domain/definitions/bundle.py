"""Many definitions written at once, all or none."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StrictBool, field_validator

from domain.documents import Document, Refusal, refused

MAX_DEFINITIONS = 2000


class Bundle(Document):
    """The documents of one folder or repository, which `source` names."""

    source: str | None = None
    prune: StrictBool = False
    definitions: Annotated[tuple[Any, ...], Field(max_length=MAX_DEFINITIONS)]

    @field_validator("prune")
    @classmethod
    def _keep_the_rest(cls, prune: bool) -> bool:
        if prune:
            raise refused(Refusal("not_applicable", "Deleting what is missing is not in this version.", (), prune))
        return prune
