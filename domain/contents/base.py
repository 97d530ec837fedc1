"""What the contents of all channels share: templates, references, senders that are numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field, StrictBool, model_validator

from domain.contents.translated import Translated, templates_in
from domain.documents import Document, Reference, Refusal, refused


class Content(Document):
    """The content of one message; every text in it is a Liquid template but those of the fields in `as_they_are`."""

    as_they_are: ClassVar[frozenset[str]] = frozenset()

    def texts(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Every template that was written, with its path in the content."""
        yield from templates_in(self.model_dump(mode="json", exclude_defaults=True), self.as_they_are)

    def references(self) -> Iterator[tuple[tuple[str | int, ...], str, str | int]]:
        """The documents that it names: path in the content, kind, key or id."""
        yield from ()


class TranslatedContent(Translated, Content):
    """Content that may be said in several languages (MSG-31)."""


class NumberedContent(TranslatedContent):
    """Content that comes from a telephone number and goes to one: `sender` names a number, `from` is one."""

    as_they_are: ClassVar[frozenset[str]] = frozenset({"sender", "link_domain"})

    sender: Reference | None = None
    from_: str | None = Field(default=None, alias="from")
    to: str = "{{customer.phone}}"
    link_tracking: StrictBool = True
    link_domain: Reference | None = None

    @model_validator(mode="after")
    def _one_sender(self) -> NumberedContent:
        if self.sender is not None and self.from_ is not None:
            message = "Give either a sender or a from number, not both."
            raise refused(Refusal("not_applicable", message, ("from",), self.from_))
        return self

    def references(self) -> Iterator[tuple[tuple[str | int, ...], str, str | int]]:
        """Its sender, and the host of its short links."""
        if self.sender is not None:
            yield ("sender",), "sender", self.sender
        if self.link_domain is not None:
            yield ("link_domain",), "domain", self.link_domain


__all__ = ["Content", "NumberedContent", "TranslatedContent"]
