"""When a campaign starts and stops by itself (CMP-22)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from domain.documents import Document, Refusal, refused
from domain.values import LAST_TIMESTAMP

UnixSeconds = Annotated[int, Field(ge=0, lt=LAST_TIMESTAMP, strict=True)]


class Schedule(Document):
    """Instants in Unix seconds; with `stop_at` it says what becomes of the people inside."""

    start_at: UnixSeconds | None = None
    stop_at: UnixSeconds | None = None
    on_stop: Literal["exit", "finish"] | None = None

    @model_validator(mode="after")
    def _complete(self) -> Schedule:
        if self.start_at is None and self.stop_at is None:
            raise refused(Refusal("required", "Say when it starts, when it stops, or both.", ("start_at",)))
        if self.stop_at is not None and self.on_stop is None:
            message = "Say whether the people inside exit or finish when it stops."
            raise refused(Refusal("required", message, ("on_stop",)))
        if self.start_at is not None and self.stop_at is not None and self.stop_at <= self.start_at:
            raise refused(Refusal("stop_before_start", "It stops after it has started.", ("stop_at",), self.stop_at))
        return self


__all__ = ["Schedule"]
