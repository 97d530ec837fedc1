"""The content of a message in a person's inbox: whatever the app that shows it understands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from domain.contents.base import TranslatedContent
from domain.contents.expiry import Expiry
from domain.documents import NonEmpty, NonEmptyText


class InboxMessage(TranslatedContent):
    """An inbox message; every text of `properties`, however deep, is a template."""

    type: str | None = None
    topics: tuple[NonEmptyText, ...] = ()
    properties: Annotated[Mapping[str, Any], NonEmpty]
    expires: Expiry = "P60D"


__all__ = ["InboxMessage"]
