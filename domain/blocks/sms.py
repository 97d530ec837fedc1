"""A text message to the person (ACT-02, CMP-29)."""

from __future__ import annotations

from typing import Literal

from domain.blocks.message import AbTest, MessageBlock
from domain.contents.sms import SmsMessage


class SmsBlock(MessageBlock):
    """A text message."""

    type: Literal["sms"]
    message: SmsMessage | None = None
    ab_test: AbTest[SmsMessage] | None = None


__all__ = ["SmsBlock"]
