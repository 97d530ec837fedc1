"""Email as a kind of delivery: layouts, senders, copies, MIME (MSG-17 to MSG-25)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from channels.base import Outgoing
from domain import consent
from domain.addresses import Address
from domain.content import EmailMessage
from domain.definitions.layout import LayoutDefinition
from domain.definitions.sender import SenderDefinition
from domain.definitions.settings import Redirect
from domain.deliveries import message_id
from domain.received import COPY_HEADER, DELIVERY_HEADER
from ingest.catalog import Catalog, Entry
from rendering.email import Layout, RenderedEmail, SenderIdentity, Surroundings, render_email, restored
from rendering.errors import RenderError
from rendering.mime import Mail, build
from services.messages.base import Handing, Making

LAYOUTLESS_EDITORS = frozenset({"drag_and_drop", "design_studio"})
_PUBLIC = ("channel", "fields", "headers", "html", "text", "errors")


class EmailKind:
    """Emails."""

    channel: ClassVar[str] = "email"
    word: ClassVar[str] = "email_action"

    def render(self, making: Making) -> RenderedEmail:
        """The email for the person of the context."""
        message = making.content
        assert isinstance(message, EmailMessage), "only email blocks ask for an email"
        email = render_email(message, surroundings(making.catalog, message), making.context, making.now)
        return redirected(email, making.catalog.settings.sending)

    def restored(self, document: Mapping[str, Any]) -> RenderedEmail:
        """The email behind a document."""
        return restored(document)

    def outgoing(self, rendered: RenderedEmail, handing: Handing) -> Outgoing:
        """The email as MIME, with the ways to unsubscribe in its header."""
        row, email = handing.row, rendered
        copies = () if email.fake_bcc else tuple(address.mailbox for address in email.bcc)
        links: tuple[tuple[str, str], ...] = ((DELIVERY_HEADER, row.delivery_id),)
        own = {name.casefold() for name, _ in email.headers}
        if email.unsubscribe_url is not None and "list-unsubscribe" not in own:
            links += (("List-Unsubscribe", f"<{email.unsubscribe_url}>"),)
            if "list-unsubscribe-post" not in own:
                links += (("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),)
        recipients = (handing.way.channel.normalise(email.recipient.mailbox), *copies)
        raw = _raw(handing, email, links)
        return handing.outgoing(recipients, raw, self.shown(email), sender=email.sender.mailbox)

    def copies(self, rendered: RenderedEmail, handing: Handing) -> Sequence[Outgoing]:
        """A separate copy, told by its subject; it makes no delivery (MSG-21)."""
        email = rendered
        if not email.bcc or not email.fake_bcc:
            return ()
        copy = replace(
            email, recipient=email.bcc[0], subject=f"{email.subject} ({email.recipient.mailbox})", unsubscribe_url=None
        )
        return (
            replace(
                self.outgoing(copy, handing),
                purpose="fake_bcc",
                recipients=tuple(address.mailbox for address in email.bcc),
                raw=_raw(handing, copy, ((COPY_HEADER, handing.row.delivery_id),), "copy/"),
            ),
        )

    def shown(self, rendered: RenderedEmail) -> dict[str, Any]:
        """The email in the contract's shape."""
        return {name: value for name, value in rendered.stored().items() if name in _PUBLIC}


def redirected(email: RenderedEmail, sending: consent.Sending) -> RenderedEmail:
    """The message to the test address instead, without copies, where the workspace says so (OUT-26)."""
    if not isinstance(sending, Redirect):
        return email
    return replace(email, recipient=Address(sending.test_address, email.recipient.name), bcc=())


def surroundings(catalog: Catalog, message: EmailMessage) -> Surroundings:
    """What an email takes from its workspace; raises RenderError where it names what is not there."""
    layout = None
    if message.editor not in LAYOUTLESS_EDITORS and message.layout is not None:
        own = message.layout_reference
        found = _chosen(catalog, "layout", own) if own is not None else _usual(catalog.layouts)
        if found is not None and isinstance(found.definition, LayoutDefinition):
            layout = Layout(found.id, found.definition.name, found.definition.body)
    return Surroundings(_sender(catalog, message), layout, catalog.settings.url_parameters)


def _sender(catalog: Catalog, message: EmailMessage) -> SenderIdentity | None:
    """The message's own sender, else the workspace's default, else the oldest."""
    if message.from_ is not None:
        return None
    if message.sender is not None:
        chosen = _chosen(catalog, "sender", message.sender)
        identity = _identity(chosen)
        if identity is None:
            raise RenderError(f"The sender '{chosen.key}' has no email address", "sender")
        return identity
    identities = [entry for entry in catalog.senders if _identity(entry) is not None]
    entry = _usual(identities) or next(iter(identities), None)
    return None if entry is None else _identity(entry)


def _identity(entry: Entry) -> SenderIdentity | None:
    """The email identity of a sender; None for one that is a telephone number."""
    sender = entry.definition
    if not isinstance(sender, SenderDefinition) or sender.email is None:
        return None
    return SenderIdentity(sender.email, sender.name)


def _usual(entries: Sequence[Entry]) -> Entry | None:
    """The one that says it is the default; of several, the oldest."""
    return next((entry for entry in entries if getattr(entry.definition, "default", False)), None)


def _chosen(catalog: Catalog, kind: str, ref: str | int) -> Entry:
    entry = catalog.find(kind, ref)
    if entry is None:
        raise RenderError(f"There is no {kind} {ref!r}", kind)
    return entry


def _raw(handing: Handing, email: RenderedEmail, links: tuple[tuple[str, str], ...], subject: str = "") -> bytes:
    key = handing.catalog.workspace.delivery_key
    return build(
        Mail(
            sender=email.sender,
            recipient=email.recipient,
            subject=email.subject,
            date=handing.row.first_attempt_at or handing.at,
            message_id=message_id(key, subject + handing.row.delivery_id, email.sender.domain),
            text=email.text,
            html=email.html,
            reply_to=email.reply_to,
            headers=email.headers,
            links=links,
        )
    )


__all__ = ["EmailKind", "redirected", "surroundings"]
