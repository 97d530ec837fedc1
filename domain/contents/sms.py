"""The content of a text message (CHN-30)."""

from __future__ import annotations

from typing import ClassVar

from domain.contents.base import NumberedContent
from domain.contents.translated import Languages, Spoken
from domain.documents import Document


class SmsTexts(Document):
    """What a text message says in one language; `image_url` makes it one with a picture."""

    body: str
    image_url: str | None = None


class SmsMessage(NumberedContent, SmsTexts):
    """A text message."""

    spoken: ClassVar[Spoken] = SmsTexts

    languages: Languages[SmsTexts] | None = None


__all__ = ["SmsMessage", "SmsTexts"]
