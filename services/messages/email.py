"""Email as a kind of delivery: layouts, senders, copies, MIME (MSG-17 to MSG-25)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar, Final

from channels.base import Outgoing
from domain import consent
from domain.addresses import MAX_RECIPIENTS, Address
from domain.content import EmailMessage
from domain.definitions.settings import Redirect
from domain.deliveries import message_id
from domain.received import COPY_HEADER, DELIVERY_HEADER
from rendering.attached import described
from rendering.email import SMTPAPI, render_email
from rendering.errors import SenderNotOurs
from rendering.headers import with_email_id
from rendering.mime import Mail, build
from rendering.rendered_email import RenderedEmail, restored
from services.messages.base import Handing, Making
from services.messages.email_surroundings import surroundings
from services.sender_checks import may_send_from

MAILER: Final = "Sojourn"
"""What `X-Mailer` says (MSG-20)."""
_MAILER: Final = ("X-Mailer", MAILER)
_OURS = ("fake_bcc", "unsubscribe_url", "view_url")
"""What is stored of an email and is no part of the contract's shape."""


class EmailKind:
    """Emails."""

    channel: ClassVar[str] = "email"
    word: ClassVar[str] = "email_action"

    def render(self, making: Making) -> RenderedEmail:
        """The email for the person of the context."""
        message = making.content
        assert isinstance(message, EmailMessage), "only email blocks ask for an email"
        email = render_email(message, surroundings(making.catalog, message), making.context, making.now)
        if not may_send_from(making.catalog, email.sender.mailbox):
            raise SenderNotOurs
        return redirected(email, making.catalog.settings.sending)

    def restored(self, document: Mapping[str, Any]) -> RenderedEmail:
        """The email behind a document."""
        return restored(document)

    def outgoing(self, rendered: RenderedEmail, handing: Handing) -> Outgoing:
        """The email as MIME, with the ways to unsubscribe in its header."""
        row, email = handing.row, rendered
        links: tuple[tuple[str, str], ...] = ((DELIVERY_HEADER, row.delivery_id),)
        own = {name.casefold() for name, _ in email.headers}
        if email.unsubscribe_url is not None and "list-unsubscribe" not in own:
            links += (("List-Unsubscribe", f"<{email.unsubscribe_url}>"),)
            if "list-unsubscribe-post" not in own:
                links += (("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),)
        first, *others = email.recipients
        copies = (*others, *email.cc, *(() if email.fake_bcc else email.bcc))
        recipients = (handing.way.channel.normalise(first.mailbox), *[address.mailbox for address in copies])
        shown = self.shown(email)
        if handing.attachments:
            shown["attachments"] = described(handing.attachments)
        return handing.outgoing(_once(recipients), _raw(handing, email, links), shown, sender=email.sender.mailbox)

    def copies(self, rendered: RenderedEmail, handing: Handing) -> Sequence[Outgoing]:
        """A separate copy for each who gets one, told by its subject; it makes no delivery (MSG-21)."""
        if not rendered.fake_bcc:
            return ()
        subject = f"{rendered.subject} ({rendered.to})"
        marks = ((COPY_HEADER, handing.row.delivery_id),)
        found = []
        for number, address in enumerate(rendered.bcc, start=1):
            copy = replace(rendered, recipients=(address,), cc=(), bcc=(), subject=subject, unsubscribe_url=None)
            # Whoever keeps what was handed over tells the copies of one delivery apart by their attempts.
            attempt = handing.row.attempts * MAX_RECIPIENTS + number
            raw = _raw(handing, copy, marks, f"copy/{number}/" if number > 1 else "copy/")
            made = handing.outgoing((address.mailbox,), raw, self.shown(copy), sender=copy.sender.mailbox)
            found.append(replace(made, purpose="fake_bcc", attempt=attempt))
        return found

    def shown(self, rendered: RenderedEmail) -> dict[str, Any]:
        """The email in the contract's shape."""
        document = rendered.stored()
        for name in _OURS:
            document.pop(name, None)
        return document


def redirected(email: RenderedEmail, sending: consent.Sending) -> RenderedEmail:
    """The message to the test address instead, without copies, where the workspace says so (OUT-26)."""
    if not isinstance(sending, Redirect):
        return email
    return replace(email, recipients=(Address(sending.test_address, email.recipient.name),), cc=(), bcc=())


def _once(addresses: Sequence[str]) -> tuple[str, ...]:
    """The addresses, each once whatever its case, so that nobody gets the same message twice."""
    if len(addresses) == 1:
        return tuple(addresses)
    found: dict[str, str] = {}
    for address in addresses:
        found.setdefault(address.casefold(), address)
    return tuple(found.values())


def mail_of(
    email: RenderedEmail,
    at: datetime,
    message_id: str,
    *,
    marks: tuple[tuple[str, str], ...] = (),
    attachments: tuple[tuple[str, bytes], ...] = (),
) -> Mail:
    """The email as it is written out; without `marks` nothing in it says which delivery it is."""
    return Mail(
        sender=email.sender,
        recipients=email.recipients,
        subject=email.subject,
        date=at,
        message_id=message_id,
        text=email.text,
        html=email.html,
        amp=email.amp,
        cc=email.cc,
        reply_to=email.reply_to,
        headers=email.headers,
        links=(_MAILER, ("X-Report-Abuse-To", f"abuse@{email.sender.domain}"), *marks),
        attachments=attachments,
    )


def _raw(handing: Handing, email: RenderedEmail, marks: tuple[tuple[str, str], ...], subject: str = "") -> bytes:
    row, key = handing.row, handing.catalog.workspace.delivery_key
    name = message_id(key, subject + row.delivery_id, email.sender.domain)
    at = row.first_attempt_at or handing.at
    mail = mail_of(email, at, name, marks=marks, attachments=handing.attachments)
    return build(replace(mail, headers=_own_headers(email, row.delivery_id)) if email.headers else mail)


def _own_headers(email: RenderedEmail, delivery_id: str) -> tuple[tuple[str, str], ...]:
    """The author's headers; the one that a relay takes orders by names the delivery as well (MSG-20)."""
    return tuple(
        (name, (with_email_id(value, delivery_id) or value) if name.lower() == SMTPAPI else value)
        for name, value in email.headers
    )


__all__ = ["MAILER", "EmailKind", "mail_of", "redirected"]
