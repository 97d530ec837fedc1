"""What transactional calls may hold, for the API description; unknown fields are ignored, null and "" count as absent (APP-02)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.management.schemas import Answer


class _Shape(BaseModel):
    model_config = ConfigDict(extra="allow")


class Identifiers(_Shape):
    """The one name of the person, who is created where nobody has it; a `cio_id` has to be somebody's."""

    id: str | float | None = None
    email: str | None = None
    cio_id: str | None = None


class SendBody(_Shape):
    """What all sends have."""

    identifiers: Identifiers
    transactional_message_id: int | str | None = Field(
        None, description="The id, the trigger name or the name of a template."
    )
    message_data: dict[str, Any] | None = Field(None, description="What templates read as `trigger`.")
    language: str | None = None
    send_at: int | None = Field(None, description="Unix seconds, at most 90 days ahead; a past instant means now.")
    queue_draft: bool | None = None
    disable_message_retention: bool | None = None
    auto_create: bool | None = Field(None, description="Make an empty template where none has this trigger name.")


class ChosenBody(SendBody):
    """What sends have on channels that people unsubscribe from."""

    send_to_unsubscribed: bool | None = None


class EmailBody(ChosenBody):
    """An email; `from`, `subject` and `body` are required where no template says them."""

    to: str = Field(description="One or more recipients; with `cc` and `bcc` at most 15.")
    from_: str | None = Field(None, alias="from")
    reply_to: str | None = None
    cc: str | None = None
    bcc: str | None = None
    fake_bcc: bool | None = None
    subject: str | None = None
    preheader: str | None = None
    body: str | None = None
    body_plain: str | None = None
    body_amp: str | None = None
    tracked: bool | None = None
    disable_css_preprocessing: bool | None = None
    headers: dict[str, str] | list[dict[str, str]] | str | None = None
    attachments: dict[str, str] | None = Field(None, description="Base64 by file name; at most 2048 KB together.")


class Device(_Shape):
    """A device to be registered for the person."""

    token: str
    platform: Literal["ios", "android"]
    last_used: int | str | None = None
    attributes: dict[str, Any] | None = None


class PushBody(ChosenBody):
    """A push notification; without a template, `message` or `custom_payload` is required."""

    to: str | None = Field(None, description="`all`, `last_used`, or the token of one of the person's devices.")
    title: str | None = None
    message: str | None = None
    image_url: str | None = None
    link: str | None = None
    sound: Literal["default", "none"] | None = None
    custom_data: dict[str, Any] | str | None = None
    custom_payload: dict[str, Any] | str | None = None
    custom_device: Device | None = None


class NumberedBody(ChosenBody):
    """A text or a WhatsApp message of a template."""

    to: str | None = Field(None, description="A number in E.164 format; left out, the template says whose.")
    from_: str | None = Field(None, alias="from")
    tracked: bool | None = None


class Accepted(Answer):
    """The send is stored; what becomes of it, its delivery says."""

    delivery_id: str
    queued_at: int
    send_at: int | None = Field(None, description="Only where that is still to come.")


__all__ = ["Accepted", "EmailBody", "NumberedBody", "PushBody", "SendBody"]
