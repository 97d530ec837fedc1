"""The content of a text message (CHN-30)."""

from __future__ import annotations

from domain.contents.base import NumberedContent


class SmsMessage(NumberedContent):
    """A text message; `image_url` makes it one with a picture."""

    body: str
    image_url: str | None = None


__all__ = ["SmsMessage"]
