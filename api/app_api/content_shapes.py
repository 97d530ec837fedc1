"""What the App API says of the messages of campaigns, broadcasts and templates, for the description (APP-04)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from api.management.schemas import Answer

SendingState = Literal["automatic", "draft", "off"]
Headers = str | list[dict[str, Any]] | dict[str, str] | None


class Said(Answer):
    """What a message or a webhook says; which fields there are depends on its type."""

    id: int
    type: str = Field(
        description="`email`, `twilio` (SMS), `push`, `in_app`, `inbox`, `slack`, `whatsapp`, `webhook`..."
    )
    name: str
    language: str | None = Field(None, description="Empty for the default.")
    layout: str = Field(description="The name of the layout, empty for none.")
    body: str
    body_amp: str | None = None
    body_json: str | None = None
    subject: str | None = None
    preheader_text: str | None = None
    image_url: str | None = None
    recipient: str | None = Field(None, description="Empty for SMS and WhatsApp where Liquid says it.")
    preprocessor: str | None = None
    from_: str | None = Field(None, alias="from")
    from_id: int | None = None
    reply_to: str | None = None
    reply_to_id: int | None = None
    bcc: str | None = None
    cc: str | None = None
    fake_bcc: bool | None = None
    headers: str | None = Field(None, description="JSON text: a list of names and values.")
    url: str | None = None
    method: str | None = None
    created: int
    updated: int
    deduplicate_id: str


class Action(Said):
    """A block that delivers something; `key` is its key in the workflow."""

    key: str
    campaign_id: int | None = None
    broadcast_id: int | None = None
    sending_state: SendingState
    send_to_unsubscribed: bool | None = None
    tracked: bool | None = None


class ActionAnswer(Answer):
    """One action."""

    action: Action


class Actions(Answer):
    """All of them, by id."""

    actions: list[Action]


class ActionPage(Actions):
    """Ten at most."""

    next: str = Field(description="Empty after the last page.")


class ContentAnswer(Answer):
    """One content."""

    content: Said


class ContentInLanguage(Answer):
    """One content, as the vendor answers it here: in a list."""

    content: list[Said]


class Contents(Answer):
    """What a transactional message says, the default first."""

    contents: list[Said]


class ContentBody(BaseModel):
    """The fields that can be written; anything else is ignored. An answer can be sent back as it is."""

    body: str | None = None
    body_amp: str | None = None
    subject: str | None = None
    preheader_text: str | None = None
    image_url: str | None = None
    recipient: str | None = None
    from_id: int | None = None
    reply_to_id: int | None = None
    headers: Headers = None


class ActionBody(ContentBody):
    """The same of an action, and how it is sent; for webhooks the request."""

    sending_state: SendingState | None = None
    url: str | None = None
    method: str | None = None
    tracked: bool | None = None
    send_to_unsubscribed: bool | None = None


__all__ = [
    "Action",
    "ActionAnswer",
    "ActionBody",
    "ActionPage",
    "Actions",
    "ContentAnswer",
    "ContentBody",
    "ContentInLanguage",
    "Contents",
    "Said",
]
