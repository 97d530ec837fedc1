"""Which journeys an operator means when many are ended at once (CMP-30)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from domain.documents import Document, Key, NonEmpty, Reference, Refusal, refused

MOST_IDS = 1_000
JourneyId = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z]+$")]
Instant = Annotated[int, Field(ge=0, le=99_999_999_999, strict=True)]


class JourneyChoice(Document):
    """Journeys under way: those with these ids, or those of a campaign, narrowed by where they stand and when they began.

    `started_after` and `started_before` are Unix seconds, neither of them meant itself.
    """

    ids: Annotated[tuple[JourneyId, ...], Field(max_length=MOST_IDS), NonEmpty] | None = None
    campaign: Reference | None = None
    block: Key | None = None
    state: Literal["in_progress"] = "in_progress"
    started_after: Instant | None = None
    started_before: Instant | None = None

    @model_validator(mode="after")
    def _one_way(self) -> JourneyChoice:
        if self.ids is None and self.campaign is None:
            message = "Name a campaign, or the journeys by their ids."
            raise refused(Refusal("required", message, ("campaign",)))
        narrowing = [name for name in ("campaign", "block", "started_after", "started_before") if getattr(self, name)]
        if self.ids is not None and narrowing:
            message = "Ids say by themselves which journeys are meant; leave this out."
            raise refused(*[Refusal("type", message, (name,)) for name in narrowing])
        return self


__all__ = ["MOST_IDS", "JourneyChoice"]
