"""What a call may say of an email in place of its template (CHN-05)."""

from __future__ import annotations

from typing import Any, Final

from domain.addresses import parse
from domain.sending.headers import headers_of
from domain.sending.recipients import check_recipients
from domain.sending.refusals import missing, no_address
from domain.sending.values import Said, flag, is_liquid, text

REQUIRED: Final = ("from", "subject", "body")
"""What a call has to say where no template says it."""
_TEXTS: Final = ("subject", "preheader", "body", "body_plain", "body_amp")


def email_content(said: Said) -> dict[str, Any]:
    """The fields of an email that a call gives; raises SendRefused."""
    content: dict[str, Any] = dict(check_recipients(said))
    if "to" not in content:
        raise missing("to")
    sender = text(said, "from")
    if sender is not None and sender.strip():
        if not is_liquid(sender) and parse(sender) is None:
            raise no_address("from")
        content["from"] = sender
    content |= {name: value for name in _TEXTS if (value := text(said, name)) is not None}
    copies = flag(said, "fake_bcc")
    if copies is not None:
        content["fake_bcc"] = copies
    as_written = flag(said, "disable_css_preprocessing")
    if as_written is not None:
        content["css_inlining"] = not as_written
    headers = headers_of(said)
    if headers:
        content["headers"] = headers
    return content


__all__ = ["REQUIRED", "email_content"]
