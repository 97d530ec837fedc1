"""An email made for one person: every part rendered, in a fixed order, as it will be stored and sent (MSG-01)."""

from __future__ import annotations

import html as escaping
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from domain.addresses import Address, parse, parse_list, unquoted
from domain.content import EmailMessage
from rendering.errors import RenderError
from rendering.headers import one_line
from rendering.liquid import render
from rendering.plain_text import plain_text
from rendering.tags import UNSUBSCRIBE_URL
from rendering.url_parameters import add_parameters

_BODY: Final = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
_HEAD: Final = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
_TITLE: Final = re.compile(r"<title\b", re.IGNORECASE)
_LINE_END: Final = re.compile(r"[\r\n]")
_PREHEADER: Final = '<div style="display:none;max-height:0;overflow:hidden;mso-hide:all">{}</div>'
_OVERRIDES: Final = (("recipient", "to"), ("from_address", "from"), ("reply_to", "reply_to"))
"""Properties of the triggering event that take the place of a field, where they are addresses (CMP-31)."""


class SenderIdentity(NamedTuple):
    """A sender as defined: address and display name, both templates."""

    email: str
    name: str | None


class Layout(NamedTuple):
    """What stands around the body, and how templates may name it."""

    id: int
    name: str
    body: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an email takes from its workspace: who it is from, its layout, the parameters of its links."""

    sender: SenderIdentity | None = None
    layout: Layout | None = None
    url_parameters: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class RenderedEmail:
    """One email, ready to be written out; `unsubscribe_url` is set where the message really shows that link."""

    sender: Address
    recipient: Address
    subject: str
    html: str
    text: str
    reply_to: Address | None = None
    bcc: tuple[Address, ...] = ()
    fake_bcc: bool = True
    preheader: str | None = None
    title: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    unsubscribe_url: str | None = None

    @property
    def to(self) -> str:
        """The recipient's address."""
        return self.recipient.mailbox

    @property
    def headline(self) -> str:
        """The subject."""
        return self.subject

    def stored(self) -> dict[str, Any]:
        """The message as a document, from which `restored` makes it again."""
        fields = {
            "from": shown(self.sender),
            "to": shown(self.recipient),
            "subject": self.subject,
            "reply_to": shown(self.reply_to) if self.reply_to is not None else None,
            "bcc": ", ".join(map(shown, self.bcc)) or None,
            "preheader": self.preheader,
            "title": self.title,
        }
        return {
            "channel": "email",
            "fields": {name: value for name, value in fields.items() if value is not None},
            "headers": [{"name": name, "value": value} for name, value in self.headers],
            "html": self.html,
            "text": self.text,
            "fake_bcc": self.fake_bcc,
            "unsubscribe_url": self.unsubscribe_url,
            "errors": [],
        }


def restored(document: Mapping[str, Any]) -> RenderedEmail:
    """The message behind a document that `stored` made; raises ValueError for one that holds no message."""
    fields = document.get("fields", {})
    sender, recipient = parse(fields.get("from", "")), parse(fields.get("to", ""))
    if sender is None or recipient is None:
        raise ValueError("the document holds no email")
    return RenderedEmail(
        sender=sender,
        recipient=recipient,
        subject=fields.get("subject", ""),
        html=document["html"],
        text=document["text"],
        reply_to=parse(fields.get("reply_to", "")),
        bcc=tuple(parse_list(fields.get("bcc", "")) or ()),
        fake_bcc=document.get("fake_bcc", True),
        preheader=fields.get("preheader"),
        title=fields.get("title"),
        headers=tuple((header["name"], header["value"]) for header in document.get("headers", ())),
        unsubscribe_url=document.get("unsubscribe_url"),
    )


def shown(address: Address) -> str:
    """An address as people read it."""
    if not address.name:
        return address.mailbox
    name = address.name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{name}" <{address.mailbox}>'


def render_email(
    message: EmailMessage, around: Surroundings, context: Mapping[str, Any], now: datetime
) -> RenderedEmail:
    """The message for the person of the context; raises RenderError naming the part that failed."""
    renderer = _Renderer(message, {**context, **_layout_names(around.layout)}, now)
    body = renderer.body(around.layout)
    overrides = _overrides(context)
    recipient = renderer.address("to", overrides.get("to") or renderer.text("to", message.to))
    sender = renderer.sender(around.sender, overrides.get("from"))
    subject = one_line(renderer.text("subject", message.subject))
    reply_to = renderer.optional_address("reply_to", message.reply_to, overrides.get("reply_to"))
    url = context.get(UNSUBSCRIBE_URL)
    preheader, title = renderer.optional("preheader", message.preheader), renderer.optional("title", message.title)
    own_text = renderer.optional("body_plain", message.body_plain)
    workspace = renderer.parameters(around.url_parameters or {})
    own = renderer.parameters(message.url_parameters)
    html = add_parameters(body, workspace, own, untouched=url)
    text = own_text if own_text is not None else plain_text(html)
    return RenderedEmail(
        sender=sender,
        recipient=recipient,
        subject=subject,
        html=_with_title(_with_preheader(html, preheader), title),
        text=text,
        reply_to=reply_to,
        bcc=renderer.copies(),
        fake_bcc=message.fake_bcc,
        preheader=preheader,
        title=title,
        headers=renderer.headers(),
        unsubscribe_url=url if url is not None and (url in html or url in text) else None,
    )


