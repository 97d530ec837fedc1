"""The content of a push notification: the usual parts, or the payload of a platform as it is (CHN-38 to CHN-40)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from domain.contents.base import TranslatedContent
from domain.contents.translated import Languages, Spoken
from domain.documents import Document, Refusal, refused

EVERY_DEVICE = "all"
LAST_DEVICE = "last_used"


class PlatformPayloads(Document):
    """A payload for each platform, as an object or as Liquid that gives one."""

    ios: Mapping[str, Any] | str | None = None
    android: Mapping[str, Any] | str | None = None

    @model_validator(mode="after")
    def _for_one_at_least(self) -> PlatformPayloads:
        if self.ios is None and self.android is None:
            raise refused(Refusal("length", "Give a payload for ios, for android, or for both.", ()))
        return self


class Priorities(Document):
    """How urgently each platform delivers."""

    ios: Literal["normal", "high"] = "normal"
    android: Literal["normal", "high"] = "normal"


class PushTexts(Document):
    """What a push notification says in one language."""

    title: str | None = None
    message: str
    image_url: str | None = None
    link: str | None = None


class PushMessage(TranslatedContent):
    """A push notification; `to` is `all` devices of the person, the `last_used` one, or Liquid giving a token."""

    as_they_are: ClassVar[frozenset[str]] = frozenset({"platform", "sound", "priority"})
    spoken: ClassVar[Spoken] = PushTexts

    title: str | None = None
    message: str | None = None
    image_url: str | None = None
    link: str | None = None
    to: str = EVERY_DEVICE
    platform: Literal["both", "ios", "android"] = "both"
    sound: Literal["default", "none"] = "default"
    custom_data: Mapping[str, str] = Field(default_factory=dict)
    custom_payload: PlatformPayloads | None = None
    priority: Priorities = Field(default_factory=Priorities)
    languages: Languages[PushTexts] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> PushMessage:
        if self.message is None and self.custom_payload is None:
            raise refused(Refusal("required", "Give a message or a custom_payload.", ("message",)))
        return self


__all__ = ["EVERY_DEVICE", "LAST_DEVICE", "PlatformPayloads", "Priorities", "PushMessage", "PushTexts"]
