"""What the contents of all channels share: templates, references, and what this version does not know yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from pydantic import Field, StrictBool, field_validator, model_validator

from domain.documents import Document, Reference, Refusal, refused
from domain.uses import texts_in


class Content(Document):
    """The content of one message; every text in it is a Liquid template but those of the fields in `as_they_are`."""

    as_they_are: ClassVar[frozenset[str]] = frozenset()

    def texts(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Every template that was written, with its path in the content."""
        for name, value in self.model_dump(mode="json", exclude_defaults=True).items():
            if name not in self.as_they_are:
                yield from texts_in(value, (name,))

    def references(self) -> Iterator[tuple[tuple[str | int, ...], str, str | int]]:
        """The documents that it names: path in the content, kind, key or id."""
        yield from ()


class TranslatedContent(Content):
    """Content whose contract knows variants by language, of which this version has none (MSG-31)."""

    languages: Any = None

    @field_validator("languages")
    @classmethod
    def _one_language(cls, languages: Any) -> Any:
        raise refused(Refusal("not_applicable", "Messages of this version speak one language.", (), languages))


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
