"""A push notification to the person (ACT-02, CMP-29)."""

from __future__ import annotations

from typing import Literal

from domain.blocks.message import AbTest, MessageBlock
from domain.contents.push import PushMessage


class PushBlock(MessageBlock):
    """A push notification."""

    type: Literal["push"]
    message: PushMessage | None = None
    ab_test: AbTest[PushMessage] | None = None


__all__ = ["PushBlock"]
