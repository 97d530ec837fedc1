"""An email made for one person: every part rendered, in a fixed order, as it will be stored and sent (MSG-01)."""

from __future__ import annotations

import html as escaping
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple
from weakref import proxy

from domain.addresses import MAX_RECIPIENTS, Address, parse, parse_list, parse_recipients, unquoted
from domain.content import EmailMessage, SentEmail
from rendering.css_inlining import inline_css
from rendering.errors import RenderError
from rendering.headers import one_line, with_email_id
from rendering.liquid import render
from rendering.plain_text import plain_text
from rendering.rendered_email import RenderedEmail
from rendering.tags import UNSUBSCRIBE_URL, VIEW_URL
from rendering.url_parameters import add_parameters

_BODY: Final = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
_HEAD: Final = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
_TITLE: Final = re.compile(r"<title\b", re.IGNORECASE)
_LINE_END: Final = re.compile(r"[\r\n]")
_PREHEADER: Final = '<div style="display:none;max-height:0;overflow:hidden;mso-hide:all">{}</div>'
_OVERRIDES: Final = (("recipient", "to"), ("from_address", "from"), ("reply_to", "reply_to"))
"""Properties of the triggering event that take the place of a field, where they are addresses (CMP-31)."""
SMTPAPI: Final = "x-smtpapi"
"""The header by which a relay takes orders, in which the delivery is named as well (MSG-20)."""
_TOO_MANY: Final = f"An email goes to at most {MAX_RECIPIENTS} addresses, copies included"


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
    """What an email takes from its workspace: who it is from, its layout, the parameters of its links.

    `inline_css` says whether its styles are moved to the tags they mean (MSG-29).
    """

    sender: SenderIdentity | None = None
    layout: Layout | None = None
    url_parameters: Mapping[str, str] | None = None
    inline_css: bool = False


def render_email(
    message: EmailMessage, around: Surroundings, context: Mapping[str, Any], now: datetime
) -> RenderedEmail:
    """The message for the person of the context; raises RenderError naming the part that failed."""
    renderer = _Renderer(message, context, around.layout, now)
    body = renderer.body(around.layout)
    overrides = _overrides(context)
    recipients = renderer.recipients(overrides.get("to"))
    sender = renderer.sender(around.sender, overrides.get("from"))
    subject = one_line(renderer.text("subject", message.subject))
    reply_to = renderer.optional_address("reply_to", message.reply_to, overrides.get("reply_to"))
    cc = renderer.copies("cc", message.cc if isinstance(message, SentEmail) else None)
    bcc = renderer.copies("bcc", message.bcc)
    if len(recipients) + len(cc) + len(bcc) > MAX_RECIPIENTS:
        raise RenderError(_TOO_MANY, "to")
    preheader, title = renderer.optional("preheader", message.preheader), renderer.optional("title", message.title)
    own_text, amp = renderer.optional("body_plain", message.body_plain), renderer.optional("body_amp", message.body_amp)
    workspace = renderer.parameters(around.url_parameters or {})
    own = renderer.parameters(message.url_parameters)
    ours = {name: url for name in (UNSUBSCRIBE_URL, VIEW_URL) if isinstance(url := context.get(name), str)}
    if around.inline_css:
        body = inline_css(body)
    html = add_parameters(body, workspace, own, untouched=ours.values())
    text = own_text if own_text is not None else plain_text(html)
    if amp is not None:
        amp = add_parameters(amp, workspace, own, untouched=ours.values())
    said = (html, text, amp or "")
    shown = {name: url if any(url in part for part in said) else None for name, url in ours.items()}
    return RenderedEmail(
        sender=sender,
        recipients=recipients,
        subject=subject,
        # The preview text is put in when the text part is made, which does not have it (MSG-22).
        html=_with_title(_with_preheader(html, preheader), title),
        text=text,
        amp=amp or None,
        reply_to=reply_to,
        cc=cc,
        bcc=bcc,
        fake_bcc=message.fake_bcc,
        preheader=preheader,
        title=title,
        headers=renderer.headers(),
        unsubscribe_url=shown.get(UNSUBSCRIBE_URL),
        view_url=shown.get(VIEW_URL),
    )


