"""Push notifications as a kind of delivery: one for a person, with what each platform gets (CHN-38 to CHN-40)."""

from __future__ import annotations

from typing import Any, ClassVar

from domain.contents.push import EVERY_DEVICE, LAST_DEVICE, PushMessage
from rendering.messages import Parts, RenderedMessage
from services.messages.base import Making
from services.messages.plain import PlainKind

_DELIVERY_ID = "CIO-Delivery-ID"


class PushKind(PlainKind):
    """Push notifications."""

    channel: ClassVar[str] = "push"
    word: ClassVar[str] = "push_action"

    def composed(self, making: Making, parts: Parts) -> RenderedMessage:
        """The usual payload of each platform, or the one that was written for it."""
        message = making.content
        assert isinstance(message, PushMessage), "only such blocks ask for a push notification"
        said = {
            name: parts.optional(name, getattr(message, name)) for name in ("title", "message", "image_url", "link")
        }
        data: dict[str, str] = parts.tree("custom_data", message.custom_data)
        payloads = {"ios": _ios(message, said, data), "android": _android(message, said, data)}
        custom = message.custom_payload
        for platform, written in (("ios", custom and custom.ios), ("android", custom and custom.android)):
            if written is not None:
                payloads[platform] = parts.document(f"custom_payload.{platform}", written)
            elif message.message is None:
                del payloads[platform]
        if message.platform != "both":
            payloads = {name: payload for name, payload in payloads.items() if name == message.platform}
        delivery_id = str(making.context.get("delivery_id"))
        payloads = {name: _named(payload, name, delivery_id) for name, payload in payloads.items()}
        to = (
            message.to if message.to in (EVERY_DEVICE, LAST_DEVICE) else parts.address("to", message.to, "device token")
        )
        fields = {**said, "devices": to if to in (EVERY_DEVICE, LAST_DEVICE) else None}
        whom = parts.person if to in (EVERY_DEVICE, LAST_DEVICE) else to
        return RenderedMessage(
            self.channel, whom, fields, text=said["message"], payload=payloads, headline=said["title"]
        )


def _ios(message: PushMessage, said: dict[str, str | None], data: dict[str, str]) -> dict[str, Any]:
    alert = _given({"title": said["title"], "body": said["message"]})
    aps: dict[str, Any] = {"mutable-content": 1, "alert": alert}
    if message.sound == "default":
        aps["sound"] = "default"
    push = _given({"link": said["link"], "image": said["image_url"]})
    return {**({"CIO": {"push": push}} if push else {}), "aps": aps, **data}


def _android(message: PushMessage, said: dict[str, str | None], data: dict[str, str]) -> dict[str, Any]:
    """All of it is data where there is more than a title and a text, which an app has to show itself."""
    shown = _given({"title": said["title"], "body": said["message"]})
    more = _given({"image": said["image_url"], "link": said["link"]})
    body: dict[str, Any] = {"data": {**shown, **more, **data}} if more or data else {"notification": shown}
    return {"message": {**body, "android": {"priority": message.priority.android}}}


def _named(payload: dict[str, Any], platform: str, delivery_id: str) -> dict[str, Any]:
    """The payload with the delivery's id, by which the app says what became of it; what the author wrote stays."""
    if platform == "ios":
        return {_DELIVERY_ID: delivery_id, **payload}
    message = payload.get("message")
    if not isinstance(message, dict):
        return payload
    data = message.get("data")
    return {**payload, "message": {**message, "data": {_DELIVERY_ID: delivery_id, **(data or {})}}}


def _given(values: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}


__all__ = ["PushKind"]
