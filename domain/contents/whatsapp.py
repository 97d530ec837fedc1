"""The content of a WhatsApp message: a template that was approved elsewhere, with what fills its places (CHN-35)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from domain.contents.base import NumberedContent
from domain.contents.translated import Languages, Spoken
from domain.documents import Document


class WhatsappTemplate(Document):
    """An approved template by its name, or by the id of its content, and the values of its variables."""

    name: str
    language: str | None = None
    variables: Mapping[str, str] = Field(default_factory=dict)


class WhatsappTexts(Document):
    """What a WhatsApp message says in one language: templates are approved for one each."""

    template: WhatsappTemplate


class WhatsappMessage(NumberedContent, WhatsappTexts):
    """A WhatsApp message."""

    spoken: ClassVar[Spoken] = WhatsappTexts

    languages: Languages[WhatsappTexts] | None = None


__all__ = ["WhatsappMessage", "WhatsappTemplate", "WhatsappTexts"]
