"""What messages say, as the App API shows it: the message of a block, and a template in one language (APP-04)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from domain.blocks import WebhookBlock
from domain.blocks.webhook import SavedRequest
from domain.content import EmailMessage
from domain.contents import vendor
from domain.contents.whatsapp import WhatsappMessage
from domain.definitions import LayoutDefinition, SenderDefinition, WebhookDefinition
from domain.definitions.library import Library
from domain.definitions.secrets import masked

_LIQUID = ("{{", "{%")


@dataclass(frozen=True)
class Around:
    """The senders, layouts and saved webhooks that messages name."""

    library: Library

    def sender(self, ref: str | int | None) -> tuple[int, SenderDefinition] | None:
        """An email sender by its key or id; for None whom emails come from that name nobody."""
        if ref is not None:
            entry = self.library.find("sender", ref)
            found = [entry] if entry is not None else []
        else:
            found = [entry for entry in self.library.entries if entry.kind == "sender"]
        senders = [
            (entry.id, entry.definition)
            for entry in found
            if entry.id is not None and isinstance(entry.definition, SenderDefinition) and entry.definition.email
        ]
        usual = [one for one in senders if one[1].default]
        return next(iter([*usual, *senders]), None)

    def sender_with(self, address: str | None) -> int | None:
        """The id of the sender with exactly this address."""
        entries = [entry for entry in self.library.entries if entry.kind == "sender" and address]
        return next((entry.id for entry in entries if getattr(entry.definition, "email", None) == address), None)

    def layout(self, email: EmailMessage) -> str:
        """The name of the layout around an email, empty for none."""
        if email.layout is None or email.editor in vendor.EDITORS:
            return ""
        entry = self.library.find("layout", email.layout_reference or "")
        layouts = [entry.definition if entry is not None else None]
        if email.uses_workspace_layout:
            layouts = [one for one in self.library.others("layout", "") if getattr(one, "default", False)]
        return next((layout.name for layout in layouts if isinstance(layout, LayoutDefinition)), "")

    def webhook(self, ref: str | int) -> Mapping[str, Any]:
        """The document of a saved webhook, its secrets hidden; nothing where there is none."""
        entry = self.library.find("webhook", ref)
        found = entry.definition if entry is not None else None
        return masked(found.wire(), found.secrets) if isinstance(found, WebhookDefinition) else {}


def message(channel: str, content: BaseModel | None, language: str, around: Around) -> dict[str, Any]:
    """What is said, in the words of the App API; None says nothing."""
    said: dict[str, Any] = {
        "type": vendor.TYPES.get(channel, channel),
        "language": language,
        "layout": "",
        "recipient": _recipient(channel, content),
    }
    texts = vendor.TEXTS.get(channel, {"body": "body"})
    said |= {name: getattr(content, ours, None) or "" for name, ours in texts.items()}
    if channel in vendor.JSON_BODIES:
        said["body"] = vendor.json_text(getattr(content, vendor.JSON_BODIES[channel], {}))
    if channel == "whatsapp":
        said |= {"body": _whatsapp(content), "body_json": ""}
    return said | (_email(content, around) if channel == "email" else {})


def request(block: WebhookBlock, around: Around) -> dict[str, Any]:
    """What a webhook block calls, in the words of the App API."""
    asked = block.request
    calls = around.webhook(asked.webhook) if isinstance(asked, SavedRequest) else asked.model_dump(mode="json")
    url, headers = calls.get("url"), calls.get("headers") or {}
    plain = [(name, value) for name, value in headers.items() if isinstance(value, str)]
    return {
        "type": "webhook",
        "layout": "",
        "url": url if isinstance(url, str) else "",
        "method": str(calls.get("method", "POST")).lower(),
        "headers": vendor.headers_text(plain),
        "body": asked.body,
    }


def _recipient(channel: str, content: BaseModel | None) -> str:
    recipient: str = getattr(content, vendor.RECIPIENTS.get(channel, ""), "")
    hidden = channel in vendor.HIDDEN_RECIPIENTS and any(mark in recipient for mark in _LIQUID)
    return "" if hidden else recipient


def _email(content: BaseModel | None, around: Around) -> dict[str, Any]:
    email = content if isinstance(content, EmailMessage) else EmailMessage(subject="", body="")
    sender = around.sender(email.sender) if email.from_ is None else None
    written = email.from_ or ""
    if sender is not None:
        written = f'"{sender[1].name}" <{sender[1].email}>' if sender[1].name else f"{sender[1].email}"
    return {
        "layout": around.layout(email),
        "preprocessor": "premailer",
        "from": written,
        "from_id": sender[0] if sender is not None else None,
        "reply_to": email.reply_to or "",
        "reply_to_id": around.sender_with(email.reply_to),
        "bcc": email.bcc or "",
        "cc": "",
        "fake_bcc": email.fake_bcc,
        "headers": vendor.headers_text((header.name, header.value) for header in email.headers),
    }


def _whatsapp(content: BaseModel | None) -> str:
    if not isinstance(content, WhatsappMessage):
        return ""
    template = content.template
    named = {"name": template.name} | ({"language": template.language} if template.language else {})
    given = {"name": template.name, "variables": dict(template.variables)}
    return vendor.json_text({"whatsapp_message_template": named, "template_parameters": given})


__all__ = ["Around", "message", "request"]
