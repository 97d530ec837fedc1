"""The refusals of transactional calls, in the words that clients of the vendor know (CHN-13, APP-02)."""

from __future__ import annotations

from typing import Final, Literal

from domain.errors import DomainError

Code = Literal["invalid_send", "sending_off", "channel_off", "forbidden_file", "attachments_too_large", "key_reused"]

ENTITY: Final = "Request entity must be JSON encoded and not exceed 2048 KB."
TEMPLATE_UNKNOWN: Final = '"transactional_message_id" not found.'
FROM_NOT_OURS: Final = '"from" address domain has not been verified.'
DO_NOT_SEND: Final = 'Workspace is set to "Do Not Send."'
TOO_MANY: Final = "Limit of 15 recipients exceeded."
NOT_ASCII: Final = "Custom headers must be strings and not contain any non-ASCII characters."
NO_FILE: Final = "Missing filename or content for attachment."
TOO_LARGE: Final = "Total attachment size exceeds the limit"
PAYLOAD: Final = "Invalid custom_payload or custom_data format."
NO_PHONE: Final = "Invalid phone number format. Phone numbers must be in E.164 format."
KEY_REUSED: Final = "The Idempotency-Key was used before with another request."


class SendRefused(DomainError):
    """A transactional call that is not taken; `field` is what of it is wrong, where that is one thing."""

    def __init__(self, message: str, field: str = "", code: Code = "invalid_send") -> None:
        super().__init__(code, message)
        self.field = field


def missing(field: str) -> SendRefused:
    """A field that has to be there."""
    return SendRefused(f'Missing required field "{field}"', field)


def malformed(field: str, why: str = "") -> SendRefused:
    """A field that holds something else than it may."""
    return SendRefused(f'Invalid format in field "{field}"{f": {why}" if why else ""}', field)


def no_address(field: str) -> SendRefused:
    """A field that holds no email address where one has to be."""
    return SendRefused(f'Invalid email address in field "{field}"', field)


__all__ = [
    "DO_NOT_SEND",
    "ENTITY",
    "FROM_NOT_OURS",
    "KEY_REUSED",
    "NOT_ASCII",
    "NO_FILE",
    "NO_PHONE",
    "PAYLOAD",
    "TEMPLATE_UNKNOWN",
    "TOO_LARGE",
    "TOO_MANY",
    "SendRefused",
    "malformed",
    "missing",
    "no_address",
]
