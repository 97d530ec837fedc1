"""What a message says in other languages: whole variants beside what it says to everybody else (MSG-31, MSG-32)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, Final, Self, TypeVar

from pydantic import AfterValidator, StringConstraints

from domain.documents import Document, Refusal, refused
from domain.uses import texts_in

LANGUAGES: Final = "languages"
"""The field that holds the variants."""
LANGUAGE_CODE: Final = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$"

LanguageCode = Annotated[str, StringConstraints(pattern=LANGUAGE_CODE)]
"""A code in the shape of BCP 47: `es`, `fr-CA`, `az-Cyrl-AZ`."""

Spoken = type[Document]
"""The shape of what is said in one language."""
_Texts = TypeVar("_Texts", bound=Document)


def _told_apart(languages: Mapping[str, _Texts]) -> Mapping[str, _Texts] | None:
    """The languages, none of which is another but for case; None for none at all, as if the field were left out."""
    known: dict[str, str] = {}
    twice = [code for code in languages if known.setdefault(code.casefold(), code) != code]
    if twice:
        raise refused(
            *(Refusal("duplicate", f"This is '{known[code.casefold()]}' once more.", (code,), code) for code in twice)
        )
    return languages or None


Languages = Annotated[Mapping[LanguageCode, _Texts], AfterValidator(_told_apart)]
"""What is said, by language."""


class Translated(Document):
    """Content that may be said in several languages; a variant brings everything that is translated, and nothing else."""

    spoken: ClassVar[Spoken]

    @classmethod
    def translatable(cls) -> Collection[str]:
        """The fields that each language has for itself."""
        return cls.spoken.model_fields.keys()

    @cached_property
    def variants(self) -> Mapping[str, tuple[str, Self]]:
        """The whole content in each language with the language's code, by that code in small letters."""
        languages: Mapping[str, Document] = getattr(self, LANGUAGES, None) or {}
        return {code.casefold(): (code, self._in_language(texts)) for code, texts in languages.items()}

    def _in_language(self, texts: Document) -> Self:
        said = {name: getattr(texts, name) for name in self.translatable()}
        return self.model_copy(update={**said, LANGUAGES: None})

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with other fields, whose variants are made of these."""
        copied = super().model_copy(update=update, deep=deep)
        copied.__dict__.pop("variants", None)
        return copied


def templates_in(
    dumped: Mapping[str, Any], as_they_are: Collection[str]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The texts of a content's wire form but for those of some fields, its variants included, each with its path."""
    parts: list[tuple[tuple[str | int, ...], Mapping[str, Any]]] = [((), dumped)]
    parts += [((LANGUAGES, code), texts) for code, texts in (dumped.get(LANGUAGES) or {}).items()]
    for at, fields in parts:
        for name, value in fields.items():
            if name not in as_they_are and (at or name != LANGUAGES):
                yield from texts_in(value, (*at, name))


__all__ = ["LANGUAGES", "LANGUAGE_CODE", "LanguageCode", "Languages", "Spoken", "Translated", "templates_in"]