class _MessageNames(dict[str, Any]):
    """What templates can read of the message itself; its subject and preheader are rendered when somebody asks (MSG-04)."""

    def __init__(self, names: Mapping[str, Any], renderer: _Renderer) -> None:
        super().__init__(names)
        for name in renderer.own_texts:
            self.pop(name, None)
        # Not held: the renderer holds these names, and whatever holds itself is there until the next collection.
        self._renderer: _Renderer = proxy(renderer)
        self._asked: set[str] = set()

    def __missing__(self, name: str) -> str:
        sources = self._renderer.own_texts
        if name not in sources or name in self._asked:
            # A subject that names itself reads something that is not there.
            raise KeyError(name)
        self._asked.add(name)
        try:
            return self._renderer.text(name, sources[name])
        finally:
            self._asked.discard(name)


class _Renderer:
    """The parts of one message over one context; each has variables of its own (MSG-07)."""

    def __init__(self, message: EmailMessage, context: Mapping[str, Any], layout: Layout | None, now: datetime) -> None:
        self._message = message
        self._now = now
        self._done: dict[str, str] = {}
        self.own_texts = {"subject": message.subject}
        """The texts of the message that its other parts can read."""
        if message.preheader is not None:
            self.own_texts["preheader"] = message.preheader
        self._context = dict(context)
        if layout is not None:
            self._context["layout"] = {"id": layout.id, "name": layout.name}
        given = context.get("message")
        if isinstance(given, dict):
            self._context["message"] = _MessageNames(given, self)

    def text(self, field: str, source: str) -> str:
        """One part, rendered once however often it is read."""
        if field not in self._done:
            self._done[field] = self.part(field, source)
        return self._done[field]

    def part(self, field: str, source: str, context: Mapping[str, Any] | None = None) -> str:
        """The text of a template; a failure says in which part it happened."""
        try:
            return render(source, self._context if context is None else context, now=self._now)
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
        return self.part("layout", layout.body, {**self._context, "content": body})

    def recipients(self, override: str | None) -> tuple[Address, ...]:
        """Whom it is for: one person, or, where a call asked for it, whoever the call names."""
        text = override or self.text("to", self._message.to)
        if not isinstance(self._message, SentEmail) or override is not None or not text.strip():
            return (self.address("to", text),)
        found = parse_recipients(text)
        if not found:
            # One wrong address among several makes the list wrong: nobody gets what was for somebody else.
            raise RenderError("It must go to at most fifteen email addresses, separated by commas", "to")
        return tuple(found)

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
        name = self.part("from", identity.name) if identity.name is not None else address.name
        return Address(address.mailbox, unquoted(one_line(name)))

    def copies(self, field: str, source: str | None) -> tuple[Address, ...]:
        """Who gets a copy."""
        text = self.optional(field, source)
        found = parse_list(text) if text is not None else []
        if found is None:
            raise RenderError("The copies must go to at most fifteen email addresses, separated by commas", field)
        return tuple(found)

    def headers(self) -> tuple[tuple[str, str], ...]:
        """The extra headers; a value that would begin a new line fails the message (MSG-20)."""
        found: list[tuple[str, str]] = []
        for header in self._message.headers:
            field = f"header {header.name}"
            value = self.part(field, header.value)
            if _LINE_END.search(value):
                raise RenderError("The value of a header cannot hold a line end", field)
            if header.name.lower() == SMTPAPI and with_email_id(value, "") is None:
                raise RenderError("The value is no JSON object with unique_args that are one", field)
            found.append((header.name, value))
        return tuple(found)

    def parameters(self, templates: Mapping[str, str]) -> dict[str, str]:
        """Parameters of links; an empty one fails the message (SUB-38)."""
        found: dict[str, str] = {}
        for name, source in templates.items():
            field = f"URL parameter {name}"
            value = self.part(field, source).strip()
            if not value:
                raise RenderError("The value is empty", field)
            found[name] = value
        return found


def _overrides(context: Mapping[str, Any]) -> dict[str, str]:
    """What the triggering event puts in place of the message's own addresses."""
    event = context.get("event")
    if not isinstance(event, Mapping):
        return {}
    given = {field: event.get(name) for name, field in _OVERRIDES}
    return {field: text for field, text in given.items() if isinstance(text, str) and parse(text) is not None}


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
    head = _HEAD.search(html) if title else None
    if not title or head is None or _TITLE.search(html):
        return html
    return f"{html[: head.end()]}<title>{escaping.escape(title)}</title>{html[head.end() :]}"


__all__ = ["SMTPAPI", "Layout", "SenderIdentity", "Surroundings", "render_email"]
