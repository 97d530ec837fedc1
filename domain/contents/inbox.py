"""The content of a message in a person's inbox: whatever the app that shows it understands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from domain.contents.base import TranslatedContent
from domain.contents.expiry import Expiry
from domain.contents.translated import Languages, Spoken
from domain.documents import Document, NonEmpty, NonEmptyText


class InboxTexts(Document):
    """What an inbox message says in one language; every text of `properties`, however deep, is a template."""

    properties: Annotated[Mapping[str, Any], NonEmpty]


class InboxMessage(TranslatedContent, InboxTexts):
    """An inbox message."""

    spoken: ClassVar[Spoken] = InboxTexts

    type: str | None = None
    topics: tuple[NonEmptyText, ...] = ()
    expires: Expiry = "P60D"
    languages: Languages[InboxTexts] | None = None


__all__ = ["InboxMessage", "InboxTexts"]
