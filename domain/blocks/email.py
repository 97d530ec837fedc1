"""Email: one message to the person (ACT-02, CMP-29)."""

from __future__ import annotations

from typing import Literal

from domain.blocks.message import AbTest, MessageBlock
from domain.content import EmailMessage


class EmailBlock(MessageBlock):
    """An email."""

    type: Literal["email"]
    message: EmailMessage | None = None
    ab_test: AbTest[EmailMessage] | None = None
