"""A message in the inbox of an app to the person (ACT-02, CMP-29)."""

from __future__ import annotations

from typing import Literal

from domain.blocks.message import MessageBlock
from domain.contents.inbox import InboxMessage


class InboxBlock(MessageBlock):
    """A message in the inbox of an app."""

    type: Literal["inbox"]
    message: InboxMessage | None = None


__all__ = ["InboxBlock"]
