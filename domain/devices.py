"""What becomes of a device's last status: the table from what happened to the state afterwards, total (PPL-20)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, get_args

LastStatus = Literal["", "sent", "bounced", "suppressed"]
"""The state of the last push; empty is `unused`."""
Happening = Literal["registered", "accepted", "rejected", "unregistered"]
"""The person registered the token (again), or what the push service said of a push to it."""

STATUSES: Final[tuple[LastStatus, ...]] = get_args(LastStatus)
HAPPENINGS: Final[tuple[Happening, ...]] = get_args(Happening)
UNUSED: Final[LastStatus] = ""
ANNOUNCED: Final = "_last_status"
"""The name under which the status is shown among the attributes; calls cannot write it."""

TRANSITIONS: Final[Mapping[tuple[LastStatus, Happening], LastStatus | None]] = {
    ("", "registered"): "",
    ("sent", "registered"): "sent",
    ("bounced", "registered"): "",
    ("suppressed", "registered"): "",
    ("", "accepted"): "sent",
    ("sent", "accepted"): "sent",
    ("bounced", "accepted"): "sent",
    ("suppressed", "accepted"): "sent",
    ("", "rejected"): "bounced",
    ("sent", "rejected"): "bounced",
    ("bounced", "rejected"): "suppressed",
    ("suppressed", "rejected"): "suppressed",
    ("", "unregistered"): None,
    ("sent", "unregistered"): None,
    ("bounced", "unregistered"): None,
    ("suppressed", "unregistered"): None,
}


def status_after(status: LastStatus, happening: Happening) -> LastStatus | None:
    """The status afterwards; None where the device is to be deleted."""
    return TRANSITIONS[status, happening]


def may_push(status: LastStatus) -> bool:
    """Whether a push to the device is attempted at all."""
    return status != "suppressed"


__all__ = [
    "ANNOUNCED",
    "HAPPENINGS",
    "STATUSES",
    "TRANSITIONS",
    "UNUSED",
    "Happening",
    "LastStatus",
    "may_push",
    "status_after",
]
