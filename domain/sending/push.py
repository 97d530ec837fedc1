"""What a call may say of a push notification in place of its template (CHN-06)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from domain.sending.refusals import PAYLOAD, SendRefused, malformed
from domain.sending.values import Said, given, is_liquid, json_within, text, whole

PLATFORMS: Final = ("ios", "android")
SOUNDS: Final = ("default", "none")
_TEXTS: Final = ("to", "title", "message", "image_url", "link")


def push_content(said: Said) -> dict[str, Any]:
    """The fields of a push notification that a call gives; raises SendRefused."""
    content: dict[str, Any] = {name: value for name in _TEXTS if (value := text(said, name)) is not None}
    sound = text(said, "sound")
    if sound is not None:
        if sound not in SOUNDS:
            raise malformed("sound", "write default or none.")
        content["sound"] = sound
    data = _object(said, "custom_data")
    if data:
        content["custom_data"] = {name: _as_text(value) for name, value in data.items()}
    payload = _object(said, "custom_payload")
    if payload:
        payloads = {name: _payload(payload[name]) for name in PLATFORMS if payload.get(name) not in (None, "")}
        if not payloads:
            raise SendRefused(PAYLOAD, "custom_payload")
        content["custom_payload"] = payloads
    return content


def device_of(said: Said) -> dict[str, Any] | None:
    """The device that a call registers for its person; None where it names none."""
    written = given(said, "custom_device")
    if not written:
        return None
    if not isinstance(written, Mapping):
        raise malformed("custom_device", "give an object.")
    token, platform = given(written, "token"), given(written, "platform")
    if not isinstance(token, str) or not token.strip():
        raise malformed("custom_device", "it needs a token.")
    if not isinstance(platform, str) or platform.strip().lower() not in PLATFORMS:
        raise malformed("custom_device", "its platform is ios or android.")
    used = given(written, "last_used")
    instant = None if used is None else whole(used)
    if used is not None and instant is None:
        raise malformed("custom_device", "last_used is an instant in Unix seconds.")
    attributes = given(written, "attributes")
    if attributes is not None and not isinstance(attributes, Mapping):
        raise malformed("custom_device", "attributes are an object.")
    return {
        "token": token.strip(),
        "platform": platform.strip().lower(),
        "last_used": instant,
        "attributes": dict(attributes or {}),
    }


def _object(said: Said, field: str) -> Mapping[str, Any] | None:
    """An object, or the text of one."""
    written = given(said, field)
    if isinstance(written, str):
        written = _parsed(written, field)
    if written is not None and not isinstance(written, Mapping):
        raise SendRefused(PAYLOAD, field)
    return written


def _payload(written: Any) -> Any:
    """What one platform gets: an object, the text of one, or Liquid that gives one."""
    if isinstance(written, str):
        if is_liquid(written):
            return written
        written = _parsed(written, "custom_payload")
    if not isinstance(written, Mapping):
        raise SendRefused(PAYLOAD, "custom_payload")
    return dict(written)


def _parsed(written: str, field: str) -> Any:
    try:
        return json_within(written)
    except ValueError:
        raise SendRefused(PAYLOAD, field) from None


def _as_text(value: Any) -> str:
    """The value of a custom field: apps get texts, so that anything else becomes the JSON of it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


__all__ = ["PLATFORMS", "device_of", "push_content"]
