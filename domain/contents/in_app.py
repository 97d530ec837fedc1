"""The content of a message that an app shows over what it shows: what, how, on which pages, how long."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StrictBool

from domain.contents.base import TranslatedContent
from domain.contents.expiry import Expiry
from domain.contents.translated import Languages, Spoken
from domain.documents import Document

Position = Literal[
    "top",
    "center",
    "bottom",
    "top_left",
    "top_center",
    "top_right",
    "bottom_left",
    "bottom_center",
    "bottom_right",
    "left",
    "right",
]


class Display(Document):
    """How the message is shown."""

    mode: Literal["modal", "overlay", "inline", "tooltip"] = "modal"
    position: Position | None = None
    element_id: str | None = None
    target: str | None = None
    max_width: Annotated[int, Field(strict=True)] = 414
    overlay_color: str = "#00000033"
    dismiss_outside_click: StrictBool = False


class PageRule(Document):
    """A page on which the message is shown, or is not."""

    rule: Literal["include", "exclude"]
    platform: Literal["web", "ios", "android"]
    operator: Literal["equals", "contains"] = "equals"
    value: str


class InAppTexts(Document):
    """What an in-app message says in one language."""

    body: str


class InAppMessage(TranslatedContent, InAppTexts):
    """An in-app message; without page rules it is shown anywhere."""

    as_they_are: ClassVar[frozenset[str]] = frozenset({"display", "priority"})
    spoken: ClassVar[Spoken] = InAppTexts

    display: Display = Field(default_factory=Display)
    page_rules: tuple[PageRule, ...] = ()
    expires: Expiry = "P30D"
    persistent: StrictBool = False
    priority: Literal["low", "medium", "high"] = "medium"
    languages: Languages[InAppTexts] | None = None


__all__ = ["Display", "InAppMessage", "InAppTexts", "PageRule"]
