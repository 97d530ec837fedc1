"""What a message says that came in over SMTP, in the words of a rendered one."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, Final, NamedTuple

DELIVERY_HEADER: Final = "X-CIO-Email-ID"
"""The header by which a message names its delivery."""

COPY_HEADER: Final = "X-Sojourn-Copy-Of"
"""The header by which a separate copy names the delivery it is a copy of."""

_FIELDS: Final = ("From", "To", "Cc", "Subject", "Reply-To")
_OURS: Final = frozenset(
    name.casefold() for name in (*_FIELDS, "Date", "Message-ID", "MIME-Version", "Content-Type", "Received")
)


class Received(NamedTuple):
    """A message as its reader sees it."""

    delivery_id: str | None
    copy: bool
    sender: str | None
    rendered: dict[str, Any]


def read(raw: bytes) -> Received:
    """The message in the bytes of a mail; whatever cannot be read is left out."""
    message = message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage), "the default policy makes this class"
    fields = {name.lower().replace("-", "_"): _header(message, name) for name in _FIELDS}
    copied = _header(message, COPY_HEADER)
    amp = _amp(message)
    files = [_file(part) for part in message.iter_attachments()]
    return Received(
        delivery_id=copied or _header(message, DELIVERY_HEADER),
        copy=copied is not None,
        sender=fields["from"],
        rendered={
            "channel": "email",
            "fields": {name: value for name, value in fields.items() if value is not None},
            "headers": [
                {"name": name, "value": _clean(str(value))}
                for name, value in message.items()
                if name.casefold() not in _OURS
            ],
            "html": _body(message, "html"),
            "text": _body(message, "plain"),
            "errors": [],
            **({"amp": amp} if amp is not None else {}),
            **({"attachments": files} if files else {}),
        },
    )


def _header(message: EmailMessage, name: str) -> str | None:
    value = message[name]
    return None if value is None else _clean(str(value)).strip()


def _body(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body((kind,))
    return None if part is None else _content(part)


def _content(part: Any) -> str | None:
    try:
        return _clean(str(part.get_content())).replace("\r\n", "\n")
    except (LookupError, ValueError):
        return None


def _amp(message: EmailMessage) -> str | None:
    """The interactive part that some mail programs show in place of the HTML (MSG-24)."""
    part = next((part for part in message.walk() if part.get_content_type() == "text/x-amp-html"), None)
    return None if part is None else _content(part)


def _file(part: Any) -> dict[str, Any]:
    content = part.get_payload(decode=True)
    size = len(content) if isinstance(content, bytes) else 0
    return {
        "filename": _clean(part.get_filename() or ""),
        "content_type": part.get_content_type(),
        "bytes": size,
    }


def _clean(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


__all__ = ["COPY_HEADER", "DELIVERY_HEADER", "Received", "read"]
