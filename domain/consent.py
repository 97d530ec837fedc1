"""May this message go to this person now (SUB-02, OUT-26); asked when it is made and at every retry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from domain.definitions.settings import Redirect
from domain.values import is_unsubscribed

Preference = Literal["subscribed", "everyone"]
Sending = Literal["normal", "never"] | Redirect

GLOBAL_CHANNELS: Final = frozenset({"email", "sms", "push", "whatsapp", "line"})
"""The channels that the attribute `unsubscribed` switches off."""

GONE: Final = "The person no longer exists"
UNSUBSCRIBED: Final = "Customer is unsubscribed"
SWITCHED_OFF: Final = "Sending is switched off in this workspace"


def effective(own: Preference | Literal["inherit"], of_campaign: Preference) -> Preference:
    """The rule that holds for a message: its own, else the campaign's (SUB-03)."""
    return of_campaign if own == "inherit" else own


def refusal(
    channel: str, preference: Preference, attributes: Mapping[str, Any] | None, sending: Sending = "normal"
) -> str | None:
    """Why the message must not go out, None where it may; `attributes` is None for somebody who is gone."""
    if attributes is None:
        return GONE
    if sending == "never":
        return SWITCHED_OFF
    if preference != "everyone" and channel in GLOBAL_CHANNELS and is_unsubscribed(attributes.get("unsubscribed")):
        return UNSUBSCRIBED
    return None


__all__ = ["GLOBAL_CHANNELS", "GONE", "SWITCHED_OFF", "UNSUBSCRIBED", "Preference", "Sending", "effective", "refusal"]
