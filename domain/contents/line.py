"""The content of a LINE message (CHN-35)."""

from __future__ import annotations

from pydantic import model_validator

from domain.contents.base import Content
from domain.documents import Refusal, refused


class LineMessage(Content):
    """A LINE message: a text, a picture, or both."""

    to: str = "{{customer.line_id}}"
    text: str | None = None
    image_url: str | None = None

    @model_validator(mode="after")
    def _says_something(self) -> LineMessage:
        if self.text is None and self.image_url is None:
            raise refused(Refusal("required", "Give a text, an image_url, or both.", ("text",)))
        return self


__all__ = ["LineMessage"]
