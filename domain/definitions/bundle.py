"""Many definitions written at once, all or none."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, StrictBool, model_validator

from domain.documents import Document, Refusal, refused

MAX_DEFINITIONS = 2000


class Bundle(Document):
    """The documents of one folder or repository, which `source` names.

    With `prune` what was applied under the source and is missing here is deleted.
    """

    source: str | None = None
    prune: StrictBool = False
    definitions: Annotated[tuple[Any, ...], Field(max_length=MAX_DEFINITIONS)]

    @model_validator(mode="after")
    def _prunes_a_source(self) -> Self:
        if self.prune and not self.source:
            message = "Name the source whose documents are deleted when they are missing here."
            raise refused(Refusal("required", message, ("source",)))
        return self
