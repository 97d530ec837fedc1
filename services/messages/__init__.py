"""The registry of kinds of deliveries: a new kind is its own file and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from services.messages.base import Handing, Making, MessageKind, Rendered
from services.messages.email import EmailKind

MESSAGE_KINDS: Final[Mapping[str, MessageKind]] = {kind.channel: kind for kind in (EmailKind(),)}
"""Every kind of delivery by the `type` of its block, which is also its channel."""

__all__ = ["MESSAGE_KINDS", "Handing", "Making", "MessageKind", "Rendered"]
