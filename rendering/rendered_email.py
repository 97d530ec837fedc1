"""An email as it was rendered: what is stored of it, and made of it again when it is handed over (MSG-01)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.addresses import Address, parse, parse_list


@dataclass(frozen=True, slots=True)
class RenderedEmail:
    """One email, ready to be written out.

    `unsubscribe_url` and `view_url` are set where the message really shows those links.
    """

    sender: Address
    recipients: tuple[Address, ...]
    subject: str
    html: str
    text: str
    amp: str | None = None
    reply_to: Address | None = None
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    fake_bcc: bool = True
    preheader: str | None = None
    title: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    unsubscribe_url: str | None = None
    view_url: str | None = None

    @property
    def recipient(self) -> Address:
        """Whom it is for; of several, the first."""
        return self.recipients[0]

    @property
    def to(self) -> str:
        """The addresses it is for."""
        return ", ".join(address.mailbox for address in self.recipients)

    @property
    def headline(self) -> str:
        """The subject."""
        return self.subject

    def stored(self) -> dict[str, Any]:
        """The message as a document, from which `restored` makes it again."""
        fields = {"from": shown(self.sender), "to": _list(self.recipients), "subject": self.subject}
        if self.reply_to is not None:
            fields["reply_to"] = shown(self.reply_to)
        if self.cc:
            fields["cc"] = _list(self.cc)
        if self.bcc:
            fields["bcc"] = _list(self.bcc)
        if self.preheader is not None:
            fields["preheader"] = self.preheader
        if self.title is not None:
            fields["title"] = self.title
        document: dict[str, Any] = {
            "channel": "email",
            "fields": fields,
            "headers": [{"name": name, "value": value} for name, value in self.headers],
            "html": self.html,
            "text": self.text,
            "fake_bcc": self.fake_bcc,
            "unsubscribe_url": self.unsubscribe_url,
            "errors": [],
        }
        if self.amp is not None:
            document["amp"] = self.amp
        if self.view_url is not None:
            document["view_url"] = self.view_url
        return document


def restored(document: Mapping[str, Any]) -> RenderedEmail:
    """The message behind a document that `stored` made; raises ValueError for one that holds no message."""
    fields = document.get("fields", {})
    sender, recipients = parse(fields.get("from", "")), parse_list(fields.get("to", ""))
    if sender is None or not recipients:
        raise ValueError("the document holds no email")
    return RenderedEmail(
        sender=sender,
        recipients=tuple(recipients),
        subject=fields.get("subject", ""),
        html=document["html"],
        text=document["text"],
        amp=document.get("amp"),
        reply_to=parse(fields.get("reply_to", "")),
        cc=tuple(parse_list(fields.get("cc", "")) or ()),
        bcc=tuple(parse_list(fields.get("bcc", "")) or ()),
        fake_bcc=document.get("fake_bcc", True),
        preheader=fields.get("preheader"),
        title=fields.get("title"),
        headers=tuple((header["name"], header["value"]) for header in document.get("headers", ())),
        unsubscribe_url=document.get("unsubscribe_url"),
        view_url=document.get("view_url"),
    )


def shown(address: Address) -> str:
    """An address as people read it."""
    if not address.name:
        return address.mailbox
    name = address.name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{name}" <{address.mailbox}>'


def _list(addresses: tuple[Address, ...]) -> str:
    return ", ".join(map(shown, addresses))


__all__ = ["RenderedEmail", "restored", "shown"]
