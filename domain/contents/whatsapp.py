"""The content of a WhatsApp message: a template that was approved elsewhere, with what fills its places (CHN-35)."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from domain.contents.base import NumberedContent
from domain.documents import Document


class WhatsappTemplate(Document):
    """An approved template by its name, or by the id of its content, and the values of its variables."""

    name: str
    language: str | None = None
    variables: Mapping[str, str] = Field(default_factory=dict)


class WhatsappMessage(NumberedContent):
    """A WhatsApp message."""

    template: WhatsappTemplate


__all__ = ["WhatsappMessage", "WhatsappTemplate"]