class _Renderer:
    """The parts of one message over one context; each has variables of its own (MSG-07)."""

    def __init__(self, message: EmailMessage, context: Mapping[str, Any], now: datetime) -> None:
        self._message = message
        self._context = context
        self._now = now

    def text(self, field: str, source: str) -> str:
        """One part, rendered."""
        try:
            return render(source, self._context, now=self._now)
        except RenderError as error:
            raise error.inside(field) from None

    def optional(self, field: str, source: str | None) -> str | None:
        """One part that may have been left out."""
        return None if source is None else self.text(field, source)

    def body(self, layout: Layout | None) -> str:
        """The body within its layout, which takes it as data and never renders it again."""
        body = self.text("body", self._message.body)
        if layout is None:
            return body
        try:
            return render(layout.body, {**self._context, "content": body}, now=self._now)
        except RenderError as error:
            raise error.inside("layout") from None

    def address(self, field: str, text: str) -> Address:
        """A rendered address; one that cannot be written to fails the message."""
        found = parse(text)
        if found is None:
            what = f"'{one_line(text)}' is not an email address" if text.strip() else "There is no address"
            raise RenderError(what, field)
        return found

    def optional_address(self, field: str, source: str | None, override: str | None) -> Address | None:
        """An address that may be left out, or come out empty."""
        text = override if override is not None else self.optional(field, source)
        return self.address(field, text) if text is not None and text.strip() else None

    def sender(self, identity: SenderIdentity | None, override: str | None) -> Address:
        """Who the message is from: the event's word, the message's own, or the sender's."""
        if override is not None:
            return self.address("from", override)
        if self._message.from_ is not None:
            return self.address("from", self.text("from", self._message.from_))
        if identity is None:
            raise RenderError("There is no sender: define one, or give the message a from address", "from")
        address = self.address("from", self.text("from", identity.email))
        name = self.text("from", identity.name) if identity.name is not None else address.name
        return Address(address.mailbox, unquoted(one_line(name)))

    def copies(self) -> tuple[Address, ...]:
        """Who gets a copy."""
        text = self.optional("bcc", self._message.bcc)
        found = parse_list(text) if text is not None else []
        if found is None:
            raise RenderError("The copies must go to at most fifteen email addresses, separated by commas", "bcc")
        return tuple(found)

    def headers(self) -> tuple[tuple[str, str], ...]:
        """The extra headers; a value that would begin a new line fails the message (MSG-20)."""
        found: list[tuple[str, str]] = []
        for header in self._message.headers:
            field = f"header {header.name}"
            value = self.text(field, header.value)
            if _LINE_END.search(value):
                raise RenderError("The value of a header cannot hold a line end", field)
            found.append((header.name, value))
        return tuple(found)

    def parameters(self, templates: Mapping[str, str]) -> dict[str, str]:
        """Parameters of links; an empty one fails the message (SUB-38)."""
        found: dict[str, str] = {}
        for name, source in templates.items():
            value = self.text(f"URL parameter {name}", source).strip()
            if not value:
                raise RenderError("The value is empty", f"URL parameter {name}")
            found[name] = value
        return found


def _overrides(context: Mapping[str, Any]) -> dict[str, str]:
    """What the triggering event puts in place of the message's own addresses."""
    event = context.get("event")
    if not isinstance(event, Mapping):
        return {}
    given = {field: event.get(name) for name, field in _OVERRIDES}
    return {field: text for field, text in given.items() if isinstance(text, str) and parse(text) is not None}


def _layout_names(layout: Layout | None) -> dict[str, Any]:
    return {} if layout is None else {"layout": {"id": layout.id, "name": layout.name}}


def _with_preheader(html: str, preheader: str | None) -> str:
    """The preview text, hidden at the start of the body; entities are allowed in it, tags are not (MSG-22)."""
    if not preheader:
        return html
    hidden = _PREHEADER.format(preheader.replace("<", "&lt;").replace(">", "&gt;"))
    found = _BODY.search(html)
    at = found.end() if found is not None else 0
    return html[:at] + hidden + html[at:]


def _with_title(html: str, title: str | None) -> str:
    """The title in the head of a whole document that has none."""
    head = _HEAD.search(html)
    if not title or head is None or _TITLE.search(html):
        return html
    return f"{html[: head.end()]}<title>{escaping.escape(title)}</title>{html[head.end() :]}"


__all__ = ["Layout", "RenderedEmail", "SenderIdentity", "Surroundings", "render_email", "restored", "shown"]
